"""Numbered, linear history of the schema; both databases, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine


class OrphanedRows(RuntimeError):
    """A migration left rows that refer to nothing; it was undone as a whole."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database to `revision`; runs in one transaction."""
    config = _config()
    with _changing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the database back to `revision`."""
    config = _config()
    with _changing(engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


@contextmanager
def _changing(engine: Engine) -> Iterator[Connection]:
    """A transaction in which tables that others refer to may be rebuilt.

    SQLite changes a table by dropping it and renaming a copy; while it watches foreign keys that
    fails as soon as there are rows. So it looks once, at the end: an orphan undoes everything.
    """
    with engine.execution_options(writes=True).connect() as connection:
        _watch_foreign_keys(connection, False)
        try:
            with connection.begin():
                yield connection
                _refuse_orphans(connection)
        finally:
            _watch_foreign_keys(connection, True)


def _watch_foreign_keys(connection: Connection, watched: bool) -> None:
    """Has an effect outside a transaction only, therefore past SQLAlchemy, which begins one."""
    driver = connection.connection.driver_connection
    if connection.dialect.name == "sqlite" and driver is not None:
        driver.execute(f"PRAGMA foreign_keys={'ON' if watched else 'OFF'}")


def _refuse_orphans(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if orphans:
        tables = sorted({row[0] for row in orphans})
        raise OrphanedRows(f"rows without their parent in: {', '.join(tables)}")


def head() -> str:
    """The newest revision the code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current(engine: Engine) -> str:
    """The revision the database is at; empty when it was never migrated."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() or ""
