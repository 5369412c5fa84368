"""A letter that turns out to be a denunciation: nobody outside its compartment reads its traces.

Every page that told of it before is asked again, and every row is searched for what it told.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import JSON, LargeBinary, select

from reception.desk.papers import RECEIPT, keep_paper, seal_paper
from reception.desk.steps import NewLine, write_line
from storage.database import db, reading, unit_of_work
from storage.identities import find_people, open_field, people_named
from storage.models import (
    AgendaItem,
    Base,
    Case,
    CaseLink,
    Involvement,
    IssuedDocument,
    KeyEncryptionKey,
    Petition,
    PlaybackGrant,
    ProcedureStep,
    ReceptionSession,
    Recording,
    SealedObject,
    Segment,
    Transfer,
    UnrelatedPetition,
    Visit,
)
from tests.support.factories import COMMUNE, OTHER_COMMUNE, PROVINCE, Factories, Officer
from tests.support.meetings import Cast, petition
from workflows.access import Role

DAY = date(2026, 11, 26)
NAME, PHONE, CITIZEN_ID = "Nông Thị Tố Giác", "0918 222 333", "075177000999"
TITLE, CONTENT = "Cán bộ Quách nhận tiền", "Ông Quách địa chính nhận ba mươi triệu đồng."
REASON, RESPONDENT = "Lý do chuyển ghi hớ", "Quách Văn Địa"
ANSWER, SESSION_TITLE = "Hướng dẫn ghi hớ ở quầy", "Phiên nghe việc ông Quách"
TOLD = (NAME, TITLE, "Quách", "ghi hớ", "918222333", CITIZEN_ID, "0918 222 333")
"""What must not be found again, in whatever page or row."""


@dataclass
class Known:
    """A petition that several offices worked on while everybody took it for a complaint."""

    petition_id: UUID
    other_id: UUID
    meeting_id: UUID
    recording_id: UUID
    paper_id: UUID
    case_id: UUID
    keeper: Officer
    outsiders: dict[str, FlaskClient]
    chair: FlaskClient
    client: FlaskClient = field(repr=False)


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("petitions.inbox_views", "petitions.handling_views", "cases.views"):
        monkeypatch.setattr(f"reception.{module}.legal_today", lambda: DAY)


@pytest.fixture
def cast(factories: Factories) -> Cast:
    """The people of a session about this letter."""
    from storage.identities import PersonData

    return Cast.gather(
        factories,
        title=TITLE,
        content=CONTENT,
        respondent=RESPONDENT,
        submitter=PersonData(name=NAME, phone=PHONE, citizen_id=CITIZEN_ID, address="Ấp Quách"),
        representatives=(PersonData(name="Quách Đại Diện"),),
    )


def _version(petition_id: UUID) -> str:
    with reading() as work:
        return str(work.get(Petition, petition_id).version)


def _classify(who: FlaskClient, petition_id: UUID, kind: str, **more: str) -> None:
    data = {
        "version": _version(petition_id),
        "kind": kind,
        "round": "1",
        "respondent": "commune",
        "respondent_unit": str(Factories().unit_id(COMMUNE)),
        "eligible": "yes",
        "field_code": "land-compensation",
        "reason": "Đọc kỹ lại nội dung đơn",
        **more,
    }
    answer = who.post(f"/hop-don/{petition_id}/phan-loai", data=data)
    assert answer.status_code == 303, answer.get_data(as_text=True)[-1500:]


def _line(cast: Cast, factories: Factories) -> UUID:
    """A line of the commune's book with a receipt of papers."""
    fields: dict[str, Any] = json.loads('{"visitor": {}, "papers": []}')
    with unit_of_work() as work:
        sender = work.get(Petition, cast.petition_id).submitter_id
        visit = write_line(
            work,
            NewLine(
                unit_id=factories.unit_id(COMMUNE),
                on=DAY,
                kind="complaint",
                outcome="papers_received",
                content=CONTENT,
                visitor=NAME,
                identity_paper=CITIZEN_ID,
                answer=ANSWER,
                guidance=ANSWER,
                follow_up=ANSWER,
                remark=ANSWER,
                received_by=cast.commune.account_id,
                idempotency_key="line-1",
                petition_id=cast.petition_id,
                person_id=sender,
            ),
            by=cast.commune.account_id,
        )
        work.flush()
        paper = keep_paper(
            work, visit, RECEIPT, fields, by=cast.commune.account_id, petition_id=cast.petition_id
        )
        paper_id = paper.id
    seal_paper(paper_id, _receipt())
    return paper_id


