"""The application for the server, nothing else."""

from reception import create_app

app = create_app()
