"""Fixtures around a recording that is really sealed: made once per worker, copied per test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.factories import Factories
from tests.support.recordings import Plan, SealedRecording, Template, make_template

TWO_SEGMENTS = Plan(
    stretches=(((0, 0.0, 6.0), (1, 0.5, 2.0), (1, 4.0, 2.0)), ((0, 0.0, 4.0), (1, 0.2, 3.6))),
    secrecy=("normal", "restricted"),
    markers=((1.0, "statement", "Ông Minh trình bày"), (9.0, "statement", "Lời trong phòng kín")),
)


def _copied(template: Template, folder: Path) -> Iterator[Flask]:
    from reception import create_app
    from storage.database import db
    from tests.conftest import make_settings

    shutil.copytree(template.folder, folder, dirs_exist_ok=True)
    app = create_app(make_settings(folder))
    app.config["WTF_CSRF_ENABLED"] = False
    yield app  # no context stays pushed: each request of a test is a person of its own
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def plain_template(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Template:
    """Two people, one segment, nothing secret."""
    return make_template(tmp_path_factory.mktemp("recorded") / "plain", sqlite_template)


@pytest.fixture(scope="session")
def closed_template(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Template:
    """Two segments, the second in a closed room; one person drops and returns."""
    folder = tmp_path_factory.mktemp("recorded") / "closed"
    return make_template(folder, sqlite_template, TWO_SEGMENTS)


@pytest.fixture
def recorded_app(tmp_path: Path, plain_template: Template) -> Iterator[Flask]:
    """The application over a sealed recording."""
    yield from _copied(plain_template, tmp_path / "recorded")


@pytest.fixture
def closed_app(tmp_path: Path, closed_template: Template) -> Iterator[Flask]:
    """The application over a recording with a part in a closed room."""
    yield from _copied(closed_template, tmp_path / "recorded")


@pytest.fixture
def recorded(recorded_app: Flask, plain_template: Template) -> SealedRecording:
    """The recording of `recorded_app`."""
    return plain_template.recording


@pytest.fixture
def closed_recording(closed_app: Flask, closed_template: Template) -> SealedRecording:
    """The recording of `closed_app`."""
    return closed_template.recording


@pytest.fixture
def viewer(recorded_app: Flask) -> FlaskClient:
    """A browser at `recorded_app`."""
    return recorded_app.test_client()


@pytest.fixture
def people() -> Factories:
    """Officers over whichever application the test asked for first."""
    return Factories()