def _receipt() -> dict[str, Any]:
    from reception.desk.papers import head_of

    head = head_of(kind="commune", name="Trấn Biên", full_name="Phường Trấn Biên", province="ĐN")
    return {"head": head, "visitor": NAME, "papers": []}


@pytest.fixture
def known(client: FlaskClient, factories: Factories, cast: Cast, ended_meeting: UUID) -> Known:
    browsers = client.application

    def at(role: Role, unit: str) -> tuple[FlaskClient, Officer]:
        officer = factories.officer(role, unit)
        return factories.log_in(browsers.test_client(), officer), officer

    keeper, keeping = at(Role.BOARD_OFFICER, PROVINCE)
    head, _ = at(Role.BOARD_HEAD, PROVINCE)
    _classify(keeper, cast.petition_id, "complaint", reason=REASON)
    other_id = petition(factories, title="Việc khác", content="Quyết định khác")
    assert keeper.post(f"/hop-don/{cast.petition_id}/vu-viec").status_code == 303
    link = {"other": str(cast.petition_id), "kind": "related", "reason": REASON}
    assert keeper.post(f"/hop-don/{other_id}/noi", data=link).status_code == 303
    away = {
        "version": _version(cast.petition_id),
        "to": str(factories.unit_id(OTHER_COMMUNE)),
        "reason": REASON,
    }
    assert keeper.post(f"/hop-don/{cast.petition_id}/chuyen", data=away).status_code == 303
    taken = {"version": _version(cast.petition_id), "reason": REASON}
    assert keeper.post(f"/hop-don/{cast.petition_id}/buoc/undo", data=taken).status_code == 303
    paper_id = _line(cast, factories)
    with unit_of_work() as work:
        found = work.get(Petition, cast.petition_id)
        recording = work.db_session.scalars(select(Recording)).one()
        work.get_for_update(ReceptionSession, ended_meeting).title = SESSION_TITLE
        work.add(Involvement(petition_id=found.id, person_id=found.submitter_id, part="owner"))
        work.add(
            UnrelatedPetition(
                petition_id=other_id, other_id=found.id, decided_by=keeping.account_id
            )
        )
        work.add(
            PlaybackGrant(
                code="YC-1",
                recording_id=recording.id,
                account_id=cast.other.account_id,
                reason=REASON,
                state="asked",
            )
        )
        case_id, recording_id = found.case_id, recording.id
    assert case_id is not None
    outsiders = {
        "board officer": at(Role.BOARD_OFFICER, PROVINCE)[0],
        "board head": head,
        "inspector": at(Role.PROVINCIAL_INSPECTOR, PROVINCE)[0],
        "ward officer": factories.log_in(browsers.test_client(), cast.commune),
        "ward chair": at(Role.COMMUNE_CHAIR, COMMUNE)[0],
        "officer at a point": factories.log_in(browsers.test_client(), cast.other),
        "clerk": at(Role.CLERK, PROVINCE)[0],
        "administrator": at(Role.ADMINISTRATOR, PROVINCE)[0],
    }
    return Known(
        cast.petition_id,
        other_id,
        ended_meeting,
        recording_id,
        paper_id,
        case_id,
        keeping,
        outsiders,
        factories.log_in(browsers.test_client(), cast.chair),
        keeper,
    )


def _addresses(known: Known) -> list[str]:
    return [
        "/hop-don",
        "/hop-don?ca-noi-khac=1&trang-thai=",
        f"/hop-don/{known.petition_id}",
        f"/hop-don/{known.other_id}",
        f"/hop-don/{known.petition_id}/vi-sao",
        "/vu-viec?trang-thai=",
        f"/vu-viec/{known.case_id}",
        "/tim?q=Quách",
        "/tim?q=to+giac",
        "/so-tiep-dan",
        "/so-tiep-dan/in",
        "/so-tiep-dan.xlsx",
        f"/quay/giay/{known.paper_id}.pdf",
        "/phien",
        f"/phien/{known.meeting_id}/chuan-bi",
        f"/phien/{known.meeting_id}/bien-ban",
        "/ban-ghi",
        f"/ban-ghi/{known.recording_id}",
        f"/ban-ghi/{known.recording_id}/xin-xem",
        "/ban-do/danh-sach",
        "/nhat-ky",
    ]


