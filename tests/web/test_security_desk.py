"""What a curious officer, or a visitor who knows spreadsheets, tries at the desk."""

from __future__ import annotations

from io import BytesIO
from uuid import UUID

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from reception.desk import operations, visit_book
from reception.desk.intake import Intake
from reception.petitions import inbox_operations
from reception.petitions.handling_steps import Finding
from storage.database import reading
from storage.identities import PersonData
from storage.models import AuditLeaf, Petition, Visit
from storage.models.base import utc_now
from tests.support.factories import COMMUNE, Factories, Officer
from workflows.access import Role
from workflows.kinds import PetitionKind

NAME, NUMBER, PHONE = "Ngô Thị Ánh", "075168000001", "0913000206"
MATTER = "Cán bộ ở quầy số 3 đòi thêm tiền"


@pytest.fixture
def officer(factories: Factories) -> Officer:
    return factories.officer(Role.COMMUNE_OFFICER, COMMUNE, "Phạm Văn Hậu")


@pytest.fixture
def desk(client: FlaskClient, factories: Factories, officer: Officer) -> FlaskClient:
    return factories.log_in(client, officer)


def _finish(factories: Factories, officer: Officer, key: str, **changes: object) -> UUID:
    values: dict[str, object] = {
        "key": key,
        "outcome": "petition",
        "kind": "unclassified",
        "visitor": PersonData(name=NAME, citizen_id=NUMBER, phone=PHONE, address="Khu phố 2"),
        "content": MATTER,
        "signed": True,
        **changes,
    }
    done = operations.finish(
        Intake(**values),  # type: ignore[arg-type]  # built by name
        unit_id=factories.unit_id(COMMUNE),
        by=officer.actor,
        today=utc_now().date(),
        now=utc_now(),
    )
    return done.visit_id


def _find_out(factories: Factories, officer: Officer, visit_id: UUID) -> None:
    """An officer finds that the letter is a denunciation."""
    with reading() as work:
        petition = work.get(Petition, work.get(Visit, visit_id).petition_id)
    inbox_operations.classify(
        petition.id,
        Finding(kind=PetitionKind.DENUNCIATION),
        inbox_operations.Seen(petition.version),
        by=officer.actor,
        on=utc_now().date(),
    )


def test_book_forgets_who_came_once_the_letter_is_a_denunciation(
    desk: FlaskClient, factories: Factories, officer: Officer
) -> None:
    visit_id = _finish(factories, officer, "k1")
    with reading() as work:
        code = work.get(Petition, work.get(Visit, visit_id).petition_id).code
    assert NAME in desk.get("/so-tiep-dan").get_data(as_text=True)
    _find_out(factories, officer, visit_id)
    for path in ("/so-tiep-dan", "/so-tiep-dan/in", f"/so-tiep-dan/{visit_id}/sua"):
        page = desk.get(path).get_data(as_text=True)
        for word in (NAME, NUMBER, MATTER, code):
            assert word not in page, f"{word} stands on {path}"
    with reading() as work:
        assert work.get(Visit, visit_id).person_id is None


def test_line_of_a_denunciation_names_no_earlier_decision(
    factories: Factories, officer: Officer
) -> None:
    visit_id = _finish(
        factories,
        officer,
        "k2",
        kind="denunciation",
        settled_by="UBND xã A",
        decision="15/QĐ-UBND",
    )
    with reading() as work:
        assert work.get(Visit, visit_id).settled_by == ""


def test_number_put_into_a_draft_finds_nobody_without_a_trace(
    desk: FlaskClient, factories: Factories, officer: Officer
) -> None:
    _finish(factories, officer, "k3", kind="complaint")
    _finish(
        factories,
        officer,
        "k4",
        kind="complaint",
        visitor=PersonData(name="Ngô Văn Bé", phone=PHONE, address="Khu phố 2"),
    )
    desk.post("/quay/nhap", data={"key": "typed-by-a-script", "find": PHONE})
    page = desk.get("/quay").get_data(as_text=True)
    with reading() as work:
        leaves = work.db_session.scalars(
            select(AuditLeaf.id).where(AuditLeaf.action == "visitor_looked_up")
        ).all()
    assert "Ngô Văn Bé" not in page or leaves, "people were shown and nobody wrote it down"


def test_looking_up_through_drafts_is_limited_like_the_search(
    desk: FlaskClient, factories: Factories, officer: Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reception.desk import intake_views

    monkeypatch.setattr(intake_views, "MOST_LOOK_UPS", 3)
    desk.post("/quay/nhap", data={"key": "typed-by-a-script", "find": PHONE})
    assert [desk.get("/quay").status_code for _ in range(4)] == [200, 200, 200, 429]


@pytest.mark.parametrize(
    "text", ["external:\\\\evil.example\\share\\x.xlsx", "https://evil.example/a", "=HYPERLINK(1)"]
)
def test_words_of_a_visitor_are_only_words_in_the_spreadsheet(
    factories: Factories, officer: Officer, text: str
) -> None:
    from reception.desk.places import own_places
    from workflows.access import Permission

    _finish(factories, officer, "k5", kind="complaint", content=f"{text}")
    place = own_places(officer.actor, Permission.BOOK_SEE)[0]
    today = utc_now().date()
    data = visit_book.export_book(place, first=today, last=today, by=officer.actor, at=utc_now())
    sheet = openpyxl.load_workbook(BytesIO(data)).active
    cell = sheet.cell(row=6, column=5)
    assert (cell.value, cell.hyperlink, cell.data_type) == (text, None, "s")
