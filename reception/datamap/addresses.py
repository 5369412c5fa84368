"""Addresses of the map's pages with a picture's words behind the question mark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for


def address_of(endpoint: str, words: Mapping[str, str]) -> str:
    """The address of a page of the map with these words behind the question mark."""
    values: dict[str, Any] = dict(words)
    return url_for(endpoint, **values)
