"""The rules themselves: procedures as pages, and the yearly calendar of days off."""
