"""The blueprint that all pages of the map share."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("datamap", __name__)
