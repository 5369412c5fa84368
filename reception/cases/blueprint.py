"""The blueprint of cases: case pages and search register their routes on it."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("cases", __name__)
