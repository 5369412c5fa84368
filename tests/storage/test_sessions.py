"""A session from its schedule to its minutes on both pairs of back ends; what the lists show."""

from __future__ import annotations

from flask import Flask

from reception.sessions import conduct_operations, minutes_operations, room_operations, room_state
from reception.sessions.blueprint import pool
from storage.database import reading
from storage.models import Visit
from storage.queries import sessions as queries
from tests.support.factories import OTHER_COMMUNE, Factories
from tests.support.meetings import (
    Cast,
    light_lamp,
    make_ready,
    open_without_media,
    participant,
    schedule,
    set_clock,
    sitting,
)
from tests.support.meetings import local as at
from workflows.access import Actor, Role


def _titles(actor: Actor, states: tuple[str, ...]) -> list[str]:
    with reading() as work:
        rows = queries.board(work.db_session, visible_to=actor, states=states)
        return [row.meeting.title for row in rows]


def test_session_is_held_from_schedule_to_minutes(app_on_both: Flask, factories: Factories) -> None:
    cast = Cast.gather(factories)
    meeting_id = schedule(factories, cast)
    make_ready(meeting_id, cast)
    set_clock(at(26, 7))
    person = participant(meeting_id, "citizen")
    room_operations.arrive(person.id, notice_seen=True, devices={"camera": "ok"}, now=at(26, 7))
    light_lamp(open_without_media(meeting_id, cast))
    conduct_operations.admit(meeting_id, person.id, papers_seen=True, by=cast.clerk.actor)
    room_operations.note_line(person.id, {"media": "connected", "mic": "off", "camera": "on"})
    state = room_state.as_json(room_state.room_state(person.id), now=at(26, 8))
    assert (state["me"]["state"], state["lamp"]["state"]) == ("in_room", "lit")

    item = sitting(meeting_id).agenda[0]
    conduct_operations.start_item(meeting_id, item.id, by=cast.clerk.actor)
    conduct_operations.add_note(
        meeting_id, kind="task", text="Đo lại ranh", key="k", item_id=None, by=cast.clerk.actor
    )
    conduct_operations.end_session(
        meeting_id, typed="kết thúc", by=cast.chair.actor, pool=pool(), now=at(26, 9)
    )
    with reading() as work:
        assert work.db_session.query(Visit).one().reception_session_id == meeting_id
    page = minutes_operations.page(meeting_id, by=cast.clerk.actor)
    assert any("Đo lại ranh" in section.text for section in page.sections)


def test_board_shows_what_one_holds_or_is_invited_to(
    app_on_both: Flask, factories: Factories
) -> None:
    cast = Cast.gather(factories)
    schedule(factories, cast)
    stranger = factories.officer(Role.COMMUNE_OFFICER, "26119")
    invited = factories.officer(Role.COMMUNE_CHAIR, OTHER_COMMUNE)
    for actor, seen in (
        (cast.clerk.actor, 1),
        (cast.commune.actor, 1),
        (invited.actor, 1),
        (stranger.actor, 0),
    ):
        assert len(_titles(actor, queries.COMING)) == seen
        assert _titles(actor, queries.OVER) == []


def test_petition_waits_until_it_stands_on_a_live_agenda(
    app_on_both: Flask, factories: Factories
) -> None:
    cast = Cast.gather(factories)

    def waiting() -> list[str]:
        with reading() as work:
            rows = queries.waiting_for_online(work.db_session, visible_to=cast.clerk.actor)
            return [row.submitter for row in rows]

    assert waiting() == ["Điểu Minh"]
    schedule(factories, cast)
    assert waiting() == []
