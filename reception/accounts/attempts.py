"""Slows down guessing of passwords, without letting a stranger lock an official out.

One address gets few tries at one name. From many addresses together a name gets more, and the
longer that goes on the longer it waits. A browser in which this name has signed in before does not
wait for what others do: it carries a mark that only this installation can make.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

from flask import Request, Response

from reception.security import limit
from reception.settings import settings

MINUTE = timedelta(minutes=1)
PER_ADDRESS = 100
"""In five minutes, over all names: a whole office may come through one address in the morning."""
PER_ADDRESS_AND_NAME = 8
PER_KNOWN_BROWSER = 40
PER_NAME = ((30, 5 * MINUTE), (90, 60 * MINUTE), (270, 720 * MINUTE))
"""(tries, within): strangers at one name, from wherever they come."""

COOKIE = "known"
COOKIE_AT = "/dang-nhap"
KNOWN_FOR = timedelta(days=180)
MOST_NAMES = 6
"""Officials who share a machine, the latest first."""


def count_attempt(request: Request, login: str) -> None:
    """Count a try at a password before it is checked. Raises TooManyAttempts."""
    name, address = login.strip().lower(), request.remote_addr or ""
    pair = f"{address} {name}"
    limit("log-in-here", pair, most=PER_ADDRESS_AND_NAME, within=5 * MINUTE)
    limit("log-in", address, most=PER_ADDRESS, within=5 * MINUTE)
    mark = _mark(name)
    if mark in _marks(request):
        limit("log-in-known", mark, most=PER_KNOWN_BROWSER, within=60 * MINUTE)
        return
    for most, within in PER_NAME:
        limit(f"log-in-name-{most}", name, most=most, within=within)


def remember_browser(request: Request, response: Response, login: str) -> None:
    """Mark the browser as one in which this name has signed in."""
    mark = _mark(login.strip().lower())
    marks = [mark, *(other for other in _marks(request) if other != mark)]
    response.set_cookie(
        COOKIE,
        ".".join(marks[:MOST_NAMES]),
        max_age=KNOWN_FOR,
        path=COOKIE_AT,
        secure=settings().cookie_secure,
        httponly=True,
        samesite="Strict",
    )


def _mark(name: str) -> str:
    key = settings().secret_key.encode()
    return hmac.new(key, f"known browser|{name}".encode(), hashlib.sha256).hexdigest()[:32]


def _marks(request: Request) -> list[str]:
    return [mark for mark in request.cookies.get(COOKIE, "").split(".") if mark]
