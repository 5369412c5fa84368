"""Papers beside the faces: each sees the own, the desk shows a page, secret ones stay closed."""

from __future__ import annotations

from io import BytesIO
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from PIL import Image
from weasyprint import HTML

from reception.petitions import inbox_operations
from reception.petitions.handling_steps import Finding
from reception.petitions.uploads import add_attachment, check_file, seal_file
from reception.sessions import conduct_operations, paper_operations
from reception.sessions.schedule_operations import PlannedVisit
from storage.database import reading, unit_of_work
from storage.identities import PersonData
from storage.models import AuditLeaf, Petition
from tests.support.factories import Factories
from tests.support.meetings import (
    Cast,
    make_ready,
    open_without_media,
    participant,
    petition,
    schedule,
    set_clock,
    sitting,
    token_of,
    wait_outside,
)
from tests.support.meetings import local as at
from workflows.kinds import PetitionKind


def attach(petition_id: UUID, name: str = "quyet-dinh.pdf", pages: int = 2) -> UUID:
    """A PDF of some pages with a petition."""
    body: bytes = HTML(string="<p style='page-break-after: always'>Điều 2</p>" * pages).write_pdf()
    file = check_file(BytesIO(body), name, limit=10_000_000)
    sealed = seal_file(file)
    with unit_of_work() as work:
        return add_attachment(work, sealed, file, part="evidence", petition_id=petition_id).id


@pytest.fixture
def second_id(factories: Factories, cast: Cast) -> UUID:
    """A petition of somebody else on the same agenda."""
    return petition(
        factories,
        content="Đề nghị sửa đường vào xóm.",
        submitter=PersonData(name="Lê Văn Đức", address="Tổ 4", citizen_id="075061000002"),
    )


@pytest.fixture
def meeting_id(client: FlaskClient, factories: Factories, cast: Cast, second_id: UUID) -> UUID:
    """An open session over both petitions; the first sender is inside."""
    made = schedule(
        factories, cast, visits=(PlannedVisit(cast.petition_id), PlannedVisit(second_id))
    )
    make_ready(made, cast)
    set_clock(at(26, 7))
    wait_outside(client, made)
    open_without_media(made, cast)
    person = participant(made, "citizen")
    conduct_operations.admit(made, person.id, papers_seen=True, by=cast.clerk.actor)
    return made


def names(client: FlaskClient, meeting_id: UUID, token: str = "") -> list[str]:
    answer = client.get(f"/phien/{meeting_id}/ho-so", headers=_with(token))
    assert answer.status_code == 200
    return [paper["name"] for paper in answer.get_json()["papers"]]


def page(client: FlaskClient, meeting_id: UUID, paper: UUID, number: int, token: str = "") -> int:
    url = f"/phien/{meeting_id}/ho-so/{paper}/{number}.jpg"
    return client.get(url, headers=_with(token)).status_code


def _with(token: str) -> dict[str, str]:
    return {"X-Join-Token": token} if token else {}


def test_desk_sees_every_paper_of_the_agenda_and_a_sender_the_own(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID, second_id: UUID
) -> None:
    attach(cast.petition_id, "cua-toi.pdf")
    attach(second_id, "cua-nguoi-khac.pdf")
    assert names(client, meeting_id, token_of(meeting_id)) == ["cua-toi.pdf"]
    chair = factories.log_in(client, cast.chair)
    assert names(chair, meeting_id) == ["cua-toi.pdf", "cua-nguoi-khac.pdf"]


