"""The public layer: off until the chair switches it on, and nothing small can be worked out."""

from __future__ import annotations

import csv
import io
import random
import re
from datetime import date
from itertools import product
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from reception.datamap import operations, publication
from storage.database import reading, unit_of_work
from storage.models import AuditLeaf, ReportSnapshot, Setting, Unit
from tests.support.factories import COMMUNE, OTHER_COMMUNE, PROVINCE, Factories
from tests.support.mapfacts import put_case, put_facts
from workflows.access import Role
from workflows.errors import BadInput, NotAllowed

TODAY = date(2026, 11, 23)
QUARTER = "2026-Q3"
IN_QUARTER = date(2026, 8, 12)
REASON = "Quyết định số 12/QĐ-UBND ngày 20/11/2026"
PUBLIC = "/ban-do-cong-khai"


@pytest.fixture(autouse=True)
def november(monkeypatch: pytest.MonkeyPatch, app: Flask) -> None:
    """The legal day is 23/11/2026; one quarter is published, for hiding takes a second each."""
    monkeypatch.setattr(publication, "QUARTERS", 1)
    for place in ("views", "public_views"):
        monkeypatch.setattr(f"reception.datamap.{place}.legal_today", lambda: TODAY)


def _switch(factories: Factories, *, on: bool) -> None:
    chair = factories.officer(Role.PROVINCIAL_CHAIR)
    publication.set_switch(
        on=on, reason=REASON, by=chair.actor, known=operations.choices(), today=TODAY
    )


def _rows(client: FlaskClient, **words: str) -> dict[str, str]:
    answer = client.get(f"{PUBLIC}/so-lieu.csv", query_string=words)
    assert answer.status_code == 200
    rows = csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff")))
    return {row[0]: row[2] for row in rows if row[0].isdigit()}


def _communes() -> list[str]:
    with reading() as work:
        return list(
            work.db_session.scalars(
                select(Unit.code).where(Unit.kind == "commune").order_by(Unit.code)
            )
        )


