"""The schema: numbered, linear, the same as the models, both ways, with rows in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.orm import Session

from config import Settings
from storage import migrations
from storage.database import engine_options, prepare_engine
from storage.models import Account, Base, ReceptionSession, SessionPoint, Unit
from storage.reference import load_reference
from tests.support.factories import Factories
from tests.support.meetings import Cast, schedule, sitting

OWN_OF_SEARCH = ("search_index", "tokens")


def test_history_is_one_line_of_numbers() -> None:
    script = ScriptDirectory.from_config(migrations._config())
    revisions = [revision.revision for revision in script.walk_revisions()][::-1]
    assert revisions == [f"{number:04d}" for number in range(1, len(revisions) + 1)]


def test_migrated_schema_is_what_the_models_say(both_backends: Settings) -> None:
    engine = create_engine(both_backends.database_url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    engine.dispose()
    real = [d for d in differences if not any(word in str(d) for word in OWN_OF_SEARCH)]
    assert real == []


def test_schema_goes_down_and_up_again_with_rows_in_it(both_backends: Settings) -> None:
    url = both_backends.database_url
    engine = prepare_engine(create_engine(url, **engine_options(url)))
    load_reference(engine)
    migrations.downgrade(engine, "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    migrations.upgrade(engine)
    assert migrations.current(engine) == migrations.head()
    assert load_reference(engine)["units"] == 96
    engine.dispose()


def test_tables_that_others_refer_to_are_rebuilt_with_rows_in_them(both_backends: Settings) -> None:
    url = both_backends.database_url
    engine = prepare_engine(create_engine(url, **engine_options(url)))
    load_reference(engine)
    with Session(engine) as db_session:
        unit = db_session.scalars(select(Unit)).first()
        assert unit is not None
        chair = Account(kind="staff", login="chair", display_name="Lê Minh Khôi")
        db_session.add(chair)
        db_session.flush()
        meeting = _meeting(unit.id, chair.id)
        db_session.add(meeting)
        db_session.flush()
        db_session.add(
            SessionPoint(
                reception_session_id=meeting.id, kind="central", seat=1, name="A", unit_id=unit.id
            )
        )
        db_session.commit()
    migrations.downgrade(engine, "0003")
    migrations.upgrade(engine)
    with Session(engine) as db_session:
        point = db_session.scalars(select(SessionPoint)).one()
        assert db_session.get_one(ReceptionSession, point.reception_session_id).code == "PH-1"
        if engine.dialect.name == "sqlite":
            assert db_session.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
    engine.dispose()


def _meeting(unit_id: UUID, chair_id: UUID) -> ReceptionSession:
    starts = datetime(2026, 12, 3, 1, tzinfo=UTC)
    return ReceptionSession(
        code="PH-1", title="Buổi tiếp", kind="periodic", mode="in_person", unit_id=unit_id,
        presiding_id=chair_id, starts_at=starts, planned_end_at=starts + timedelta(hours=2),
        state="SCHEDULED", idempotency_key="one",
    )  # fmt: skip


def test_migration_that_orphans_rows_is_undone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/c.db"
    engine = prepare_engine(create_engine(url, **engine_options(url)))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("CREATE TABLE child (id INTEGER REFERENCES parent (id))")
        connection.exec_driver_sql("INSERT INTO parent VALUES (1)")
        connection.exec_driver_sql("INSERT INTO child VALUES (1)")
    with pytest.raises(migrations.OrphanedRows), migrations._changing(engine) as connection:
        connection.exec_driver_sql("DELETE FROM parent")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM parent").scalar_one() == 1
    engine.dispose()


def test_loading_the_reference_data_twice_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    engine = prepare_engine(create_engine(url, **engine_options(url)))
    migrations.upgrade(engine)
    assert load_reference(engine) == load_reference(engine)
    engine.dispose()


def test_new_database_says_it_has_no_revision(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/b.db")
    assert migrations.current(engine) == ""
    engine.dispose()


def test_joining_from_home_that_no_head_allowed_becomes_a_proposal(
    app_on_both: Flask, both_backends: Settings, factories: Factories
) -> None:
    meeting_id = schedule(factories, Cast.gather(factories))
    url = both_backends.database_url
    engine = prepare_engine(create_engine(url, **engine_options(url)))
    migrations.downgrade(engine, "0003")
    migrations.upgrade(engine)
    engine.dispose()
    meeting = sitting(meeting_id).meeting
    assert meeting.home_link_proposal == "Người cao tuổi ở xa"
    assert meeting.home_link_reason is None
