"""Writes the planned cases through the steps the application uses: letters, moves, ends."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from uuid import UUID, uuid5

from sqlalchemy import select

from reception.cases.steps import join_case, open_case, settle_case
from reception.demo import names
from reception.demo.matters import second_voice
from reception.demo.planning import Plan
from reception.demo.staff import Hired
from reception.petitions.handling_steps import Doer, hand_over, receive
from reception.petitions.steps import NewPetition, register_petition
from storage.database import Work
from storage.identities import PersonData
from storage.models import Case, Petition, PetitionAssessment, ProcedureRun, Unit
from storage.queries.calendar import holiday_table
from storage.steps import record, start_run
from workflows.calendar import HolidayTable, add_working_days
from workflows.cases import LinkKind
from workflows.kinds import PetitionKind, Round
from workflows.procedures.guards import Facts

_NAMESPACE = UUID("6f0a3d0e-5d0b-4f0e-9d6e-2c8c3f6b7a10")
SETTLEMENT = (
    ("accept", 6),
    ("assign", 8),
    ("report", 16),
    ("decide", 17),
    ("send", 18),
    ("take_effect", 45),
    ("close", 48),
)
"""First complaint: event and working day after arrival."""
CHANNELS = (("desk", 46), ("post", 24), ("online", 30))
DEPARTMENTS = {
    "land": "75-SNNMT",
    "environment": "75-SNNMT",
    "construction": "75-SXD",
    "transport": "75-SXD",
    "policy": "75-SNV",
    "labour": "75-SNV",
    "education": "75-SGDDT",
    "administration": "75-STP",
}
"""The department a letter travels to, by its field."""
SENT_AFTER, RECEIVED_AFTER = 4, 6  # working days
OPEN_DAYS = 60
NOBODY = Doer(None)
HANDLERS = ("ban-tcd", "so-nnmt")
PASSED_ON = "Thuộc thẩm quyền của cơ quan nhận đơn"


class Writer:
    """Writes one planned case: its letters, its steps, its end."""

    def __init__(
        self,
        work: Work,
        chance: random.Random,
        plan: Plan,
        staff: dict[str, Hired],
        today: date,
    ) -> None:
        self.work = work
        self.chance = chance
        self.plan = plan
        self.staff = staff
        self.today = today
        self.holidays: HolidayTable = holiday_table(work.db_session)
        self.runs: dict[UUID, ProcedureRun] = {}

    def write(self) -> None:
        began = self.plan.on
        first = self._letter(0, began, self.plan.matter.story)
        case = self._handle(first)
        for number in range(1, self.plan.letters):
            on = min(self._later(began, 4 * number), self.today)
            story = second_voice(self.chance, self.plan.matter)
            again = self._letter(number, on, story)
            if case is not None:
                self._join(again, case, number, on)

    def _join(self, petition: Petition, case: Case, number: int, on: date) -> None:
        """A further letter about the same matter hangs on the case and is merged into it."""
        later = self._later(on, 2)
        if later > self.today:
            return
        run = self.runs[petition.id]
        for event in ("check_identity", "classify"):
            record(self.work, run, event, on=later, facts=self._facts(petition), by=None)
        join_case(
            self.work,
            petition,
            case,
            LinkKind.REPEAT if number == 1 else LinkKind.SAME_MATTER,
            reason="Cùng số quyết định, cùng thửa đất",
            on=later,
            by=self.staff["ban-tcd"].account_id,
        )
        facts = self._facts(petition, duplicate=True)
        record(self.work, run, "merge", on=later, facts=facts, by=None)
        settle_case(self.work, case, on=later, by=None)

    def _later(self, on: date, working_days: int) -> date:
        return add_working_days(on, working_days, self.holidays)

    def _letter(self, number: int, on: date, story: str) -> Petition:
        matter, unit = self.plan.matter, self.plan.unit
        arrives_at = self.staff["ban-tcd"].unit_id if self.plan.at_board else unit.id
        registered = register_petition(
            self.work,
            NewPetition(
                kind=matter.kind,
                title=matter.title,
                content=story,
                wish=matter.wish,
                field_code=matter.field,
                respondent=matter.respondent,
                earlier_decisions=(matter.decision,) if matter.decision else (),
                place_unit_id=unit.id,
                place_text=unit.full_name,
                channel=self.chance.choices([c for c, _ in CHANNELS], [w for _, w in CHANNELS])[0],
                receiving_unit_id=arrives_at,
                received_on=on,
                signing="none" if matter.anonymous else "paper",
                signed_on=None if matter.anonymous else on,
                submitter=None if matter.anonymous else self._sender(unit),
                anonymous=matter.anonymous,
                group_size=matter.group,
                wants_online=self.chance.random() < 0.06,
                assigned_to=self._handler(arrives_at),
                idempotency_key=str(uuid5(_NAMESPACE, f"{self.plan.number}-{number}")),
            ),
            by=None,
        )
        if registered.run is not None:
            self.runs[registered.petition.id] = registered.run
        return registered.petition

    def _sender(self, unit: Unit) -> PersonData:
        name, salutation = names.person_name(self.chance)
        return PersonData(
            name=name,
            salutation=salutation,
            birth_year=str(self.chance.randint(1941, 2004)),
            citizen_id=names.citizen_id(self.chance),
            phone=names.phone(self.chance),
            address=names.address(self.chance, unit.full_name),
            unit_id=unit.id,
        )

    def _handler(self, unit_id: UUID) -> UUID | None:
        """Who has a demonstration log-in there and handles letters."""
        for hired in self.staff.values():
            login = hired.member.login
            if hired.unit_id == unit_id and (login in HANDLERS or login.startswith("tiep-dan")):
                return hired.person_id
        return None

    def _facts(self, petition: Petition, **more: object) -> Facts:
        return Facts(
            kind=PetitionKind(petition.kind),
            round=Round.FIRST,
            kind_confirmed=True,
            signed=True,
            anonymous=petition.anonymous,
            identity_checked=True,
            eligible=not petition.anonymous,
            competent=not self._is_foreign(petition),
            **more,  # type: ignore[arg-type]  # flags by name
        )

    def _is_foreign(self, petition: Petition) -> bool:
        """Whether another body than the one that holds the letter is competent."""
        fate = self.plan.fate
        return fate == "transferred" or (fate == "guided" and petition.kind == "complaint")

    def _step(self, petition: Petition, event: str, after: int, **more: object) -> bool:
        """Take a step some working days after arrival, unless that day has not come yet."""
        on = self._later(self.plan.on, after)
        if on > self.today:
            return False
        record(
            self.work,
            self.runs[petition.id],
            event,
            on=on,
            facts=self._facts(petition, **more),
            by=None,
        )
        return True

    def _assess(self, petition: Petition) -> None:
        """What the officer found when classifying, in the words of the facts above."""
        facts = self._facts(petition)
        self.work.add(
            PetitionAssessment(
                petition_id=petition.id,
                on=self._later(self.plan.on, 2),
                unit_id=petition.holder_unit_id,
                eligible=facts.eligible,
                not_eligible_ground="" if facts.eligible else "anonymous",
                competent_unit_id=petition.holder_unit_id if facts.competent else None,
            )
        )

    def _handle(self, petition: Petition) -> Case | None:
        if self.plan.fate == "received":
            return None
        if not petition.anonymous:
            self._step(petition, "check_identity", 1)
        if not self._step(petition, "classify", 2):
            return None
        self._assess(petition)
        if petition.anonymous:
            self._step(petition, "keep_on_file", 3)
            return None
        case = open_case(self.work, petition, by=None, on=self._later(self.plan.on, 2))
        last = getattr(self, f"_end_{self.plan.fate}")(petition, case)
        if last:
            settle_case(self.work, case, on=self._later(self.plan.on, last), by=None)
        return case

    # Each end returns the working day of its last step, 0 when nothing ended.

    def _end_classified(self, petition: Petition, case: Case) -> int:
        """Nothing yet: it waits in somebody's inbox."""
        return 0

    def _end_proposed(self, petition: Petition, case: Case) -> int:
        self._step(petition, "propose", 4)
        return 0

    def _end_filed(self, petition: Petition, case: Case) -> int:
        return self._end_done(petition, case)

    def _end_guided(self, petition: Petition, case: Case) -> int:
        if petition.kind != "complaint":
            return self._end_done(petition, case)
        return 5 if self._step(petition, "guide", 5) else 0

    def _end_transferred(self, petition: Petition, case: Case) -> int:
        """The letter travels to the department of its field and is handled there anew."""
        sent_on = self._later(self.plan.on, SENT_AFTER)
        if sent_on > self.today:
            return 0
        hand_over(
            self.work,
            petition,
            to_unit_id=self._department(),
            reason=PASSED_ON,
            by=NOBODY,
            on=sent_on,
        )
        received_on = self._later(self.plan.on, RECEIVED_AFTER)
        if received_on <= self.today:
            self._arrive(petition, received_on)
        return 0

    def _arrive(self, petition: Petition, on: date) -> None:
        receive(self.work, petition, by=NOBODY, on=on)
        petition.assigned_to = self._handler(petition.holder_unit_id)
        age = (self.today - on).days
        fate = "done" if age >= OPEN_DAYS else "accepted" if age >= OPEN_DAYS / 4 else "classified"
        self.plan = replace(self.plan, on=on, fate=fate)
        self._handle(petition)

    def _department(self) -> UUID:
        code = DEPARTMENTS[self.plan.matter.field.partition("-")[0]]
        return self.work.db_session.scalars(
            select(Unit.id).where(Unit.code == code, Unit.valid_to_on.is_(None))
        ).one()

    def _end_accepted(self, petition: Petition, case: Case) -> int:
        if self._step(petition, "propose", 4) and self._step(petition, "accept", 6):
            if petition.kind == "complaint":
                self._settle(petition, case)
            return 6
        return 0

    def _end_done(self, petition: Petition, case: Case) -> int:
        if petition.kind in ("recommendation", "feedback"):
            return 8 if self._step(petition, "answer", 8, result_document=True) else 0
        if not self._end_accepted(petition, case):
            return 0
        last = 50 if petition.kind == "complaint" else self.chance.randint(18, 34)
        return last if self._step(petition, "report_result", last, result_document=True) else 0

    def _settle(self, petition: Petition, case: Case) -> None:
        """First complaint: verification and, when it is done, decision, effect and end."""
        accepted = self._later(self.plan.on, 6)
        run = start_run(self.work, "KN1", unit_id=case.holder_unit_id, case_id=case.id)
        for event, after in SETTLEMENT if self.plan.fate == "done" else SETTLEMENT[:2]:
            on = self._later(self.plan.on, after)
            if on > self.today:
                return
            record(
                self.work,
                run,
                event,
                on=on,
                facts=self._facts(petition, report_filed=True, result_document=True),
                by=None,
                dates={"receive": self.plan.on, "acceptance": accepted},
            )
