"""Every endpoint names the permission it asks for; a new one must be listed here on purpose.

Access to records is tested per area; here stands the door of every page, for every role.
"""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from reception.cases.steps import open_case
from storage.database import unit_of_work
from storage.models import Participant, Petition, Recording
from tests.support.factories import OTHER_COMMUNE, PROVINCE, Factories
from tests.support.meetings import Cast
from workflows.access import Permission, Role, holds

TABLE = Path(__file__).with_name("routes.txt")
SAMPLES = {"uuid": UUID(int=7), "int": 7, "default": "x", "path": "x", "string": "x"}


def _rules(app: Flask) -> list[tuple[str, str, str]]:
    """(methods, rule, permission) of every endpoint except the static files."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        view = app.view_functions[rule.endpoint]
        assert hasattr(view, "permission"), f"{rule.endpoint} carries neither @needs nor @public"
        asked = view.permission
        methods = ",".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        found.append((methods, rule.rule, asked.value if asked else "public"))
    return sorted(found, key=lambda row: (row[1], row[0]))


def test_every_endpoint_is_listed_with_its_permission(app: Flask) -> None:
    listed = [
        tuple(line.split("\t"))
        for line in TABLE.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert [(m, r, p) for m, r, p in _rules(app)] == listed, (
        "routes changed: check the permission of each and renew tests/web/routes.txt"
    )


def _sample_url(rule: str) -> str:
    def fill(match: re.Match[str]) -> str:
        converter, _, _ = match.group(1).partition(":")
        kind = converter if ":" in match.group(1) else "default"
        return str(SAMPLES.get(kind.split("(")[0], "x"))

    return re.sub(r"<([^>]+)>", fill, rule)


def _hidden(app: Flask) -> set[str]:
    """Rules whose record reads as not there to whoever lacks the permission."""
    return {
        rule.rule
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "hidden", False)
    }


def test_pages_of_one_recording_are_hidden_from_whoever_has_no_key(app: Flask) -> None:
    own = {rule for _, rule, _ in _rules(app) if rule.startswith("/ban-ghi/")}
    assert own
    assert own <= _hidden(app)


STAFF = [role for role in Role if role is not Role.CITIZEN]


@pytest.mark.parametrize("role", STAFF, ids=lambda role: role.value)
def test_role_gets_through_no_door_it_has_no_key_for(
    app: Flask, factories: Factories, role: Role
) -> None:
    """Own and foreign unit alike: 403, or 404 where nobody outside is to know of the record."""
    app.config["WTF_CSRF_ENABLED"] = False
    hidden = _hidden(app)
    for unit in (PROVINCE, OTHER_COMMUNE):
        officer = factories.officer(role, unit)
        client = factories.log_in(app.test_client(), officer)
        for methods, rule, permission in _rules(app):
            if permission == "public" or holds(officer.actor, Permission(permission)):
                continue
            for method in methods.split(","):
                answer = client.open(_sample_url(rule), method=method)
                wanted = 404 if rule in hidden else 403
                assert answer.status_code == wanted, (method, rule, answer.status_code)


OPEN_TO_VISITORS: frozenset[tuple[str, str]] = frozenset()
"""Pages that ask for a permission and still answer somebody who has not logged in."""


def _turned_away(answer: TestResponse) -> bool:
    """Sent to the log-in and nowhere else, refused, or told that there is nothing."""
    if answer.status_code in (302, 303):
        return answer.headers["Location"].partition("?")[0] == "/dang-nhap"
    return answer.status_code in (403, 404)


def _let_in(app: Flask, ids: dict[str, UUID]) -> set[tuple[str, str]]:
    """(method, rule) of the guarded pages that answer a visitor; `ids` are of real records."""
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    return {
        (method, rule)
        for methods, rule, permission in _rules(app)
        if permission != "public"
        for method in methods.split(",")
        if not _turned_away(client.open(_real_url(rule, ids), method=method))
    }


def _real_url(rule: str, ids: dict[str, UUID]) -> str:
    for name, key in ids.items():
        rule = rule.replace(f"<uuid:{name}>", str(key))
    return _sample_url(rule)


def test_visitor_gets_no_page_that_asks_for_a_permission(app: Flask) -> None:
    """Also where a citizen may come: whoever has not logged in is nobody's citizen yet."""
    assert _let_in(app, {}) == OPEN_TO_VISITORS


def test_visitor_gets_no_record_that_really_exists(
    app: Flask, cast: Cast, ended_meeting: UUID
) -> None:
    with unit_of_work() as work:
        petition = work.get(Petition, cast.petition_id)
        case = open_case(work, petition, on=petition.received_on, by=None)
        recording = work.db_session.scalars(select(Recording.id)).one()
        people = select(Participant.id).where(Participant.reception_session_id == ended_meeting)
        ids = {
            "petition_id": petition.id,
            "case_id": case.id,
            "meeting_id": ended_meeting,
            "recording_id": recording,
            "participant_id": work.db_session.scalars(people).first() or UUID(int=7),
        }
    assert _let_in(app, ids) == OPEN_TO_VISITORS


@pytest.mark.parametrize("role", STAFF, ids=lambda role: role.value)
def test_records_that_do_not_exist_are_not_found_for_everybody(
    app: Flask, factories: Factories, role: Role
) -> None:
    """A made-up id answers 404 whoever asks: a foreign record must read exactly the same."""
    app.config["WTF_CSRF_ENABLED"] = False
    officer = factories.officer(role, OTHER_COMMUNE)
    client = factories.log_in(app.test_client(), officer)
    for methods, rule, permission in _rules(app):
        if permission == "public" or "<uuid" not in rule or "GET" not in methods:
            continue
        if not holds(officer.actor, Permission(permission)):
            continue
        answer = client.get(_sample_url(rule))
        assert answer.status_code in (404, 403), (rule, answer.status_code)
