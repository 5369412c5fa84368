"""Reading the audit log; a reading that names a person or a record is itself kept."""

from __future__ import annotations

from storage.database import reading, unit_of_work
from storage.queries.auditlog import LogFilter, LogLine, actions_known, log_lines
from workflows.access import Actor, Permission, ensure_allowed


def read_log(by: Actor, asked: LogFilter) -> tuple[list[LogLine], int | None, list[str]]:
    """A page of the log, the id to go on before, and the actions to choose from.

    Looking for one person or one record leaves a leaf: who supervises is supervised too.
    """
    ensure_allowed(by, Permission.AUDIT_READ)
    with reading() as work:
        lines, more = log_lines(work.db_session, asked)
        actions = actions_known(work.db_session)
    if (asked.who or asked.record) and asked.before is None:
        with unit_of_work() as work:
            work.audit(
                "audit_log_searched",
                kind="audit_log",
                by=by.account_id,
                by_person=bool(asked.who),
                by_record=bool(asked.record),
                lines=len(lines),
            )
    return lines, more, actions
