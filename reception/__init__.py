"""People and web: the application factory and one folder per area."""

from __future__ import annotations

import importlib
import mimetypes
from io import BytesIO
from typing import IO

from flask import Flask, Request, Response, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound
from werkzeug.middleware.proxy_fix import ProxyFix

from config import PROJECT, Settings, read_settings

AREAS = (
    "accounts",
    "desk",
    "recordings",
    "petitions",
    "sessions",
    "cases",
    "datamap",
    "administration",
    "notices",
    "procedures",
)


class PrivateRequest(Request):
    """Keeps uploaded files in memory: nothing a citizen sends touches a disk in the clear."""

    max_form_parts = 200

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return BytesIO()


class Application(Flask):
    """Flask that answers built files packed; pages stay unpacked, because they carry secrets."""

    def send_static_file(self, filename: str) -> Response:
        """The built file, packed where the browser takes it."""
        if "gzip" not in request.accept_encodings:
            return super().send_static_file(filename)
        try:
            response = super().send_static_file(f"{filename}.gz")
        except NotFound:
            return super().send_static_file(filename)
        kind, _ = mimetypes.guess_type(filename)
        response.headers["Content-Type"] = kind or "application/octet-stream"
        response.headers["Content-Encoding"] = "gzip"
        response.vary.add("Accept-Encoding")
        return response


def create_app(settings: Settings | None = None) -> Flask:
    """The application. Migrating and seeding are commands, never done here.

    Raises SettingsError, or RootKeyMissing when no usable key is there: it refuses to start.
    """
    from reception.accounts.login import init_login
    from reception.cli import init_cli
    from reception.compression import init_compression
    from reception.errors import init_errors
    from reception.security import init_security
    from reception.services import init_services
    from reception.templating import init_templating

    settings = settings or read_settings()
    app = Application(
        __name__,
        template_folder=str(PROJECT / "templates"),
        static_folder=str(PROJECT / "static" / "dist"),
        static_url_path="/static",
    )
    app.request_class = PrivateRequest
    app.config.update(
        SECRET_KEY=settings.secret_key,
        TESTING=settings.profile == "test",
        MAX_CONTENT_LENGTH=settings.upload_limit_bytes + 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        SESSION_COOKIE_NAME="tcd",
        SESSION_COOKIE_SECURE=settings.cookie_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=12 * 3600,
        WTF_CSRF_SSL_STRICT=settings.cookie_secure,
    )
    if settings.profile == "production":
        # nginx on the same machine is the only one that can reach us; it tells whom it speaks for.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]  # documented use
    app.extensions["settings"] = settings
    init_compression(app)  # first, so that its hook runs last
    init_services(app, settings)
    init_security(app, settings)
    init_login(app)
    init_errors(app)
    init_templating(app, settings)
    for area in AREAS:
        app.register_blueprint(importlib.import_module(f"reception.{area}.views").bp)
    if settings.is_demo:
        app.register_blueprint(importlib.import_module("reception.demo.views").bp)
    init_cli(app)
    _add_language_switch(app)
    return app


def _add_language_switch(app: Flask) -> None:
    from reception.access import public
    from reception.accounts.forms import safe_next
    from reception.templating import LANGUAGES

    @app.get("/ngon-ngu/<lang>")
    @public
    def set_language(lang: str) -> ResponseReturnValue:
        """Choose the language of the pages; kept in a cookie of this browser."""
        response = redirect(safe_next(request.args.get("next")) or "/")
        if lang in LANGUAGES:
            response.set_cookie("lang", lang, max_age=31536000, samesite="Lax", httponly=True)
        return response


__all__ = ["AREAS", "create_app"]
