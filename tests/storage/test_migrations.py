"""The schema: numbered, linear, the same as the models, both ways, with rows in it."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from config import Settings
from storage import migrations
from storage.database import engine_options, prepare_engine
from storage.models import Base
from storage.reference import load_reference

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
