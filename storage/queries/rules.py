"""Numbers and switches of the law that the province has still to confirm."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from storage.models import LegalRule


def rules_to_confirm(db_session: Session, on: date) -> Sequence[LegalRule]:
    """Rules in force on `on` that are marked "cần xác nhận", in order of their code."""
    return db_session.scalars(
        select(LegalRule)
        .where(
            LegalRule.needs_confirmation.is_(True),
            LegalRule.effective_from_on <= on,
            or_(LegalRule.effective_to_on.is_(None), LegalRule.effective_to_on >= on),
        )
        .order_by(LegalRule.code, LegalRule.effective_from_on)
    ).all()
