"""What an officer is told inside the system: the bell and its page."""
