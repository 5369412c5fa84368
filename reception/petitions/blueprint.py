"""The blueprint of petitions: the citizen's pages and the inbox register their routes on it."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("petitions", __name__)
