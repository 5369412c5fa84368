"""Joining from home: proposed by who schedules, allowed or taken back by the head"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLE = "reception_session"
WHO = "fk_reception_session_home_link_decided_by"


def upgrade() -> None:
    with op.batch_alter_table(TABLE) as table:
        table.add_column(sa.Column("home_link_proposal", sa.String(), nullable=True))
        table.add_column(sa.Column("home_link_refusal", sa.String(), nullable=True))
        table.add_column(sa.Column("home_link_decided_by", sa.Uuid(), nullable=True))
        table.add_column(
            sa.Column("home_link_decided_at", sa.DateTime(timezone=True), nullable=True)
        )
        table.create_foreign_key(op.f(WHO), "account", ["home_link_decided_by"], ["id"])
    # No head has allowed what the scheduling officer ticked alone: it waits as a proposal.
    op.execute(
        "UPDATE reception_session SET home_link_proposal = home_link_reason,"
        " home_link_reason = NULL WHERE home_link_reason IS NOT NULL AND opened_at IS NULL"
    )


def downgrade() -> None:
    with op.batch_alter_table(TABLE) as table:
        table.drop_constraint(op.f(WHO), type_="foreignkey")
        table.drop_column("home_link_decided_at")
        table.drop_column("home_link_decided_by")
        table.drop_column("home_link_refusal")
        table.drop_column("home_link_proposal")