def _read(who: FlaskClient, address: str) -> str:
    answer = who.get(address)
    assert answer.status_code < 500, address
    if address.endswith(".xlsx") and answer.status_code == 200:
        with zipfile.ZipFile(BytesIO(answer.data)) as book:
            return "".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
    if address.endswith(".pdf") and answer.status_code == 200:
        return f"a paper of {NAME}"
    return answer.get_data(as_text=True)


def _told(known: Known) -> dict[tuple[str, str], set[str]]:
    """Which words each outsider reads at which address; the typed question itself left out."""
    found: dict[tuple[str, str], set[str]] = {}
    for who, browser in known.outsiders.items():
        for address in _addresses(known):
            page = _read(browser, address)
            if address.startswith("/tim"):
                page = page.replace("Quách&#34;", "").replace('value="Quách"', "")
            words = {word for word in TOLD if word in page}
            if words:
                found[who, address] = words
        asked = {"key": "look-up", "find": PHONE}
        looked = browser.post("/quay/tim", data=asked, follow_redirects=True)
        browser.post("/quay/tim", data={**asked, "clear": "1"})
        if NAME in looked.get_data(as_text=True):
            found[who, "/quay/tim"] = {NAME}
    return found


def test_no_page_tells_what_it_told_before(known: Known) -> None:
    before = {address for _, address in _told(known)}
    assert len(before) >= 10, sorted(before)
    assert {"/quay/tim", "/so-tiep-dan.xlsx", f"/phien/{known.meeting_id}/bien-ban"} <= before
    _classify(known.client, known.petition_id, "denunciation", reason=REASON)
    after = _told(known)
    assert {key: words for key, words in after.items() if key[1] != "/tim?q=Quách"} == {}
    assert {key for key in after if "đơn" in key} == set()
    for browser in known.outsiders.values():
        assert browser.get(f"/hop-don/{known.petition_id}").status_code in (403, 404)
        assert browser.get(f"/vu-viec/{known.case_id}").status_code in (403, 404)
        assert browser.get(f"/phien/{known.meeting_id}/bien-ban").status_code in (403, 404)
        assert browser.get(f"/quay/giay/{known.paper_id}.pdf").status_code in (403, 404)
        assert str(known.petition_id) not in browser.get("/tim?q=Quách").get_data(as_text=True)


def _cells() -> list[tuple[str, str]]:
    """Every text and document of every table, as (table.column, text)."""
    found = []
    for table in Base.metadata.sorted_tables:
        columns = [c for c in table.columns if not isinstance(c.type, LargeBinary)]
        for row in db.session.execute(select(*columns)):
            for column, value in zip(columns, row, strict=True):
                if isinstance(value, str):
                    found.append((f"{table.name}.{column.name}", value))
                elif isinstance(column.type, JSON) and value is not None:
                    text = json.dumps(value, ensure_ascii=False)
                    found.append((f"{table.name}.{column.name}", text))
    return found


def test_no_row_keeps_a_word_of_it_in_the_open(known: Known) -> None:
    before = {place for place, text in _cells() if any(word in text for word in TOLD)}
    assert {"petition.title", "transfer.reason", "agenda_item.title"} <= before
    db.session.rollback()
    _classify(known.client, known.petition_id, "denunciation", reason=REASON)
    db.session.rollback()
    after = {(place, text) for place, text in _cells() if any(word in text for word in TOLD)}
    assert after == set()


def test_sealed_words_of_other_families_are_gone_too(known: Known) -> None:
    _classify(known.client, known.petition_id, "denunciation", reason=REASON)
    with reading() as work:
        assert find_people(work.db_session, phone=PHONE) == []
        assert find_people(work.db_session, citizen_id=CITIZEN_ID) == []
        assert people_named(work.db_session, NAME) == []
        papers = work.db_session.scalars(select(IssuedDocument)).all()
        assert all(paper.fields_sealed is None for paper in papers if paper.visit_id)
        paper = work.get(IssuedDocument, known.paper_id)
        key = work.get(SealedObject, paper.sealed_object_id).kid
        family = select(KeyEncryptionKey.family).where(KeyEncryptionKey.kid == key)
        assert work.db_session.scalar(family) == "denunciations"
        visit = work.db_session.scalars(select(Visit).where(Visit.on == DAY)).first()
        assert visit is not None
        assert (visit.guidance, visit.follow_up, visit.remark) == ("", "", "")
        assert work.db_session.scalars(select(UnrelatedPetition)).all() == []


