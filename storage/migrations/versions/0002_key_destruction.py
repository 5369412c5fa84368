"""Destroyed keys with who asked, who did it and the certificate"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "key_destruction",
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("unreadable", JSON, nullable=False),
        sa.Column("last_copy_lapses_on", sa.Date(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version_id", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> asked_by",
            name=op.f("ck_key_destruction_two_people"),
        ),
        sa.CheckConstraint(
            "reason <> ''",
            name=op.f("ck_key_destruction_has_reason"),
        ),
        sa.CheckConstraint(
            "state <> 'done' OR decided_by IS NOT NULL",
            name=op.f("ck_key_destruction_done_by_somebody"),
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'done', 'withdrawn')",
            name=op.f("ck_key_destruction_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["account.id"], name=op.f("fk_key_destruction_asked_by")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["account.id"], name=op.f("fk_key_destruction_decided_by")
        ),
        sa.ForeignKeyConstraint(
            ["kid"], ["key_encryption_key.kid"], name=op.f("fk_key_destruction_kid")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_destruction")),
    )
    op.create_index(op.f("ix_key_destruction_kid"), "key_destruction", ["kid"])
    op.create_index(op.f("ix_sealed_object_kid"), "sealed_object", ["kid"])


def downgrade() -> None:
    op.drop_index(op.f("ix_sealed_object_kid"), table_name="sealed_object")
    op.drop_table("key_destruction")
