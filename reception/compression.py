"""Packs the public pages: a page of text weighs a quarter on the line of a phone.

Only what a stranger reads at a plain address. A page of somebody signed in, or one whose address
carries words that come back in it, stays as it is: from the length of a packed page whoever listens
could guess what stands beside those words (the attack known as BREACH).
"""

from __future__ import annotations

import gzip

from flask import Flask, Response, request
from flask_login import current_user

SMALLEST = 1024
LEVEL = 6


def init_compression(app: Flask) -> None:
    """Pack what may be packed, after everything else has been put on the response."""

    @app.after_request
    def _pack(response: Response) -> Response:
        if not _is_public_page(response):
            return response
        response.headers.add("Vary", "Accept-Encoding")
        if request.accept_encodings["gzip"] <= 0 or len(response.get_data()) < SMALLEST:
            return response
        response.set_data(gzip.compress(response.get_data(), LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        return response


def _is_public_page(response: Response) -> bool:
    return (
        request.method == "GET"
        and not request.query_string
        and response.status_code == 200
        and response.mimetype == "text/html"
        and not response.is_streamed
        and "Content-Encoding" not in response.headers
        and not current_user.is_authenticated
    )