def test_recording_and_leave_to_play_it_are_closed(known: Known) -> None:
    with unit_of_work() as work:
        grant = work.db_session.scalars(select(PlaybackGrant)).one()
        grant.state = "approved"
    _classify(known.client, known.petition_id, "denunciation")
    with reading() as work:
        assert work.get(Recording, known.recording_id).secrecy == "compartment"
        assert set(work.db_session.scalars(select(Segment.secrecy))) == {"compartment"}
        assert work.db_session.scalars(select(PlaybackGrant.state)).all() == ["revoked"]
    for who, browser in known.outsiders.items():
        answer = browser.post(f"/ban-ghi/{known.recording_id}/mo")
        assert answer.status_code in (403, 404), who


def test_whoever_has_it_in_hand_still_reads_what_officers_wrote(known: Known) -> None:
    _classify(known.client, known.petition_id, "denunciation")
    page = known.client.get(f"/hop-don/{known.petition_id}").get_data(as_text=True)
    assert REASON in page  # the sealed reason of a step of this very unit
    url = f"/hop-don/{known.petition_id}/noi-dung"
    opened = known.client.post(url, data={"reason": "xử lý đơn được giao"}).get_data(as_text=True)
    for words in (CONTENT, TITLE, REASON, RESPONDENT):
        assert words in opened
    who = known.chair.post(f"{url}?phan=nguoi-gui", data={"reason": "thẩm quyền giải quyết"})
    assert NAME in who.get_data(as_text=True)
    assert "Quách Đại Diện" in who.get_data(as_text=True)
    assert known.chair.get(f"/phien/{known.meeting_id}/bien-ban").status_code == 200


def test_steps_and_transfers_keep_their_place_without_their_words(known: Known) -> None:
    _classify(known.client, known.petition_id, "denunciation")
    with reading() as work:
        transfer = work.db_session.scalars(select(Transfer)).one()
        assert transfer.reason == ""
        steps = work.db_session.scalars(select(ProcedureStep)).all()
        sealed = [
            open_field("procedure_step", "internal_reason", s.id, s.internal_reason_sealed)
            for s in steps
        ]
        assert REASON in sealed
        assert all(step.reason == "" for step in steps if step.event in ("transfer", "classify"))


def test_case_with_other_letters_goes_on_under_another_title(
    known: Known, factories: Factories
) -> None:
    form = {"other": str(known.petition_id), "kind": "same_matter", "reason": "Cùng việc"}
    third = petition(factories, title="Bồi thường đất", content="Đề nghị xem lại bồi thường")
    assert known.client.post(f"/hop-don/{third}/noi", data=form).status_code == 303
    _classify(known.client, known.petition_id, "denunciation")
    with reading() as work:
        case = work.get(Case, known.case_id)
        assert (case.title, case.secrecy) == ("Bồi thường đất", "normal")
        assert work.get(Petition, known.petition_id).case_id is None
        items = work.db_session.scalars(
            select(AgendaItem).where(AgendaItem.petition_id == known.petition_id)
        )
        assert all(item.case_id is None for item in items)
        reasons = work.db_session.scalars(
            select(CaseLink.reason).where(CaseLink.petition_id == known.petition_id)
        )
        assert set(reasons) == {""}
    code = _code(known.petition_id)
    for browser in known.outsiders.values():
        for address in (f"/vu-viec/{known.case_id}", f"/tim?q={code}", "/tim?q=Quách"):
            page = browser.get(address).get_data(as_text=True)
            assert TITLE not in page
            assert f"/hop-don/{known.petition_id}" not in page


def _code(petition_id: UUID) -> str:
    with reading() as work:
        return work.get(Petition, petition_id).code


def test_person_who_has_another_matter_stays_known_for_that_one(
    known: Known, factories: Factories
) -> None:
    with unit_of_work() as work:
        sender = work.get(Petition, known.petition_id).submitter_id
        work.get_for_update(Petition, known.other_id).submitter_id = sender
    _classify(known.client, known.petition_id, "denunciation")
    with reading() as work:
        assert [p.id for p in find_people(work.db_session, phone=PHONE)] == [sender]
