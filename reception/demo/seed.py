"""Fills the demonstration through the same steps the application uses.

Deterministic: the same day gives the same people and cases.
"""

from __future__ import annotations

import random
from datetime import date

import click
from sqlalchemy import func, select

from reception.clock import legal_today
from reception.datamap.maintenance import refresh as refresh_map
from reception.demo.monday import fill_monday
from reception.demo.planning import SEED, Plan, plans
from reception.demo.recordings import seal_demo_recordings
from reception.demo.staff import Hired, hire
from reception.demo.writing import Writer
from storage.database import Work, reading, unit_of_work
from storage.identities import prepare_vault
from storage.models import Account, Case, Field, Petition, Setting, Unit

BATCH = 50
HELP_LINE = {"phone": "1900 0000", "hours": "Thứ Hai đến thứ Sáu, 7 giờ 30 đến 16 giờ 30"}


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
                    Writer(work, chance, plan, staff, today).write()
                del held
            bar.update(len(batch))


def _reference(work: Work) -> list[Unit | Field]:
    return [*work.db_session.scalars(select(Unit)), *work.db_session.scalars(select(Field))]
