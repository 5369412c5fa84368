"""The audit log for who supervises it, and the health of the system."""