@pytest.mark.parametrize("page", [PUBLIC, f"{PUBLIC}/so-lieu.csv"])
def test_public_map_does_not_exist_until_it_is_switched_on(client: FlaskClient, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code == 404
    assert "chưa mở" in answer.get_data(as_text=True)


def test_it_is_on_while_the_switch_is_on_and_off_again_at_once(
    client: FlaskClient, factories: Factories
) -> None:
    put_facts((COMMUNE, IN_QUARTER, "land", "complaint", 12))
    _switch(factories, on=True)
    page = client.get(PUBLIC).get_data(as_text=True)
    assert "không phải địa giới hành chính" in page
    assert len(re.findall(r'<th scope="row">', page)) == 95
    _switch(factories, on=False)
    assert client.get(PUBLIC).status_code == 404
    assert client.get(f"{PUBLIC}/so-lieu.csv").status_code == 404


@pytest.mark.parametrize(
    ("role", "unit"),
    [
        (Role.PROVINCIAL_OFFICE, PROVINCE),
        (Role.BOARD_HEAD, PROVINCE),
        (Role.PROVINCIAL_INSPECTOR, PROVINCE),
        (Role.COMMUNE_CHAIR, COMMUNE),
        (Role.ADMINISTRATOR, PROVINCE),
    ],
)
def test_nobody_but_the_chair_of_the_province_switches(
    client: FlaskClient, factories: Factories, role: Role, unit: str
) -> None:
    officer = factories.officer(role, unit)
    factories.log_in(client, officer)
    for answer in (
        client.get("/ban-do/cong-khai"),
        client.get("/ban-do/cong-khai/xem-truoc"),
        client.post("/ban-do/cong-khai", data={"on": "1", "reason": REASON}),
    ):
        assert answer.status_code == 403
    with pytest.raises(NotAllowed):
        publication.set_switch(
            on=True, reason=REASON, by=officer.actor, known=operations.choices(), today=TODAY
        )
    assert client.get(PUBLIC).status_code == 404


def test_chair_of_another_province_does_not_switch(app: Flask, factories: Factories) -> None:
    """The permission reaches the own tree only: the chair's post at a commune carries nothing."""
    elsewhere = factories.officer(Role.PROVINCIAL_CHAIR, COMMUNE)
    with pytest.raises(NotAllowed):
        publication.set_switch(
            on=True, reason=REASON, by=elsewhere.actor, known=operations.choices(), today=TODAY
        )


def test_switching_needs_a_reason_and_keeps_it_in_the_audit_log(
    client: FlaskClient, factories: Factories
) -> None:
    chair = factories.officer(Role.PROVINCIAL_CHAIR)
    factories.log_in(client, chair)
    answer = client.post("/ban-do/cong-khai", data={"on": "1", "reason": "ngắn"})
    assert answer.status_code == 422
    assert "ngắn" in answer.get_data(as_text=True)
    assert client.get(PUBLIC).status_code == 404
    answer = client.post("/ban-do/cong-khai", data={"on": "1", "reason": REASON})
    assert answer.status_code == 303
    with reading() as work:
        setting = work.db_session.get(Setting, "public_map")
        leaf = work.db_session.scalars(
            select(AuditLeaf).where(AuditLeaf.action == "public_map_opened")
        ).one()
    assert setting is not None
    assert setting.value["on"] is True
    assert setting.changed_by == chair.account_id
    assert REASON in leaf.body
    assert leaf.actor_id == chair.account_id


def test_operation_itself_refuses_an_empty_reason(app: Flask, factories: Factories) -> None:
    chair = factories.officer(Role.PROVINCIAL_CHAIR)
    with pytest.raises(BadInput):
        publication.set_switch(
            on=True, reason="  ", by=chair.actor, known=operations.choices(), today=TODAY
        )


def test_denunciations_change_no_letter_of_the_public_page(
    client: FlaskClient, factories: Factories
) -> None:
    """The same page whether or not there are denunciations, mixed and unread letters."""
    put_facts((COMMUNE, IN_QUARTER, "land", "complaint", 12))
    known = operations.choices()
    chair = factories.officer(Role.PROVINCIAL_CHAIR).actor
    before = publication.preview(
        quarter=QUARTER, field="", shape="", by=chair, known=known, today=TODAY
    )
    put_facts(
        *(
            (code, IN_QUARTER, "corruption", kind, 50)
            for code, kind in product(
                (COMMUNE, OTHER_COMMUNE), ("denunciation", "mixed", "unclassified")
            )
        )
    )
    after = publication.preview(
        quarter=QUARTER, field="", shape="", by=chair, known=known, today=TODAY
    )
    assert before == after


def test_a_published_quarter_stays_as_it_was(client: FlaskClient, factories: Factories) -> None:
    """Two states of one table could be subtracted: a late case is not shown."""
    codes = _communes()
    put_facts(*((code, IN_QUARTER, "land", "complaint", 10) for code in codes))
    _switch(factories, on=True)
    first = client.get(PUBLIC).data
    put_facts((COMMUNE, date(2026, 9, 1), "land", "complaint", 1))
    publication.publish_closed_quarters(known=operations.choices(), today=TODAY)
    _switch(factories, on=False)
    _switch(factories, on=True)
    assert _rows(client, ky=QUARTER)[COMMUNE] == "10"
    assert _strip(client.get(PUBLIC).data) == _strip(first)
    with reading() as work:
        kept = work.db_session.scalars(
            select(ReportSnapshot.period).where(ReportSnapshot.form == "public-map")
        ).all()
    assert sorted(kept) == sorted(set(kept))


def _strip(page: bytes) -> str:
    """The page without what differs in every answer."""
    return re.sub(r'(nonce|content|value)="[^"]*"', "", page.decode())


def test_quarter_that_is_not_over_is_never_shown(client: FlaskClient, factories: Factories) -> None:
    put_facts((COMMUNE, date(2026, 11, 2), "land", "complaint", 7317))
    _switch(factories, on=True)
    page = client.get(f"{PUBLIC}?ky=2026-Q4").get_data(as_text=True)
    assert "7317" not in page
    assert "7.317" not in page
    assert "2026-Q4" not in page


def test_quarter_that_closes_while_the_map_is_on_is_published_by_the_upkeep(
    client: FlaskClient, factories: Factories
) -> None:
    _switch(factories, on=True)
    put_facts(*((code, date(2026, 11, 2), "land", "complaint", 8) for code in _communes()))
    later = date(2027, 1, 4)
    assert publication.publish_closed_quarters(known=operations.choices(), today=later) == [
        "2026-Q4"
    ]
    assert publication.publish_closed_quarters(known=operations.choices(), today=later) == []
    assert _rows(client, ky="2026-Q4")[COMMUNE] == "8"


def test_nothing_is_published_while_the_map_is_off(app: Flask) -> None:
    assert publication.publish_closed_quarters(known=operations.choices(), today=TODAY) == []


FINER = (
    {"ky": "2026-08"},
    {"ky": "2026"},
    {"ky": "2026-07..2026-08"},
    {"linh-vuc": "land-price"},
    {"loai": "khieu-nai"},
    {"loai": "to-cao"},
    {"don-vi": OTHER_COMMUNE},
    {"xem": "so-vu", "tu": "2026-08", "den": "2026-08"},
)


def test_no_finer_question_gets_another_answer(client: FlaskClient, factories: Factories) -> None:
    """Months, years, fine fields, kinds: the answer is the fixed table of a whole quarter."""
    put_facts(
        *((code, IN_QUARTER, "land-price", "complaint", 6) for code in _communes()),
        (COMMUNE, date(2026, 7, 3), "land", "feedback", 4),
    )
    _switch(factories, on=True)
    plain = _rows(client)
    assert plain[COMMUNE] == "10"
    for words in FINER:
        assert _rows(client, **words) == plain, words


def test_no_small_number_can_be_worked_out_of_all_that_is_published(
    client: FlaskClient, factories: Factories
) -> None:
    """An attacker takes every table of the quarter, all fields and totals, and solves it."""
    chance = random.Random(11)
    codes = _communes()
    fields = ("land", "policy", "tax", "health")
    counts = {
        (code, field): chance.choice((0, 0, 1, 2, 3, 5, 8, 13))
        for code in codes
        for field in fields
    }
    put_facts(
        *((code, IN_QUARTER, field, "complaint", n) for (code, field), n in counts.items() if n)
    )
    _switch(factories, on=True)
    roots = operations.choices().roots
    shown: dict[tuple[str, str], int | None] = {}
    for field in ("", *roots):
        for code, text in _rows(client, **{"linh-vuc": field}).items():
            shown[code, field] = None if text == "không nêu" else int(text)
    shown |= {("", field): _total(client, field) for field in ("", *roots)}
    truth = {
        (code, field): sum(
            counts.get((c, f), 0)
            for c in ([code] if code else codes)
            for f in ([field] if field else fields)
        )
        for code in ("", *codes)
        for field in ("", *roots)
    }
    assert all(number in (None, truth[key]) for key, number in shown.items())
    assert all(shown[key] is None for key, number in truth.items() if number < 3)
    solved = _solved(shown, ["", *codes], ["", *roots])
    leaked = {key for key in solved if shown[key] is None and truth[key] < 3}
    assert leaked == set()


def _total(client: FlaskClient, field: str) -> int | None:
    page = client.get(PUBLIC, query_string={"linh-vuc": field}).get_data(as_text=True)
    found = re.search(r'<p class="ch">([^<]*)</p>', page)
    assert found is not None
    digits = found.group(1).split(" ")[0].replace(".", "")
    return int(digits) if digits.isdigit() else None


def _solved(
    shown: dict[tuple[str, str], int | None], rows: list[str], columns: list[str]
) -> dict[tuple[str, str], int]:
    """Bounds pulled tight along every row and column until nothing moves; what becomes certain."""
    low = {key: number or 0 for key, number in shown.items()}
    high = {key: 10_000 if number is None else number for key, number in shown.items()}
    lines = [[(r, c) for c in columns] for r in rows] + [[(r, c) for r in rows] for c in columns]
    moved = True
    while moved:
        moved = False
        for total, *parts in lines:
            # total = sum of parts: each is bounded by what the others leave.
            bounds = [(total, sum(low[k] for k in parts), sum(high[k] for k in parts))]
            for key in parts:
                rest = [k for k in parts if k != key]
                bounds.append(
                    (
                        key,
                        low[total] - sum(high[k] for k in rest),
                        high[total] - sum(low[k] for k in rest),
                    )
                )
            for key, least, most in bounds:
                if least > low[key]:
                    low[key], moved = least, True
                if most < high[key]:
                    high[key], moved = most, True
    return {key: low[key] for key in shown if low[key] == high[key]}


def test_public_page_holds_no_name_no_case_and_no_hidden_number(
    client: FlaskClient, factories: Factories
) -> None:
    case = put_case(COMMUNE, IN_QUARTER)
    put_case(OTHER_COMMUNE, IN_QUARTER)
    _switch(factories, on=True)
    page = client.get(f"{PUBLIC}?don-vi={COMMUNE}").get_data(as_text=True)
    assert case.code not in page
    assert case.title not in page
    assert "/ban-do/danh-sach" not in page
    cell = re.search(
        rf'<a class="cell (\w+)[^>]*data-code="{COMMUNE}"[^>]*aria-label="([^"]+)"', page
    )
    assert cell is not None
    assert cell.group(1) == "sup"
    assert "không nêu số" in cell.group(2)


def test_public_page_opens_no_internal_page(client: FlaskClient, factories: Factories) -> None:
    _switch(factories, on=True)
    for path in ("/ban-do/du-lieu", "/ban-do/so-lieu.csv", "/ban-do/cong-khai/xem-truoc"):
        assert client.get(path).status_code in (302, 403)


def test_preview_keeps_nothing_and_opens_nothing(client: FlaskClient, factories: Factories) -> None:
    put_facts((COMMUNE, IN_QUARTER, "land", "complaint", 12))
    factories.log_in(client, factories.officer(Role.PROVINCIAL_CHAIR))
    page = client.get("/ban-do/cong-khai/xem-truoc").get_data(as_text=True)
    assert "Xem trước" in page
    with reading() as work:
        assert work.db_session.query(ReportSnapshot).count() == 0
    assert client.get(PUBLIC).status_code == 404


def test_preview_is_the_page_that_will_be_published(
    client: FlaskClient, factories: Factories
) -> None:
    put_facts(*((code, IN_QUARTER, "land", "complaint", 7) for code in _communes()))
    known = operations.choices()
    chair = factories.officer(Role.PROVINCIAL_CHAIR).actor
    asked: dict[str, Any] = {"quarter": QUARTER, "field": "", "shape": "", "known": known}
    shown = publication.preview(**asked, by=chair, today=TODAY)
    _switch(factories, on=True)
    assert publication.public_picture(**asked, today=TODAY).layer == shown.layer


def test_kept_table_written_by_hand_with_a_denunciation_is_not_possible(app: Flask) -> None:
    """The one place that makes tables refuses other kinds, whatever the query returned."""
    from workflows.datamap.layer import CountRow, public_table
    from workflows.datamap.periods import quarter
    from workflows.datamap.suppression import NotForPublic
    from workflows.kinds import PetitionKind

    rows = [CountRow(COMMUNE, "land", PetitionKind.DENUNCIATION, 5)]
    with pytest.raises(NotForPublic):
        public_table(rows, units=[COMMUNE], period=quarter(2026, 3))


def test_switch_survives_an_empty_database_of_facts(
    client: FlaskClient, factories: Factories
) -> None:
    _switch(factories, on=True)
    page = client.get(PUBLIC).get_data(as_text=True)
    assert "mọi con số đều quá nhỏ" in page
    with unit_of_work() as work:
        assert work.db_session.query(ReportSnapshot).count() == publication.QUARTERS
