"""Reception sessions at each stage, as the pages of the area need them."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask.testing import FlaskClient

from tests.support.factories import Factories
from tests.support.meetings import (
    HEARD,
    Cast,
    end,
    let_in,
    make_ready,
    open_without_media,
    schedule,
    set_clock,
    wait_outside,
)
from tests.support.meetings import local as at


@pytest.fixture
def cast(factories: Factories) -> Cast:
    """Chair, clerk, two commune officers and a petition that waits."""
    return Cast.gather(factories)


@pytest.fixture
def scheduled_meeting(factories: Factories, cast: Cast) -> UUID:
    """On the calendar; no point has been told yet."""
    return schedule(factories, cast)


@pytest.fixture
def ready_meeting(cast: Cast, scheduled_meeting: UUID) -> UUID:
    """Through its three gates, an hour before it begins."""
    make_ready(scheduled_meeting, cast)
    set_clock(at(26, 7))
    return scheduled_meeting


@pytest.fixture
def open_meeting(client: FlaskClient, cast: Cast, ready_meeting: UUID) -> UUID:
    """Open; the citizen waits outside."""
    wait_outside(client, ready_meeting)
    open_without_media(ready_meeting, cast)
    return ready_meeting


@pytest.fixture
def ended_meeting(client: FlaskClient, cast: Cast, ready_meeting: UUID) -> UUID:
    """Ended by the chair, who let the citizen in and heard the visit; the minutes are drafted."""
    wait_outside(client, ready_meeting)
    open_without_media(ready_meeting, cast)
    with client.application.app_context():
        let_in(ready_meeting, cast)
        end(ready_meeting, cast, HEARD)
    set_clock(at(26, 10))
    return ready_meeting
