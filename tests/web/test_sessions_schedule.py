"""Scheduling: reasons of the decree, days that leave time, denunciations, one session per click."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from storage.database import reading
from storage.models import AgendaItem, ProcedureStep, ReceptionSession
from tests.support.factories import COMMUNE, OTHER_COMMUNE, PROVINCE, Factories
from tests.support.meetings import Cast, petition, schedule, set_clock, sitting
from tests.support.meetings import local as at
from workflows.access import Role


def typed(factories: Factories, cast: Cast, **changes: Any) -> dict[str, Any]:
    """The form as an officer fills it."""
    return {
        "title": "Phiên tiếp công dân 12/2026",
        "kind": "periodic",
        "reason_code": "complex-multi-agency",
        "on": "26/11/2026",
        "starts": "08:00",
        "ends": "10:00",
        "central": str(factories.unit_id(PROVINCE)),
        "component_1": str(factories.unit_id(COMMUNE)),
        "component_2": str(factories.unit_id(OTHER_COMMUNE)),
        "visit": [str(cast.petition_id)],
        "presiding": str(cast.chair.account_id),
        "clerk": str(cast.clerk.account_id),
        "minutes": "25",
        "self_recording": "allowed",
        "mode": "online",
        "idempotency_key": "typed-once",
        **changes,
    }


def board(client: FlaskClient, factories: Factories, cast: Cast) -> FlaskClient:
    return factories.log_in(client, cast.clerk)


def test_scheduled_session_has_points_people_and_an_agenda(
    client: FlaskClient, factories: Factories, cast: Cast
) -> None:
    answer = board(client, factories, cast).post("/phien/moi", data=typed(factories, cast))
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("/chuan-bi")
    with reading() as work:
        meeting = work.db_session.query(ReceptionSession).one()
    held = sitting(meeting.id)
    assert meeting.state == "SCHEDULED"
    assert [point.kind for point in held.points] == ["central", "component", "component"]
    assert {p.part for p in held.participants} == {"chair", "clerk", "officer", "citizen"}
    citizen = next(p for p in held.participants if p.part == "citizen")
    assert held.point(citizen.point_id).seat == 1
    assert held.names[citizen.id] == "Điểu Minh"
    assert [item.petition_id for item in held.agenda] == [cast.petition_id]


def test_the_steps_name_the_version_of_the_rule(factories: Factories, cast: Cast) -> None:
    schedule(factories, cast)
    with reading() as work:
        steps = work.db_session.query(ProcedureStep).order_by(ProcedureStep.seq).all()
    mine = [step for step in steps if step.procedure_version.startswith("SES")]
    assert [step.event for step in mine] == ["request", "classify", "schedule"]


def test_form_sent_twice_makes_one_session(
    client: FlaskClient, factories: Factories, cast: Cast
) -> None:
    page = board(client, factories, cast)
    first = page.post("/phien/moi", data=typed(factories, cast))
    second = page.post("/phien/moi", data=typed(factories, cast))
    assert first.headers["Location"] == second.headers["Location"]
    with reading() as work:
        assert work.db_session.query(AgendaItem).count() == 1


@pytest.mark.parametrize(
    ("on", "status"),
    [("25/11/2026", 422), ("26/11/2026", 303)],
    ids=["four working days and a holiday", "five working days, the holiday not counted"],
)
def test_day_must_leave_five_working_days_to_tell_the_points(
    client: FlaskClient, factories: Factories, cast: Cast, on: str, status: int
) -> None:
    set_clock(at(18))
    answer = board(client, factories, cast).post("/phien/moi", data=typed(factories, cast, on=on))
    assert answer.status_code == status
    if status == 422:
        page = answer.get_data(as_text=True)
        assert "Sớm nhất là thứ Năm 26/11/2026" in page
        assert 'value="Phiên tiếp công dân 12/2026"' in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("reason_code", ""),
        ("on", "31/02/2026"),
        ("ends", "07:00"),
        ("component_1", ""),
        ("presiding", ""),
        ("minutes", "vài phút"),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_stays(
    client: FlaskClient, factories: Factories, cast: Cast, field: str, value: str
) -> None:
    data = typed(factories, cast, **{field: value, "component_2": "", "interpreter": "Thị Hương"})
    answer = board(client, factories, cast).post("/phien/moi", data=data)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "Thị Hương" in page
    assert f'href="#{field}"' in page


def test_petition_is_put_on_the_agenda_by_its_code(
    client: FlaskClient, factories: Factories, cast: Cast
) -> None:
    other = petition(factories, wants_online=False)
    with reading() as work:
        from storage.models import Petition

        code = work.get(Petition, other).code
    data = typed(factories, cast, visit=[], codes=code)
    assert board(client, factories, cast).post("/phien/moi", data=data).status_code == 303
    with reading() as work:
        assert work.db_session.query(AgendaItem).one().petition_id == other


def test_unknown_code_is_named(client: FlaskClient, factories: Factories, cast: Cast) -> None:
    data = typed(factories, cast, codes="KN-0000-0000")
    answer = board(client, factories, cast).post("/phien/moi", data=data)
    assert answer.status_code == 422
    assert "KN-0000-0000" in answer.get_data(as_text=True)


def test_reason_for_denunciations_is_refused_for_a_complaint(
    client: FlaskClient, factories: Factories, cast: Cast
) -> None:
    data = typed(factories, cast, reason_code="complex-denunciation", secrecy_confirmed="1")
    assert board(client, factories, cast).post("/phien/moi", data=data).status_code == 422


@pytest.mark.parametrize(
    ("confirmed", "protection", "status"),
    [("1", False, 303), ("", False, 409), ("1", True, 409)],
    ids=["secrecy ensured", "secrecy not ensured", "protection asked"],
)
def test_denunciation_goes_online_only_without_protection_and_with_secrecy(
    client: FlaskClient, factories: Factories, confirmed: str, protection: bool, status: int
) -> None:
    cast = Cast.gather(factories, kind="denunciation", protection_requested=protection)
    chair = factories.log_in(client, cast.chair)
    data = typed(
        factories,
        cast,
        reason_code="complex-denunciation",
        secrecy_confirmed=confirmed,
    )
    answer = chair.post("/phien/moi", data=data)
    assert answer.status_code == status
    if status == 409:
        page = answer.get_data(as_text=True)
        assert "mời tiếp trực tiếp" in page
        assert 'data-testid="in-person"' in page


def test_refused_denunciation_is_invited_in_person_instead(
    client: FlaskClient, factories: Factories
) -> None:
    cast = Cast.gather(factories, kind="denunciation", protection_requested=True)
    data = typed(factories, cast, reason_code="complex-denunciation", mode="in_person")
    answer = factories.log_in(client, cast.chair).post("/phien/moi", data=data)
    assert answer.status_code == 303
    with reading() as work:
        meeting = work.db_session.query(ReceptionSession).one()
    assert (meeting.mode, meeting.state) == ("in_person", "DIVERTED_IN_PERSON")


def test_name_of_a_denouncer_appears_nowhere(client: FlaskClient, factories: Factories) -> None:
    cast = Cast.gather(factories, kind="denunciation")
    chair = factories.log_in(client, cast.chair)
    data = typed(factories, cast, reason_code="complex-denunciation", secrecy_confirmed="1")
    page = chair.get(chair.post("/phien/moi", data=data).headers["Location"])
    assert page.status_code == 200
    assert "Điểu Minh" not in page.get_data(as_text=True)


def test_officer_of_another_commune_does_not_see_the_session(
    client: FlaskClient, factories: Factories, cast: Cast
) -> None:
    meeting_id = schedule(factories, cast)
    stranger = factories.officer(Role.COMMUNE_OFFICER, "26119")
    page = factories.log_in(client, stranger)
    assert page.get(f"/phien/{meeting_id}/chuan-bi").status_code == 404
    assert "Phiên tiếp công dân 12/2026" not in page.get("/phien").get_data(as_text=True)


def test_officer_of_an_invited_commune_sees_it_but_cannot_move_it(
    client: FlaskClient, factories: Factories, cast: Cast
) -> None:
    meeting_id = schedule(factories, cast)
    page = factories.log_in(client, cast.commune)
    assert "Phiên tiếp công dân 12/2026" in page.get("/phien").get_data(as_text=True)
    assert page.get(f"/phien/{meeting_id}/doi-lich").status_code == 403


def test_a_citizen_and_a_visitor_have_no_board(client: FlaskClient, cast: Cast) -> None:
    answer = client.get("/phien")
    assert answer.status_code == 302
    assert "/dang-nhap" in answer.headers["Location"]


def test_cancelled_session_lets_its_petition_wait_again(
    client: FlaskClient, factories: Factories, cast: Cast
) -> None:
    meeting_id = schedule(factories, cast)
    page = board(client, factories, cast)
    assert "Điểu Minh" not in page.get("/phien/moi").get_data(as_text=True)
    answer = page.post(f"/phien/{meeting_id}/huy", data={"reason": "Bão số 12"})
    assert answer.status_code == 303
    assert "Điểu Minh" in page.get("/phien/moi").get_data(as_text=True)


def test_moved_session_must_tell_its_points_anew(
    client: FlaskClient, factories: Factories, cast: Cast
) -> None:
    meeting_id = schedule(factories, cast)
    page = board(client, factories, cast)
    page.post(f"/phien/{meeting_id}/bao-diem-cau")
    data = {"on": "03/12/2026", "starts": "8h", "ends": "9h30", "reason": "Chủ trì bận"}
    assert page.post(f"/phien/{meeting_id}/doi-lich", data=data).status_code == 303
    held = sitting(meeting_id)
    assert held.meeting.state == "SCHEDULED"
    assert held.meeting.starts_at == at(3, month=12)
    assert all(point.notified_at is None for point in held.points)


def test_person_without_log_in_is_invited_with_a_link(
    client: FlaskClient, factories: Factories, cast: Cast
) -> None:
    meeting_id = schedule(factories, cast)
    point = sitting(meeting_id).points[1]
    data = {
        "point": str(point.id),
        "name": "Thị Hương",
        "title": "Phiên dịch",
        "part": "interpreter",
    }
    page = board(client, factories, cast)
    assert page.post(f"/phien/{meeting_id}/nguoi-du", data=data).status_code == 303
    added = next(p for p in sitting(meeting_id).participants if p.part == "interpreter")
    assert added.join_hash is not None
    assert "Thị Hương" in page.get(f"/phien/{meeting_id}/nguoi-du").get_data(as_text=True)
    page.post(f"/phien/{meeting_id}/nguoi-du/{added.id}", data={"remove": "1"})
    assert all(p.part != "interpreter" for p in sitting(meeting_id).participants)
