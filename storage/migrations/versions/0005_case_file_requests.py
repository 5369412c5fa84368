"""Requests to read the whole file of a case, and the leave that the holding unit gives"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

INSTANT = sa.DateTime(timezone=True)

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_file_request",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("document_number", sa.String(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decision_reason", sa.String(), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "state IN ('asked', 'approved', 'refused', 'revoked')",
            name=op.f("ck_case_file_request_state_known"),
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_case_file_request_has_reason")),
        sa.CheckConstraint("document_number <> ''", name=op.f("ck_case_file_request_has_document")),
        sa.CheckConstraint("days BETWEEN 1 AND 90", name=op.f("ck_case_file_request_days_limited")),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> account_id",
            name=op.f("ck_case_file_request_two_people"),
        ),
        sa.CheckConstraint(
            "state <> 'approved' OR expires_at IS NOT NULL",
            name=op.f("ck_case_file_request_approved_ends"),
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["case.id"], name=op.f("fk_case_file_request_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_case_file_request_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["account.id"], name=op.f("fk_case_file_request_decided_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_file_request")),
        sa.UniqueConstraint("code", name=op.f("uq_case_file_request_code")),
    )
    op.create_index(op.f("ix_case_file_request_case_id"), "case_file_request", ["case_id"])
    op.create_index(op.f("ix_case_file_request_account_id"), "case_file_request", ["account_id"])


def downgrade() -> None:
    op.drop_table("case_file_request")
