"""Log-in, log-out and one's own log-ins."""
