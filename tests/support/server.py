"""An application served over HTTP inside the test process, for browser tests of single pages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from reception.accounts.operations import open_login
from tests.support.factories import Officer


class _KeepAlive(WSGIRequestHandler):
    """Connections stay open, as behind the production server; nothing is logged."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        return


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The address of the running application; it ends with the block."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_KeepAlive)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def log_in_cookie(app: Flask, officer: Officer, base_url: str) -> dict[str, str]:
    """A cookie for a browser that is logged in as this officer."""
    token = open_login(officer.account_id, user_agent="test", lasts=timedelta(hours=8))
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]  # the default interface has it
    value = signer.dumps({"_user_id": token, "_fresh": True})
    return {"name": "tcd", "value": value, "url": base_url}