def test_page_is_a_picture_once_the_paper_was_opened(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    paper = attach(cast.petition_id)
    chair = factories.log_in(client, cast.chair)
    assert page(chair, meeting_id, paper, 1) == 404
    opened = chair.post(f"/phien/{meeting_id}/ho-so/{paper}/mo")
    assert opened.get_json() == {"pages": 2}
    answer = chair.get(f"/phien/{meeting_id}/ho-so/{paper}/2.jpg")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Cache-Control"] == "no-store"
    assert Image.open(BytesIO(answer.data)).height > 1000
    assert page(chair, meeting_id, paper, 9) == 404
    chair.post(f"/phien/{meeting_id}/ho-so/{paper}/mo")
    with reading() as work:
        leaves = work.db_session.query(AuditLeaf).filter(AuditLeaf.action == "attachment_opened")
        assert leaves.count() == 1


def test_slow_papers_leave_the_other_pages_their_threads(
    client: FlaskClient,
    factories: Factories,
    cast: Cast,
    meeting_id: UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two are drawn at a time; a third is told to come again instead of waiting for ever."""
    monkeypatch.setattr(paper_operations, "WAIT_S", 0.05)
    paper = attach(cast.petition_id)
    chair = factories.log_in(client, cast.chair)
    chair.post(f"/phien/{meeting_id}/ho-so/{paper}/mo")
    with paper_operations._drawing, paper_operations._drawing:
        assert page(chair, meeting_id, paper, 1) == 503
    assert page(chair, meeting_id, paper, 1) == 200


def test_paper_of_somebody_else_is_closed_until_its_page_is_shown(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID, second_id: UUID
) -> None:
    paper, token = attach(second_id), token_of(meeting_id)
    opening = f"/phien/{meeting_id}/ho-so/{paper}/mo"
    assert client.post(opening, headers=_with(token)).status_code == 404
    chair = factories.log_in(client, cast.chair)
    show = f"/phien/{meeting_id}/ho-so/{paper}/cho-xem"
    assert chair.post(show, json={"page": 2}).status_code == 200
    state = client.get(f"/phien/{meeting_id}/tinh-trang", headers=_with(token)).get_json()
    assert state["shown"] == {
        "id": str(paper),
        "page": 2,
        "pages": 2,
        "name": "quyet-dinh.pdf",
    }
    assert page(client, meeting_id, paper, 2, token) == 200
    assert page(client, meeting_id, paper, 1, token) == 404
    chair.post(f"/phien/{meeting_id}/ho-so/thoi-xem")
    assert page(client, meeting_id, paper, 2, token) == 404


def test_whoever_waits_outside_sees_nothing_of_what_is_shown(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    paper = attach(cast.petition_id)
    chair = factories.log_in(client, cast.chair)
    chair.post(f"/phien/{meeting_id}/ho-so/{paper}/cho-xem", json={"page": 1})
    waiting = token_of(meeting_id, "citizen")
    person = participant(meeting_id, "citizen")
    chair.post(f"/phien/{meeting_id}/nguoi/{person.id}/moi-ra")
    assert page(client, meeting_id, paper, 1, waiting) == 404
    state = client.get(f"/phien/{meeting_id}/tinh-trang", headers=_with(waiting)).get_json()
    assert state["shown"] is None


def test_showing_is_noted_once_in_the_minutes(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    paper = attach(cast.petition_id)
    chair = factories.log_in(client, cast.chair)
    for number in (1, 2, 1):
        chair.post(f"/phien/{meeting_id}/ho-so/{paper}/cho-xem", json={"page": number})
    feed = chair.get(f"/phien/{meeting_id}/tinh-trang").get_json()["markers"]
    noted = [line["text"] for line in feed if line["kind"] == "document"]
    assert noted == ["Trình giấy tờ: quyet-dinh.pdf."]


def test_only_the_desk_shows_papers(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    paper = attach(cast.petition_id)
    show = f"/phien/{meeting_id}/ho-so/{paper}/cho-xem"
    assert client.post(show, headers=_with(token_of(meeting_id))).status_code in (302, 403, 404)
    assert factories.log_in(client, cast.commune).post(show).status_code == 403


def _lock_away(cast: Cast) -> None:
    """Somebody finds that the letter is a denunciation while its sender is being heard."""
    with unit_of_work() as work:
        work.get(Petition, cast.petition_id).kind = "unclassified"
    with reading() as work:
        seen = inbox_operations.Seen(work.get(Petition, cast.petition_id).version)
    inbox_operations.classify(
        cast.petition_id,
        Finding(kind=PetitionKind.DENUNCIATION),
        seen,
        by=cast.clerk.actor,
        on=at(26).date(),
    )


def test_papers_of_a_denunciation_are_shown_to_nobody(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    paper, token = attach(cast.petition_id), token_of(meeting_id)
    chair = factories.log_in(client, cast.chair)
    chair.post(f"/phien/{meeting_id}/ho-so/{paper}/cho-xem", json={"page": 1})
    _lock_away(cast)
    assert names(client, meeting_id, token) == []
    assert page(client, meeting_id, paper, 1, token) == 404
    answer = chair.post(f"/phien/{meeting_id}/ho-so/{paper}/cho-xem", json={"page": 1})
    assert answer.status_code in (404, 409)


def test_paper_of_another_session_is_not_found(
    client: FlaskClient, factories: Factories, cast: Cast, meeting_id: UUID
) -> None:
    foreign = attach(petition(factories, content="Việc không có trong phiên này."))
    chair = factories.log_in(client, cast.chair)
    assert chair.post(f"/phien/{meeting_id}/ho-so/{foreign}/mo").status_code == 404
    assert len(sitting(meeting_id).agenda) == 2
