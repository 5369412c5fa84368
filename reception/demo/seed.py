"""Fills the demonstration through the same steps the application uses.

Deterministic: the same day gives the same people and cases. One place and time is a hot spot.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid5

import click
from sqlalchemy import func, select

from reception.cases.steps import join_case, open_case, settle_case
from reception.clock import legal_today
from reception.datamap.maintenance import refresh as refresh_map
from reception.demo import names
from reception.demo.matters import MONTH_WEIGHT, Matter, new_matter, second_voice
from reception.demo.monday import fill_monday
from reception.demo.recordings import seal_demo_recordings
from reception.demo.staff import COMMUNE_C, WARD_A, WARD_B, Hired, hire
from reception.petitions.steps import NewPetition, register_petition
from storage.database import Work, reading, unit_of_work
from storage.identities import PersonData, prepare_vault
from storage.models import (
    Account,
    Case,
    Field,
    Petition,
    PetitionAssessment,
    ProcedureRun,
    Setting,
    Unit,
)
from storage.queries.calendar import holiday_table
from storage.queries.units import communes
from storage.steps import record, start_run
from workflows.calendar import HolidayTable, add_working_days
from workflows.cases import LinkKind
from workflows.errors import DomainError
from workflows.kinds import PetitionKind, Round
from workflows.procedures.guards import Facts

MONTHS = 36
SEED = 20261123
BATCH = 25
HOT_UNIT = "26368"
HOT_MONTHS = 5
STAFFED_SHARE = 0.35  # what came lately lies with the communes that have demonstration log-ins
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
HELP_LINE = {"phone": "1900 0000", "hours": "Thứ Hai đến thứ Sáu, 7 giờ 30 đến 16 giờ 30"}
CHANNELS = (("desk", 46), ("post", 24), ("online", 30))


@dataclass(frozen=True)
class Plan:
    """One case to be: where, when, what, how many letters, how far it has come."""

    number: int
    unit: Unit
    on: date
    matter: Matter
    letters: int
    fate: str


class AlreadyFilled(DomainError):
    """The demonstration is filled; nothing was changed."""


def fill_demo(cases: int) -> dict[str, int]:
    """Hire the staff, write the cases, seal the recordings; returns what there is afterwards."""
    with reading() as work:
        filled = work.db_session.scalar(select(func.count()).select_from(Account))
    if not filled:
        with unit_of_work() as work:
            staff = hire(work)
            work.add(Setting(key="help_line", value=HELP_LINE))
        today = legal_today()
        prepare_vault()
        _write_cases(list(plans(cases, today)), staff, today)
        fill_monday(staff, today)
        refresh_map(today=today)
        seal_demo_recordings(staff, today)
    return _counts()


def _counts() -> dict[str, int]:
    with reading() as work:
        return {
            name: int(work.db_session.scalar(select(func.count()).select_from(model)) or 0)
            for name, model in (("accounts", Account), ("cases", Case), ("petitions", Petition))
        }


# --- planning ------------------------------------------------------------------


def plans(count: int, today: date) -> Iterator[Plan]:
    """What will have happened, oldest first."""
    chance = random.Random(SEED)
    with reading() as work:
        units = list(communes(work.db_session))
    by_code = {unit.code: unit for unit in units}
    weights = [(unit.population or 10_000) ** 0.9 for unit in units]
    days = sorted(_day(chance, today) for _ in range(count))
    for number, on in enumerate(days):
        hot = (today - on).days < HOT_MONTHS * 30 and chance.random() < 0.16
        unit = by_code[HOT_UNIT] if hot else chance.choices(units, weights)[0]
        if (today - on).days < 60 and chance.random() < STAFFED_SHARE:
            unit = by_code[chance.choice((WARD_A, WARD_B, COMMUNE_C))]
        matter = new_matter(chance, on=on, unit_name=unit.full_name, hot=hot)
        yield Plan(number, unit, on, matter, _letters(chance, matter), _fate(chance, on, today))


def _day(chance: random.Random, today: date) -> date:
    """A working day of the last 36 months, by season, a little more each year."""
    while True:
        on = today - timedelta(days=chance.randint(1, MONTHS * 30))
        growth = 1 - (today - on).days / (MONTHS * 30) * 0.25
        if on.weekday() < 5 and chance.random() < MONTH_WEIGHT[on.month - 1] / 1.3 * growth:
            return on


def _letters(chance: random.Random, matter: Matter) -> int:
    if matter.kind == "denunciation" or matter.anonymous:
        return 1
    return chance.choices((1, 2, 3), (82, 14, 4))[0]


def _fate(chance: random.Random, on: date, today: date) -> str:
    """How far a case has come: old ones are mostly done, a few are late on purpose."""
    age = (today - on).days
    if age < 3:
        return "received"
    if age < 12:
        return chance.choices(("received", "classified", "proposed"), (30, 45, 25))[0]
    if age < 60:
        return chance.choices(
            ("classified", "accepted", "transferred", "guided", "done", "received"),
            (10, 42, 16, 8, 20, 4),
        )[0]
    return chance.choices(("done", "accepted", "guided", "transferred", "filed"), (78, 6, 7, 6, 3))[
        0
    ]


# --- writing -------------------------------------------------------------------


def _write_cases(all_plans: list[Plan], staff: dict[str, Hired], today: date) -> None:
    chance = random.Random(SEED + 1)
    label = "Vụ việc hư cấu"
    with click.progressbar(length=len(all_plans), label=label) as bar:
        for start in range(0, len(all_plans), BATCH):
            batch = all_plans[start : start + BATCH]
            with unit_of_work() as work:
                # What every case names is read once and held: the database session forgets
                # whatever nobody holds.
                held = _reference(work)
                for plan in batch:
                    _Writer(work, chance, plan, staff, today).write()
                del held
            bar.update(len(batch))


def _reference(work: Work) -> list[Unit | Field]:
    return [*work.db_session.scalars(select(Unit)), *work.db_session.scalars(select(Field))]


class _Writer:
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
        first = self._letter(0, self.plan.on, self.plan.unit, self.plan.matter.story)
        case = self._handle(first)
        for number in range(1, self.plan.letters):
            on = min(self._later(self.plan.on, 4 * number), self.today)
            story = second_voice(self.chance, self.plan.matter)
            again = self._letter(number, on, self.plan.unit, story)
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

    def _letter(self, number: int, on: date, unit: Unit, story: str) -> Petition:
        matter = self.plan.matter
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
                receiving_unit_id=unit.id,
                received_on=on,
                signing="none" if matter.anonymous else "paper",
                signed_on=None if matter.anonymous else on,
                submitter=None if matter.anonymous else self._sender(unit),
                anonymous=matter.anonymous,
                group_size=matter.group,
                wants_online=self.chance.random() < 0.06,
                assigned_to=self._handler(unit),
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

    def _handler(self, unit: Unit) -> UUID | None:
        for hired in self.staff.values():
            if hired.unit_id == unit.id and hired.member.login.startswith("tiep-dan"):
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
            competent=not (self.plan.fate == "guided" and petition.kind == "complaint"),
            **more,  # type: ignore[arg-type]  # flags by name
        )

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
        return self._end_classified(petition, case)

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
