"""Documents that move a running term: every change is a row, and a term that stands still waits."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from flask import Flask

from reception.cases.steps import open_case
from storage.database import Work, reading, unit_of_work
from storage.models import Deadline, DeadlineChange, IssuedDocument, Petition, ProcedureRun
from storage.steps import record, start_run
from storage.terms import changes_of, extensions_taken, keep_changes
from tests.storage.test_cases import register
from tests.support.factories import COMMUNE, Factories
from workflows.errors import StepNotAllowed
from workflows.kinds import PetitionKind
from workflows.procedures import Facts

ACCEPTED = date(2026, 7, 6)
GROUND = Facts(
    kind=PetitionKind.COMPLAINT,
    suspension_ground=True,
    complex_document=True,
    extension_document=True,
    especially_complex=True,
)


class Track:
    """One case with its settlement, moved step by step."""

    def __init__(self, factories: Factories, code: str) -> None:
        self.unit_id = factories.unit_id(COMMUNE)
        self.petition_id = register(factories)
        with unit_of_work() as work:
            petition = work.get(Petition, self.petition_id)
            petition.state = "ACCEPTED"
            self.case_id = open_case(work, petition, on=ACCEPTED, by=None).id
            self.run_id = start_run(work, code, unit_id=self.unit_id, case_id=self.case_id).id
        kind = PetitionKind.DENUNCIATION if code == "TC" else PetitionKind.COMPLAINT
        self.take("accept", ACCEPTED, facts=Facts(kind=kind), document=False)

    def take(self, event: str, on: date, *, facts: Facts = GROUND, document: bool = True) -> None:
        with unit_of_work() as work:
            run = work.get(ProcedureRun, self.run_id)
            taken = record(work, run, event, on=on, facts=facts, by=None)
            paper = self._paper(work) if document else None
            keep_changes(work, run, taken, document_id=paper)

    def _paper(self, work: Work) -> UUID:
        paper = work.add(
            IssuedDocument(
                case_id=self.case_id, unit_id=self.unit_id, form="ND155-14a", title="Quyết định"
            )
        )
        work.flush()
        return paper.id

    def settle(self) -> Deadline:
        with reading() as work:
            run = work.get(ProcedureRun, self.run_id)
            (term,) = [t for t in run.deadlines if t.name == "settle" and t.met_on is None]
            return term

    def changes(self) -> list[DeadlineChange]:
        with reading() as work:
            return list(changes_of(work, [self.settle().id]))

    def due_on(self) -> date | None:
        with reading() as work:
            return work.get(Petition, self.petition_id).due_on


@pytest.fixture
def track(app_on_both: Flask, factories: Factories) -> Track:
    return Track(factories, "KN1")


def test_a_suspended_term_is_not_due_and_goes_on_by_the_days_it_stood_still(track: Track) -> None:
    assert track.settle().last_day_on == date(2026, 8, 5)
    track.take("suspend", date(2026, 7, 20))
    assert track.due_on() == date(2026, 7, 23)  # only the notice of the suspension is due
    track.take("resume", date(2026, 8, 3))
    term = track.settle()
    assert (term.base_last_day_on, term.last_day_on) == (date(2026, 8, 5), date(2026, 8, 19))
    assert "không tính 14 ngày tạm đình chỉ" in term.sentence
    (change,) = track.changes()
    assert (change.kind, change.from_on, change.to_on) == (
        "suspension",
        date(2026, 7, 20),
        date(2026, 8, 3),
    )
    assert change.document_id is not None


def test_two_suspensions_add_up(track: Track) -> None:
    for since, until in (
        (date(2026, 7, 20), date(2026, 7, 30)),
        (date(2026, 8, 3), date(2026, 8, 8)),
    ):
        track.take("suspend", since)
        track.take("resume", until)
    assert track.settle().last_day_on == date(2026, 8, 20)


def test_a_suspension_stays_counted_when_the_case_is_found_complex_afterwards(
    track: Track,
) -> None:
    track.take("suspend", date(2026, 7, 20))
    track.take("resume", date(2026, 8, 3))
    track.take("determine_complex", date(2026, 8, 10))
    term = track.settle()
    assert (term.length, term.last_day_on) == (45, date(2026, 9, 3))
    assert "45 ngày (vụ việc phức tạp đã có văn bản xác định), không tính 14 ngày" in term.sentence
    assert sorted(change.kind for change in track.changes()) == ["complex", "suspension"]


def test_a_term_does_not_change_without_its_document(track: Track) -> None:
    with pytest.raises(StepNotAllowed, match="phải có văn bản") as refused:
        track.take("suspend", date(2026, 7, 20), document=False)
    assert refused.value.rule == "change-needs-document"
    assert track.changes() == []
    assert track.settle().last_day_on == date(2026, 8, 5)
    with reading() as work:
        assert work.get(ProcedureRun, track.run_id).state == "ACCEPTED"


def test_a_suspended_matter_that_is_terminated_leaves_no_suspension_open(track: Track) -> None:
    track.take("suspend", date(2026, 7, 20))
    term = track.settle()
    track.take("terminate", date(2026, 8, 3), facts=Facts(termination_ground=True))
    with reading() as work:
        (change,) = changes_of(work, [term.id])
        assert change.to_on == date(2026, 8, 3)


def test_a_denunciation_is_extended_twice_and_no_more(
    app_on_both: Flask, factories: Factories
) -> None:
    track = Track(factories, "TC")
    for taken, last in ((1, date(2026, 9, 4)), (2, date(2026, 10, 5))):
        track.take("extend", date(2026, 7, 20))
        assert track.settle().last_day_on == last
        with reading() as work:
            assert extensions_taken(work, work.get(ProcedureRun, track.run_id), "settle") == taken
    assert "gia hạn thêm 60 ngày" in track.settle().sentence
    with pytest.raises(StepNotAllowed, match="tối đa 2 lần"):
        track.take("extend", date(2026, 7, 20))
    assert [change.days for change in track.changes()] == [30, 30]
