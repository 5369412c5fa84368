"""Commands of the application as processes of their own, as an operator runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from config import Settings

PROJECT = Path(__file__).resolve().parents[2]


def environment_of(settings: Settings, **changes: str) -> dict[str, str]:
    """The environment under which a process runs over the same data as a test."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    store = {
        "MINIO_ENDPOINT": settings.minio_endpoint,
        "MINIO_ACCESS_KEY": settings.minio_access_key,
        "MINIO_SECRET_KEY": settings.minio_secret_key,
        "MINIO_SECURE": str(int(settings.minio_secure)),
    }
    return {
        **kept,
        "FLASK_APP": "wsgi",
        "PYTHONPATH": str(PROJECT),
        "APP_PROFILE": settings.profile,
        "SECRET_KEY": settings.secret_key,
        "DATABASE_URL": settings.database_url,
        "OBJECT_STORE": settings.object_store,
        "DATA_DIR": str(settings.data_dir),
        "KEY_DIR": str(settings.key_dir),
        "SPOOL_DIR": str(settings.spool_dir),
        "JANUS_HTTP_URL": settings.janus_http_url,
        "JANUS_WS_URL": settings.janus_ws_url,
        "JANUS_TOKEN_SECRET": settings.janus_token_secret,
        "JANUS_ADMIN_KEY": settings.janus_admin_key,
        "JANUS_ADMIN_SECRET": settings.janus_admin_secret,
        "PUBLIC_URL": settings.public_url,
        "COOKIE_SECURE": "0",
        **(store if settings.object_store == "minio" else {}),
        **changes,
    }


def flask(
    environment: Mapping[str, str], *words: str, typed: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `flask WORDS` to its end; `typed` is its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "flask", *words],
        cwd=PROJECT,
        env=dict(environment),
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )


def started_flask(environment: Mapping[str, str], *words: str) -> subprocess.Popen[bytes]:
    """Start `flask WORDS`; the caller ends it."""
    return subprocess.Popen(
        [sys.executable, "-m", "flask", *words],
        cwd=PROJECT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
