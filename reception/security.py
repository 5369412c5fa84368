"""Headers, nonce, token against forgery and limits: in one place for the whole application."""

from __future__ import annotations

import hashlib
import math
import secrets
from datetime import datetime, timedelta

from flask import Flask, Response, g, request
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from config import Settings
from storage.database import unit_of_work
from storage.models import RateBucket
from storage.models.base import utc_now
from workflows.errors import DomainError

csrf = CSRFProtect()


class TooManyAttempts(DomainError):
    """Somebody tried too often; nothing was lost."""

    def __init__(self, wait_s: int) -> None:
        minutes = max(1, round(wait_s / 60))
        super().__init__(
            f"Bạn đã thử quá nhiều lần. Nội dung đã nhập không mất, chờ {minutes} phút rồi thử lại."
        )
        self.wait_s = wait_s


def csp_nonce() -> str:
    """The nonce of this response's own scripts."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def _policy(settings: Settings) -> str:
    nonce = csp_nonce()
    media = settings.janus_ws_url.split("/", 3)
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            f"connect-src 'self' {'/'.join(media[:3])}",
            "media-src 'self' blob:",
            "manifest-src 'self'",
            "worker-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def _headers(response: Response, settings: Settings) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", _policy(settings))
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    devices = "(self)" if getattr(g, "uses_devices", False) else "()"
    headers["Permissions-Policy"] = (
        f"camera={devices}, microphone={devices}, geolocation=(), payment=(), usb=(), "
        f"display-capture={devices}"
    )
    if settings.cookie_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if request.endpoint != "static" and "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
    return response


def allow_devices() -> None:
    """Let this page ask for camera and microphone; every other page may not."""
    g.uses_devices = True


def init_security(app: Flask, settings: Settings) -> None:
    """Put headers and the check against forgery on every response and every change."""
    csrf.init_app(app)
    app.after_request(lambda response: _headers(response, settings))
    app.jinja_env.globals["csp_nonce"] = csp_nonce


def limit(what: str, key: str, *, most: int, within: timedelta) -> None:
    """Count an attempt at `what` by `key`. Raises TooManyAttempts past `most` within any such time.

    The key is hashed: no address or code rests in the table. Kept in SQL so that every process
    counts together; commits on its own so that a refused attempt is counted too.
    """
    digest = hashlib.sha256(f"{what}|{key}".encode()).hexdigest()[:40]
    now = utc_now()
    window_s = int(within.total_seconds())
    start = datetime.fromtimestamp(now.timestamp() // window_s * window_s, tz=now.tzinfo)
    earlier, current = _count(f"{what}:{digest}", start, within)
    elapsed_s = (now - start).total_seconds()
    wait_s = wait_seconds(min(earlier, most), current, most, elapsed_s, window_s)
    if wait_s:
        raise TooManyAttempts(wait_s)


def wait_seconds(earlier: int, current: int, most: int, elapsed_s: float, window_s: int) -> int:
    """How long until another attempt is free; 0 when this one was.

    A window slides: of the attempts of the window before, the share that still lies within
    `window_s` counts on. A border between two windows therefore gives nobody a second helping.
    """
    if earlier * (1 - elapsed_s / window_s) + current <= most:
        return 0
    if current >= most:  # this window's own attempts fade only in the next
        return math.ceil(window_s - elapsed_s + window_s / most)
    fades_at_s = window_s * (1 - (most - current - 1) / earlier)
    return max(1, math.ceil(fades_at_s - elapsed_s))


def _count(key: str, window_at: datetime, within: timedelta) -> tuple[int, int]:
    try:
        return _raise_count(key, window_at, within)
    except IntegrityError:  # two first attempts at once: the other one made the row
        return _raise_count(key, window_at, within)


def _raise_count(key: str, window_at: datetime, within: timedelta) -> tuple[int, int]:
    """Attempts of the window before and of this one, this attempt included."""
    with unit_of_work() as work:
        row = work.db_session.scalar(
            select(RateBucket)
            .where(RateBucket.key == key, RateBucket.window_at == window_at)
            .with_for_update()
        )
        if row is None:
            work.db_session.execute(
                delete(RateBucket).where(RateBucket.window_at < window_at - timedelta(days=2))
            )
            row = RateBucket(key=key, window_at=window_at, count=0)
            work.db_session.add(row)
        row.count += 1
        before = work.db_session.get(RateBucket, (key, window_at - within))
        counts = (before.count if before else 0, row.count)
    return counts
