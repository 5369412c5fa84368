"""The settings of the running application."""

from __future__ import annotations

from flask import current_app

from config import Settings


def settings() -> Settings:
    """The settings this application was made with."""
    found: Settings = current_app.extensions["settings"]
    return found
