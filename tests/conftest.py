"""Shared ground of the tests: one migrated template per worker, a copy of it per test.

Databases, store and keys are real. A test that asks for `both_backends` runs on SQLite with the
folder store and again on PostgreSQL with MinIO.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as properties
from sqlalchemy import create_engine
from werkzeug.test import TestResponse

from config import Settings, read_settings
from storage import migrations
from storage.database import engine_options, prepare_engine
from storage.keyring import create_root_key
from storage.reference import load_reference
from tests.support.factories import Factories
from tests.support.minio import RunningMinio, running_minio
from tools.postgres.server import RunningPostgres, running_postgres

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
TMPFS = "/dev/shm"  # noqa: S108  # each test has a folder of its own there
pytest_plugins = ("tests.support.recorded",)
# Clocks of hypothesis measure the machine, which other workers keep busy, not the strategies.
properties.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
properties.load_profile("busy")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-long", action="store_true", help="also what takes minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes minutes unless it was asked for."""
    if config.getoption("--run-long"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


def make_settings(root: Path, **changes: str) -> Settings:
    """Settings of a test: own folders below `root`, SQLite and the folder store unless changed."""
    keys = root / "keys"
    if not keys.exists():
        create_root_key(keys)
    spool = root / "spool"
    spool.mkdir(exist_ok=True, mode=0o700)
    return read_settings(
        {
            "APP_PROFILE": "test",
            "SECRET_KEY": "test-secret-key-of-the-web-cookies",
            "DATABASE_URL": f"sqlite:///{root}/tcd.db",
            "OBJECT_STORE": "folder",
            "DATA_DIR": str(root / "data"),
            "KEY_DIR": str(keys),
            "SPOOL_DIR": str(spool),
            "JANUS_HTTP_URL": "http://127.0.0.1:9/janus",
            "JANUS_WS_URL": "ws://127.0.0.1:9",
            "JANUS_TOKEN_SECRET": "t" * 32,
            "JANUS_ADMIN_KEY": "a" * 32,
            "JANUS_ADMIN_SECRET": "s" * 32,
            "PUBLIC_URL": "http://localhost",
            "COOKIE_SECURE": "0",
            **changes,
        }
    )


def fill(url: str) -> None:
    """Migrate and load the reference data."""
    engine = prepare_engine(create_engine(url, **engine_options(url)))
    migrations.upgrade(engine)
    load_reference(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file with the reference data."""
    path = tmp_path_factory.mktemp("template") / "tcd.db"
    fill(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[RunningPostgres]:
    """A real PostgreSQL with a migrated template database."""
    with running_postgres() as running:
        running.create("tcd_template")
        fill(running.url("tcd_template"))
        yield running


@pytest.fixture(scope="session")
def minio() -> Iterator[RunningMinio]:
    """A real MinIO, one for the whole worker."""
    with running_minio() as running:
        yield running


_names = iter(f"tcd_{number}" for number in range(1_000_000))


@pytest.fixture
def memory() -> Iterator[str]:
    """A folder on tmpfs, where plaintext of recordings and papers may lie."""
    with tempfile.TemporaryDirectory(prefix="tcd-test-", dir=TMPFS) as place:
        yield place


@pytest.fixture
def settings(tmp_path: Path, sqlite_template: Path, memory: str) -> Settings:
    """SQLite and the folder store, fresh for this test."""
    shutil.copy(sqlite_template, tmp_path / "tcd.db")
    return make_settings(tmp_path, SPOOL_DIR=memory)


@pytest.fixture(params=["sqlite-folder", "postgresql-minio"])
def both_backends(
    request: pytest.FixtureRequest, tmp_path: Path, memory: str
) -> Iterator[Settings]:
    """The two pairs of back ends, one after the other."""
    if request.param == "sqlite-folder":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "tcd.db")
        yield make_settings(tmp_path, SPOOL_DIR=memory)
        return
    server: RunningPostgres = request.getfixturevalue("postgres")
    store: RunningMinio = request.getfixturevalue("minio")
    name = next(_names)
    server.create(name, template="tcd_template")
    yield make_settings(tmp_path, SPOOL_DIR=memory, DATABASE_URL=server.url(name), **store.settings)
    server.drop(name)


class Browser(FlaskClient):
    """A client whose every request starts with nothing remembered, as on a real server.

    The fixtures below hold an application context open; without one of its own a request would
    find the `g` of the request before it, with that one's person.
    """

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        with self.application.app_context():
            return super().open(*args, **kwargs)


def _application(settings: Settings) -> Iterator[Flask]:
    from reception import create_app
    from storage.database import db

    app = create_app(settings)
    app.test_client_class = Browser
    with app.app_context():
        yield app
        db.engine.dispose()


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application on SQLite and the folder store."""
    yield from _application(settings)


@pytest.fixture
def app_on_both(both_backends: Settings) -> Iterator[Flask]:
    """The application on both pairs of back ends."""
    yield from _application(both_backends)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without scripts; forgery tokens are tested on their own."""
    app.config["WTF_CSRF_ENABLED"] = False
    return app.test_client()


@pytest.fixture
def factories(request: pytest.FixtureRequest) -> Factories:
    """Makes people, accounts and records over the running application."""
    request.getfixturevalue("app_on_both" if "app_on_both" in request.fixturenames else "app")
    return Factories()
