"""Petitions: filing and following for citizens, the inbox for staff."""
