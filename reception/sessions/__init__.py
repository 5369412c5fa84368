"""Online reception sessions: schedule, gates, points, the room, minutes."""
