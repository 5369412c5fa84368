"""First schema"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

INSTANT = sa.DateTime(timezone=True)
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SQLITE_SEARCH = (
    "CREATE VIRTUAL TABLE search_index USING fts5(exact, folded, content='search_document', "
    "content_rowid='search_id', tokenize=\"unicode61 remove_diacritics 0 "
    "separators '²³¹½¼¾'\")",
    "CREATE TRIGGER search_index_add AFTER INSERT ON search_document BEGIN "
    "INSERT INTO search_index(rowid, exact, folded) "
    "VALUES (new.search_id, new.exact, new.folded); END",
    "CREATE TRIGGER search_index_remove AFTER DELETE ON search_document BEGIN "
    "INSERT INTO search_index(search_index, rowid, exact, folded) "
    "VALUES ('delete', old.search_id, old.exact, old.folded); END",
    "CREATE TRIGGER search_index_change AFTER UPDATE ON search_document BEGIN "
    "INSERT INTO search_index(search_index, rowid, exact, folded) "
    "VALUES ('delete', old.search_id, old.exact, old.folded); "
    "INSERT INTO search_index(rowid, exact, folded) "
    "VALUES (new.search_id, new.exact, new.folded); END",
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


TABLES_NEWEST_FIRST = (
    "enforcement",
    "deadline_change",
    "transfer",
    "track",
    "presence_event",
    "playback_opening",
    "playable_copy",
    "petition_request",
    "minutes",
    "media_join",
    "live_chunk",
    "decision",
    "deadline",
    "conclusion",
    "segment",
    "procedure_step",
    "playback_grant",
    "participant",
    "marker",
    "issued_document",
    "attachment",
    "visit",
    "unrelated_petition",
    "session_point",
    "search_document",
    "recording",
    "procedure_run",
    "petition_party",
    "petition_identifier",
    "petition_draft",
    "petition_assessment",
    "involvement",
    "digitised_document",
    "denunciation_vault",
    "denouncer_identity",
    "case_link",
    "agenda_item",
    "ticket",
    "reception_session",
    "post",
    "petition",
    "login_session",
    "case_note",
    "person_name_token",
    "case_unit",
    "account",
    "unit_type",
    "report_snapshot",
    "person",
    "outbox_receipt",
    "monthly_fact",
    "former_unit",
    "daily_fact",
    "case",
    "unit_geometry",
    "unit",
    "setting",
    "search_counter",
    "sealed_object",
    "rate_bucket",
    "outbox_message",
    "media_server",
    "legal_rule",
    "key_encryption_key",
    "job",
    "holiday_year",
    "holiday",
    "field",
    "checkpoint",
    "audit_tree",
    "audit_node",
    "audit_leaf",
)


def upgrade() -> None:
    op.create_table(
        "audit_leaf",
        sa.Column("id", COUNTER, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("object_kind", sa.String(), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=True),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tree_index", COUNTER, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_leaf")),
        sa.UniqueConstraint("tree_index", name=op.f("uq_audit_leaf_tree_index")),
    )
    op.create_index("ix_audit_leaf_actor_id", "audit_leaf", ["actor_id"], unique=False)
    op.create_index(
        "ix_audit_leaf_object", "audit_leaf", ["object_kind", "object_id"], unique=False
    )
    op.create_index(
        "ix_audit_leaf_waiting",
        "audit_leaf",
        ["id"],
        unique=False,
        sqlite_where=sa.text("tree_index IS NULL"),
        postgresql_where=sa.text("tree_index IS NULL"),
    )

    op.create_table(
        "audit_node",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", COUNTER, autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name=op.f("pk_audit_node")),
    )
    op.create_table(
        "audit_tree",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", COUNTER, nullable=False),
        sa.Column("fence", COUNTER, nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("lease_until_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_tree")),
    )
    op.create_table(
        "checkpoint",
        sa.Column("size", COUNTER, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("bucket", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version_id", sa.String(), nullable=False),
        sa.Column("time_stamp", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkpoint")),
    )
    op.create_table(
        "field",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("parent_code", sa.String(), nullable=True),
        sa.Column("label_vi", sa.String(), nullable=False),
        sa.Column("label_en", sa.String(), nullable=False),
        sa.Column("complaint_column", sa.String(), nullable=False),
        sa.Column("denunciation_column", sa.String(), nullable=False),
        sa.Column("recommendation_column", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("valid_from_on", sa.Date(), nullable=False),
        sa.Column("valid_to_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["parent_code"], ["field.code"], name=op.f("fk_field_parent_code")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_field")),
    )
    op.create_table(
        "holiday",
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('public', 'substitute', 'swapped_off', 'swapped_working')",
            name=op.f("ck_holiday_kind_known"),
        ),
        sa.PrimaryKeyConstraint("on", name=op.f("pk_holiday")),
    )
    op.create_index("ix_holiday_kind_on", "holiday", ["kind", "on"], unique=False)

    op.create_table(
        "holiday_year",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_holiday_year")),
    )
    op.create_table(
        "job",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("run_after_at", INSTANT, nullable=False),
        sa.Column("lease_until_at", INSTANT, nullable=True),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("progress_done", sa.Integer(), nullable=False),
        sa.Column("progress_total", sa.Integer(), nullable=False),
        sa.Column("progress_text", sa.String(), nullable=False),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("dedupe_key", sa.String(), nullable=True),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')",
            name=op.f("ck_job_state_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index("ix_job_claim", "job", ["state", "run_after_at"], unique=False)
    op.create_index(
        "uq_job_live_dedupe",
        "job",
        ["dedupe_key"],
        unique=True,
        sqlite_where=sa.text("dedupe_key IS NOT NULL AND state IN ('queued', 'running')"),
        postgresql_where=sa.text("dedupe_key IS NOT NULL AND state IN ('queued', 'running')"),
    )

    op.create_table(
        "key_encryption_key",
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("klass", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("root_id", sa.String(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("destroyed_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_key_encryption_key")),
        sa.UniqueConstraint(
            "family",
            "klass",
            "year",
            "generation",
            name=op.f("uq_key_encryption_key_family_klass_year_generation"),
        ),
    )
    op.create_table(
        "legal_rule",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("label_vi", sa.String(), nullable=False),
        sa.Column("label_en", sa.String(), nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.Column("effective_from_on", sa.Date(), nullable=False),
        sa.Column("effective_to_on", sa.Date(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("needs_confirmation", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_rule")),
        sa.UniqueConstraint(
            "code", "effective_from_on", name=op.f("uq_legal_rule_code_effective_from_on")
        ),
    )
    op.create_table(
        "media_server",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("http_url", sa.String(), nullable=False),
        sa.Column("ws_url", sa.String(), nullable=False),
        sa.Column("spool_dir", sa.String(), nullable=False),
        sa.Column("spool_total_bytes", COUNTER, nullable=False),
        sa.Column("spool_free_bytes", COUNTER, nullable=False),
        sa.Column("waiting_chunks", sa.Integer(), nullable=False),
        sa.Column("open_segments", sa.Integer(), nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("alarm", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_media_server")),
    )
    op.create_table(
        "outbox_message",
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("not_before_at", INSTANT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_message")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_outbox_message_idempotency_key")),
    )
    op.create_table(
        "rate_bucket",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("window_at", INSTANT, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", "window_at", name=op.f("pk_rate_bucket")),
    )
    op.create_table(
        "sealed_object",
        sa.Column("bucket", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version_id", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("segment_size", sa.Integer(), nullable=False),
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("associated_data", sa.String(), nullable=False),
        sa.Column("plain_size", sa.Integer(), nullable=False),
        sa.Column("plain_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed_size", sa.Integer(), nullable=False),
        sa.Column("sealed_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("retention_until_at", INSTANT, nullable=True),
        sa.Column("legal_hold", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", INSTANT, nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sealed_object")),
        sa.UniqueConstraint(
            "bucket", "name", "version_id", name=op.f("uq_sealed_object_bucket_name_version_id")
        ),
    )
    op.create_table(
        "search_counter",
        sa.Column("id", COUNTER, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_counter")),
    )
    op.create_table(
        "setting",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", JSON, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_setting")),
    )
    op.create_table(
        "unit",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("scheme", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("folded_name", sa.String(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("area_km2", sa.Double(), nullable=True),
        sa.Column("population", sa.Integer(), nullable=True),
        sa.Column("population_as_of", sa.String(), nullable=True),
        sa.Column("remote", sa.Boolean(), nullable=True),
        sa.Column("short_name", sa.String(), nullable=False),
        sa.Column("acts_for_id", sa.Uuid(), nullable=True),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("valid_from_on", sa.Date(), nullable=False),
        sa.Column("valid_to_on", sa.Date(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('province', 'commune', 'department', 'public_service', 'office', 'reception_board', 'inspectorate', 'party_body', 'assembly_office')",
            name=op.f("ck_unit_kind_known"),
        ),
        sa.ForeignKeyConstraint(["acts_for_id"], ["unit.id"], name=op.f("fk_unit_acts_for_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["unit.id"], name=op.f("fk_unit_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint(
            "code", "scheme", "valid_from_on", name=op.f("uq_unit_code_scheme_valid_from_on")
        ),
        sa.UniqueConstraint("path", name=op.f("uq_unit_path")),
    )
    op.create_index("ix_unit_code", "unit", ["code"], unique=False)
    op.create_index("ix_unit_folded_name", "unit", ["folded_name"], unique=False)
    op.create_index("ix_unit_parent_id", "unit", ["parent_id"], unique=False)

    op.create_table(
        "unit_geometry",
        sa.Column("province_code", sa.String(), nullable=False),
        sa.Column("view", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("valid_from_on", sa.Date(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_geometry")),
        sa.UniqueConstraint(
            "province_code",
            "view",
            "version",
            name=op.f("uq_unit_geometry_province_code_view_version"),
        ),
    )
    op.create_table(
        "case",
        sa.Column("search_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("field_code", sa.String(), nullable=True),
        sa.Column("place_unit_id", sa.Uuid(), nullable=True),
        sa.Column("holder_unit_id", sa.Uuid(), nullable=False),
        sa.Column("secrecy", sa.String(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("completed_year", sa.Integer(), nullable=True),
        sa.Column("retention_code", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "secrecy IN ('normal', 'restricted', 'compartment', 'off_system')",
            name=op.f("ck_case_secrecy_known"),
        ),
        sa.ForeignKeyConstraint(["field_code"], ["field.code"], name=op.f("fk_case_field_code")),
        sa.ForeignKeyConstraint(
            ["holder_unit_id"], ["unit.id"], name=op.f("fk_case_holder_unit_id")
        ),
        sa.ForeignKeyConstraint(["place_unit_id"], ["unit.id"], name=op.f("fk_case_place_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case")),
        sa.UniqueConstraint("code", name=op.f("uq_case_code")),
        sa.UniqueConstraint("search_id", name=op.f("uq_case_search_id")),
    )
    op.create_index("ix_case_place_opened", "case", ["place_unit_id", "opened_on"], unique=False)

    op.create_table(
        "daily_fact",
        sa.Column("id", COUNTER, nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("field_code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_daily_fact_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_daily_fact")),
        sa.UniqueConstraint(
            "on",
            "unit_id",
            "field_code",
            "kind",
            name=op.f("uq_daily_fact_on_unit_id_field_code_kind"),
        ),
    )
    op.create_index("ix_daily_fact_on", "daily_fact", ["on"], unique=False)

    op.create_table(
        "former_unit",
        sa.Column("old_code", sa.String(), nullable=False),
        sa.Column("old_full_name", sa.String(), nullable=False),
        sa.Column("folded_name", sa.String(), nullable=False),
        sa.Column("old_district", sa.String(), nullable=False),
        sa.Column("old_province", sa.String(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_former_unit_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_unit")),
        sa.UniqueConstraint("old_code", "unit_id", name=op.f("uq_former_unit_old_code_unit_id")),
    )
    op.create_index("ix_former_unit_folded_name", "former_unit", ["folded_name"], unique=False)
    op.create_index("ix_former_unit_unit_id", "former_unit", ["unit_id"], unique=False)

    op.create_table(
        "monthly_fact",
        sa.Column("field_code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("month_on", sa.Date(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_monthly_fact_unit_id")),
        sa.PrimaryKeyConstraint(
            "field_code", "kind", "month_on", "unit_id", name=op.f("pk_monthly_fact")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox_receipt",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["outbox_message.id"], name=op.f("fk_outbox_receipt_message_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_receipt")),
    )
    op.create_index("ix_outbox_receipt_message_id", "outbox_receipt", ["message_id"], unique=False)

    op.create_table(
        "person",
        sa.Column("salutation", sa.String(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("birth_year_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("citizen_id_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("citizen_id_index", sa.LargeBinary(length=16), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(length=16), nullable=True),
        sa.Column("email_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("address_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("identity_checked_at", INSTANT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_person_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_index("ix_person_citizen_id_index", "person", ["citizen_id_index"], unique=False)
    op.create_index("ix_person_phone_index", "person", ["phone_index"], unique=False)

    op.create_table(
        "report_snapshot",
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("as_of_at", INSTANT, nullable=False),
        sa.Column("figures", JSON, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_report_snapshot_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_snapshot")),
    )
    op.create_table(
        "unit_type",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("valid_from_on", sa.Date(), nullable=False),
        sa.Column("valid_to_on", sa.Date(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_unit_type_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_type")),
        sa.UniqueConstraint(
            "unit_id", "valid_from_on", name=op.f("uq_unit_type_unit_id_valid_from_on")
        ),
    )
    op.create_table(
        "account",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("login", sa.String(), nullable=True),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("oidc_issuer", sa.String(), nullable=True),
        sa.Column("oidc_subject", sa.String(), nullable=True),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("kind IN ('staff', 'citizen')", name=op.f("ck_account_kind_known")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_account_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("login", name=op.f("uq_account_login")),
        sa.UniqueConstraint(
            "oidc_issuer", "oidc_subject", name=op.f("uq_account_oidc_issuer_oidc_subject")
        ),
    )
    op.create_table(
        "case_unit",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("since_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_case_unit_case_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_case_unit_unit_id")),
        sa.PrimaryKeyConstraint("case_id", "unit_id", name=op.f("pk_case_unit")),
    )
    op.create_index("ix_case_unit_unit_id", "case_unit", ["unit_id"], unique=False)

    op.create_table(
        "person_name_token",
        sa.Column("token_index", sa.LargeBinary(length=16), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_person_name_token_person_id")
        ),
        sa.PrimaryKeyConstraint("token_index", "person_id", name=op.f("pk_person_name_token")),
    )
    op.create_table(
        "case_note",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "kind IN ('draft', 'verification', 'opinion', 'note')",
            name=op.f("ck_case_note_kind_known"),
        ),
        sa.ForeignKeyConstraint(["author_id"], ["account.id"], name=op.f("fk_case_note_author_id")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_case_note_case_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_case_note_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_note")),
    )
    op.create_index("ix_case_note_case_id", "case_note", ["case_id"], unique=False)

    op.create_table(
        "login_session",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("csrf_seed", sa.LargeBinary(length=32), nullable=False),
        sa.Column("last_seen_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.Column("user_agent", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_login_session_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_login_session_token_hash")),
    )
    op.create_index("ix_login_session_account_id", "login_session", ["account_id"], unique=False)

    op.create_table(
        "petition",
        sa.Column("search_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("field_code", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=True),
        sa.Column("wish", sa.String(), nullable=True),
        sa.Column("respondent", sa.String(), nullable=True),
        sa.Column("respondent_unit_id", sa.Uuid(), nullable=True),
        sa.Column("earlier_decisions", JSON, nullable=False),
        sa.Column("place_unit_id", sa.Uuid(), nullable=True),
        sa.Column("place_text", sa.String(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("receiving_unit_id", sa.Uuid(), nullable=False),
        sa.Column("holder_unit_id", sa.Uuid(), nullable=False),
        sa.Column("submitter_id", sa.Uuid(), nullable=True),
        sa.Column("for_whom", sa.String(), nullable=False),
        sa.Column("on_behalf_of_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("group_size", sa.Integer(), nullable=False),
        sa.Column("secrecy", sa.String(), nullable=False),
        sa.Column("signing", sa.String(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("wants_online", sa.Boolean(), nullable=False),
        sa.Column("support_needs", sa.String(), nullable=False),
        sa.Column("online_requested_on", sa.Date(), nullable=True),
        sa.Column("online_reason", sa.String(), nullable=False),
        sa.Column("protection_requested", sa.Boolean(), nullable=False),
        sa.Column("submitted_at", INSTANT, nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("clock_starts_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("assigned_to", sa.Uuid(), nullable=True),
        sa.Column("look_up_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("postal", JSON, nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "channel IN ('online', 'desk', 'post', 'reception_session', 'forwarded')",
            name=op.f("ck_petition_channel_known"),
        ),
        sa.CheckConstraint(
            "for_whom IN ('self', 'other', 'organisation', 'group')",
            name=op.f("ck_petition_for_whom_known"),
        ),
        sa.CheckConstraint(
            "kind IN ('complaint', 'denunciation', 'recommendation', 'feedback', 'mixed', 'unclassified')",
            name=op.f("ck_petition_kind_known"),
        ),
        sa.CheckConstraint(
            "secrecy IN ('normal', 'restricted', 'compartment', 'off_system')",
            name=op.f("ck_petition_secrecy_known"),
        ),
        sa.CheckConstraint(
            "secrecy NOT IN ('compartment', 'off_system') OR (content IS NULL AND submitter_id IS NULL AND respondent IS NULL)",
            name=op.f("ck_petition_denunciation_only_in_vault"),
        ),
        sa.CheckConstraint(
            "signing IN ('photo', 'digital', 'at_unit', 'paper', 'none')",
            name=op.f("ck_petition_signing_known"),
        ),
        sa.CheckConstraint("group_size >= 1", name=op.f("ck_petition_group_size_positive")),
        sa.CheckConstraint("round BETWEEN 1 AND 2", name=op.f("ck_petition_round_known")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_petition_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["assigned_to"], ["person.id"], name=op.f("fk_petition_assigned_to")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_petition_case_id")),
        sa.ForeignKeyConstraint(
            ["field_code"], ["field.code"], name=op.f("fk_petition_field_code")
        ),
        sa.ForeignKeyConstraint(
            ["holder_unit_id"], ["unit.id"], name=op.f("fk_petition_holder_unit_id")
        ),
        sa.ForeignKeyConstraint(
            ["place_unit_id"], ["unit.id"], name=op.f("fk_petition_place_unit_id")
        ),
        sa.ForeignKeyConstraint(
            ["receiving_unit_id"], ["unit.id"], name=op.f("fk_petition_receiving_unit_id")
        ),
        sa.ForeignKeyConstraint(
            ["respondent_unit_id"], ["unit.id"], name=op.f("fk_petition_respondent_unit_id")
        ),
        sa.ForeignKeyConstraint(
            ["submitter_id"], ["person.id"], name=op.f("fk_petition_submitter_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_petition")),
        sa.UniqueConstraint("code", name=op.f("uq_petition_code")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_petition_idempotency_key")),
        sa.UniqueConstraint("search_id", name=op.f("uq_petition_search_id")),
    )
    op.create_index("ix_petition_assigned_to", "petition", ["assigned_to"], unique=False)
    op.create_index("ix_petition_case_id", "petition", ["case_id"], unique=False)
    op.create_index(
        "ix_petition_holder_state_due",
        "petition",
        ["holder_unit_id", "state", "due_on"],
        unique=False,
    )
    op.create_index(
        "ix_petition_place_received", "petition", ["place_unit_id", "received_on"], unique=False
    )
    op.create_index("ix_petition_place_unit_id", "petition", ["place_unit_id"], unique=False)
    op.create_index("ix_petition_submitter_id", "petition", ["submitter_id"], unique=False)

    op.create_table(
        "post",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_post_account_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_post_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post")),
    )
    op.create_index("ix_post_account_id", "post", ["account_id"], unique=False)
    op.create_index("ix_post_account_id_role", "post", ["account_id", "role"], unique=False)

    op.create_table(
        "reception_session",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=False),
        sa.Column("reason_text", sa.String(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("presiding_id", sa.Uuid(), nullable=False),
        sa.Column("clerk_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("planned_end_at", INSTANT, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("notified_on", sa.Date(), nullable=True),
        sa.Column("tested_on", sa.Date(), nullable=True),
        sa.Column("points_connected_at", INSTANT, nullable=True),
        sa.Column("notice_given_at", INSTANT, nullable=True),
        sa.Column("opened_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("self_recording", sa.String(), nullable=False),
        sa.Column("self_recording_reason", sa.String(), nullable=False),
        sa.Column("home_link_reason", sa.String(), nullable=True),
        sa.Column("secrecy_confirmed", sa.Boolean(), nullable=False),
        sa.Column("protection_requested", sa.Boolean(), nullable=False),
        sa.Column("incident_note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "kind IN ('regular', 'periodic', 'ad_hoc')",
            name=op.f("ck_reception_session_kind_known"),
        ),
        sa.CheckConstraint(
            "mode <> 'online' OR reason_code <> ''",
            name=op.f("ck_reception_session_online_has_reason"),
        ),
        sa.CheckConstraint(
            "mode IN ('online', 'in_person')", name=op.f("ck_reception_session_mode_known")
        ),
        sa.CheckConstraint(
            "planned_end_at > starts_at", name=op.f("ck_reception_session_ends_after_start")
        ),
        sa.ForeignKeyConstraint(
            ["clerk_id"], ["account.id"], name=op.f("fk_reception_session_clerk_id")
        ),
        sa.ForeignKeyConstraint(
            ["presiding_id"], ["account.id"], name=op.f("fk_reception_session_presiding_id")
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["unit.id"], name=op.f("fk_reception_session_unit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reception_session")),
        sa.UniqueConstraint("code", name=op.f("uq_reception_session_code")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_reception_session_idempotency_key")),
    )
    op.create_index(
        "ix_reception_session_starts_at", "reception_session", ["starts_at"], unique=False
    )
    op.create_index("ix_reception_session_unit_id", "reception_session", ["unit_id"], unique=False)

    op.create_table(
        "ticket",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("need", sa.String(), nullable=False),
        sa.Column("priority", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("called_at", INSTANT, nullable=True),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.Column("served_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'called', 'serving', 'done', 'absent')",
            name=op.f("ck_ticket_state_known"),
        ),
        sa.ForeignKeyConstraint(["served_by"], ["account.id"], name=op.f("fk_ticket_served_by")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_ticket_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
        sa.UniqueConstraint("unit_id", "on", "number", name=op.f("uq_ticket_unit_id_on_number")),
    )
    op.create_table(
        "agenda_item",
        sa.Column("reception_session_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("petition_id", sa.Uuid(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("planned_minutes", sa.Integer(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_agenda_item_case_id")),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petition.id"], name=op.f("fk_agenda_item_petition_id")
        ),
        sa.ForeignKeyConstraint(
            ["reception_session_id"],
            ["reception_session.id"],
            name=op.f("fk_agenda_item_reception_session_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agenda_item")),
        sa.UniqueConstraint(
            "reception_session_id", "seq", name=op.f("uq_agenda_item_reception_session_id_seq")
        ),
    )
    op.create_index("ix_agenda_item_case_id", "agenda_item", ["case_id"], unique=False)
    op.create_index("ix_agenda_item_petition_id", "agenda_item", ["petition_id"], unique=False)

    op.create_table(
        "case_link",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("petition_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("undone_at", INSTANT, nullable=True),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.Column("undo_reason", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "kind IN ('same_matter', 'repeat', 'second_round', 'related')",
            name=op.f("ck_case_link_kind_known"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_case_link_case_id")),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petition.id"], name=op.f("fk_case_link_petition_id")
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["account.id"], name=op.f("fk_case_link_proposed_by")
        ),
        sa.ForeignKeyConstraint(["undone_by"], ["account.id"], name=op.f("fk_case_link_undone_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_link")),
    )
    op.create_index("ix_case_link_case_id", "case_link", ["case_id"], unique=False)
    op.create_index("ix_case_link_petition_id", "case_link", ["petition_id"], unique=False)

    op.create_table(
        "denouncer_identity",
        sa.Column("petition_id", sa.Uuid(), nullable=False),
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("identity_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petition.id"], name=op.f("fk_denouncer_identity_petition_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_denouncer_identity")),
        sa.UniqueConstraint("petition_id", name=op.f("uq_denouncer_identity_petition_id")),
    )
    op.create_table(
        "denunciation_vault",
        sa.Column("petition_id", sa.Uuid(), nullable=False),
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("parties_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petition.id"], name=op.f("fk_denunciation_vault_petition_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_denunciation_vault")),
        sa.UniqueConstraint("petition_id", name=op.f("uq_denunciation_vault_petition_id")),
    )
    op.create_table(
        "digitised_document",
        sa.Column("petition_id", sa.Uuid(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("sealed_object_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("paper_reference", sa.String(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("checked_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["case.id"], name=op.f("fk_digitised_document_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["checked_by"], ["account.id"], name=op.f("fk_digitised_document_checked_by")
        ),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petition.id"], name=op.f("fk_digitised_document_petition_id")
        ),
        sa.ForeignKeyConstraint(
            ["sealed_object_id"],
            ["sealed_object.id"],
            name=op.f("fk_digitised_document_sealed_object_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digitised_document")),
    )
    op.create_index(
        "ix_digitised_document_case_id", "digitised_document", ["case_id"], unique=False
    )
    op.create_index(
        "ix_digitised_document_petition_id", "digitised_document", ["petition_id"], unique=False
    )

    op.create_table(
        "involvement",
        sa.Column("petition_id", sa.Uuid(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "part IN ('assigned', 'identity', 'conflicted', 'own_act', 'owner')",
            name=op.f("ck_involvement_part_known"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_involvement_case_id")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_involvement_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petition.id"], name=op.f("fk_involvement_petition_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_involvement")),
        sa.UniqueConstraint(
            "petition_id",
            "case_id",
            "person_id",
            "part",
            name=op.f("uq_involvement_petition_id_case_id_person_id_part"),
        ),
    )
    op.create_index("ix_involvement_case_id", "involvement", ["case_id"], unique=False)
    op.create_index("ix_involvement_person_id", "involvement", ["person_id"], unique=False)
    op.create_index("ix_involvement_petition_id", "involvement", ["petition_id"], unique=False)

    op.create_table(
        "petition_assessment",
        sa.Column("petition_id", sa.Uuid(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("assessed_by", sa.Uuid(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("eligible", sa.Boolean(), nullable=False),
        sa.Column("not_eligible_ground", sa.String(), nullable=False),
        sa.Column("respondent", sa.String(), nullable=False),
        sa.Column("competent_unit_id", sa.Uuid(), nullable=True),
        sa.Column("competence_sentence", sa.String(), nullable=False),
        sa.Column("competence_source", sa.String(), nullable=False),
        sa.Column("needs_confirmation", sa.Boolean(), nullable=False),
        sa.Column("clear_evidence", sa.Boolean(), nullable=False),
        sa.Column("copied_to_competent_body", sa.Boolean(), nullable=False),
        sa.Column("from_elected_body_or_press", sa.Boolean(), nullable=False),
        sa.Column("criminal_signs", sa.Boolean(), nullable=False),
        sa.Column("many_places", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "eligible OR not_eligible_ground <> ''",
            name=op.f("ck_petition_assessment_refusal_has_ground"),
        ),
        sa.ForeignKeyConstraint(
            ["assessed_by"], ["account.id"], name=op.f("fk_petition_assessment_assessed_by")
        ),
        sa.ForeignKeyConstraint(
            ["competent_unit_id"],
            ["unit.id"],
            name=op.f("fk_petition_assessment_competent_unit_id"),
        ),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petition.id"], name=op.f("fk_petition_assessment_petition_id")
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["unit.id"], name=op.f("fk_petition_assessment_unit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_petition_assessment")),
    )
    op.create_index(
        "ix_petition_assessment_petition_id", "petition_assessment", ["petition_id"], unique=False
    )

    op.create_table(
        "petition_draft",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("page", sa.String(), nullable=False),
        sa.Column("data_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("petition_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_petition_draft_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petition.id"], name=op.f("fk_petition_draft_petition_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_petition_draft_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_petition_draft")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_petition_draft_token_hash")),
    )
    op.create_table(
        "petition_identifier",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("petition_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petition.id"], name=op.f("fk_petition_identifier_petition_id")
        ),
        sa.PrimaryKeyConstraint(
            "kind", "value", "petition_id", name=op.f("pk_petition_identifier")
        ),
    )
    op.create_index(
        "ix_petition_identifier_petition_id", "petition_identifier", ["petition_id"], unique=False
    )

    op.create_table(
        "petition_party",
        sa.Column("petition_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "part IN ('complainant', 'representative', 'authorised_person', 'member')",
            name=op.f("ck_petition_party_part_known"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_petition_party_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petition.id"], name=op.f("fk_petition_party_petition_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_petition_party")),
        sa.UniqueConstraint(
            "petition_id", "person_id", name=op.f("uq_petition_party_petition_id_person_id")
        ),
    )
    op.create_index("ix_petition_party_person_id", "petition_party", ["person_id"], unique=False)

    op.create_table(
        "procedure_run",
        sa.Column("procedure", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("petition_id", sa.Uuid(), nullable=True),
        sa.Column("reception_session_id", sa.Uuid(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "(petition_id IS NOT NULL AND reception_session_id IS NULL AND case_id IS NULL) OR (petition_id IS NULL AND reception_session_id IS NOT NULL AND case_id IS NULL) OR (petition_id IS NULL AND reception_session_id IS NULL AND case_id IS NOT NULL)",
            name=op.f("ck_procedure_run_one_subject"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_procedure_run_case_id")),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petition.id"], name=op.f("fk_procedure_run_petition_id")
        ),
        sa.ForeignKeyConstraint(
            ["reception_session_id"],
            ["reception_session.id"],
            name=op.f("fk_procedure_run_reception_session_id"),
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_procedure_run_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procedure_run")),
        sa.UniqueConstraint(
            "case_id", "procedure", "round", name=op.f("uq_procedure_run_case_id_procedure_round")
        ),
        sa.UniqueConstraint(
            "petition_id", "procedure", name=op.f("uq_procedure_run_petition_id_procedure")
        ),
        sa.UniqueConstraint(
            "reception_session_id",
            "procedure",
            name=op.f("uq_procedure_run_reception_session_id_procedure"),
        ),
    )
    op.create_table(
        "recording",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("reception_session_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("secrecy", sa.String(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("sealed_at", INSTANT, nullable=True),
        sa.Column("playable_at", INSTANT, nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("manifest_object_id", sa.Uuid(), nullable=True),
        sa.Column("manifest_sha256", sa.LargeBinary(length=32), nullable=True),
        sa.Column("certificate_object_id", sa.Uuid(), nullable=True),
        sa.Column("signature_state", sa.String(), nullable=False),
        sa.Column("checked_at", INSTANT, nullable=True),
        sa.Column("check_result", sa.String(), nullable=False),
        sa.Column("retention_code", sa.String(), nullable=False),
        sa.Column("completed_year", sa.Integer(), nullable=True),
        sa.Column("legal_hold", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "signature_state IN ('unsigned', 'signed', 'verified')",
            name=op.f("ck_recording_signature_state_known"),
        ),
        sa.CheckConstraint(
            "state IN ('recording', 'closing', 'sealed', 'broken')",
            name=op.f("ck_recording_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["certificate_object_id"],
            ["sealed_object.id"],
            name=op.f("fk_recording_certificate_object_id"),
        ),
        sa.ForeignKeyConstraint(
            ["manifest_object_id"],
            ["sealed_object.id"],
            name=op.f("fk_recording_manifest_object_id"),
        ),
        sa.ForeignKeyConstraint(
            ["reception_session_id"],
            ["reception_session.id"],
            name=op.f("fk_recording_reception_session_id"),
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_recording_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording")),
        sa.UniqueConstraint("code", name=op.f("uq_recording_code")),
        sa.UniqueConstraint("reception_session_id", name=op.f("uq_recording_reception_session_id")),
    )
    op.create_table(
        "search_document",
        sa.Column("search_id", COUNTER, autoincrement=False, nullable=False),
        sa.Column("petition_id", sa.Uuid(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("exact", sa.String(), nullable=False),
        sa.Column("folded", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_search_document_case_id")),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petition.id"], name=op.f("fk_search_document_petition_id")
        ),
        sa.PrimaryKeyConstraint("search_id", name=op.f("pk_search_document")),
        sa.UniqueConstraint("case_id", name=op.f("uq_search_document_case_id")),
        sa.UniqueConstraint("petition_id", name=op.f("uq_search_document_petition_id")),
    )
    op.create_table(
        "session_point",
        sa.Column("reception_session_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("seat", sa.Integer(), nullable=False),
        sa.Column("notified_at", INSTANT, nullable=True),
        sa.Column("tested_at", INSTANT, nullable=True),
        sa.Column("tested_by", sa.Uuid(), nullable=True),
        sa.Column("test_result", JSON, nullable=True),
        sa.Column("connected_at", INSTANT, nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('central', 'component')", name=op.f("ck_session_point_kind_known")
        ),
        sa.ForeignKeyConstraint(
            ["reception_session_id"],
            ["reception_session.id"],
            name=op.f("fk_session_point_reception_session_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tested_by"], ["account.id"], name=op.f("fk_session_point_tested_by")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_session_point_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_point")),
        sa.UniqueConstraint(
            "reception_session_id", "seat", name=op.f("uq_session_point_reception_session_id_seat")
        ),
    )
    op.create_table(
        "unrelated_petition",
        sa.Column("petition_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["account.id"], name=op.f("fk_unrelated_petition_decided_by")
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["petition.id"], name=op.f("fk_unrelated_petition_other_id")
        ),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petition.id"], name=op.f("fk_unrelated_petition_petition_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unrelated_petition")),
        sa.UniqueConstraint(
            "petition_id", "other_id", name=op.f("uq_unrelated_petition_petition_id_other_id")
        ),
    )
    op.create_index(
        "ix_unrelated_petition_other_id", "unrelated_petition", ["other_id"], unique=False
    )

    op.create_table(
        "visit",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("book_year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("reception_session_id", sa.Uuid(), nullable=True),
        sa.Column("petition_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("received_by", sa.Uuid(), nullable=False),
        sa.Column("by_head", sa.Boolean(), nullable=False),
        sa.Column("delegated", sa.Boolean(), nullable=False),
        sa.Column("visitor_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("identity_paper_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("answer_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("field_code", sa.String(), nullable=True),
        sa.Column("secrecy", sa.String(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("settled_by", sa.String(), nullable=False),
        sa.Column("within_jurisdiction", sa.Boolean(), nullable=True),
        sa.Column("guidance", sa.String(), nullable=False),
        sa.Column("acceptance", sa.String(), nullable=False),
        sa.Column("follow_up", sa.String(), nullable=False),
        sa.Column("remark", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("refusal_ground", sa.String(), nullable=False),
        sa.Column("corrects_reason", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "outcome IN ('petition', 'oral_guidance', 'refused', 'papers_received', 'heard')",
            name=op.f("ck_visit_outcome_known"),
        ),
        sa.CheckConstraint("people >= 1", name=op.f("ck_visit_people_positive")),
        sa.ForeignKeyConstraint(["field_code"], ["field.code"], name=op.f("fk_visit_field_code")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_visit_person_id")),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petition.id"], name=op.f("fk_visit_petition_id")
        ),
        sa.ForeignKeyConstraint(["received_by"], ["account.id"], name=op.f("fk_visit_received_by")),
        sa.ForeignKeyConstraint(
            ["reception_session_id"],
            ["reception_session.id"],
            name=op.f("fk_visit_reception_session_id"),
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_visit_ticket_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_visit_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_visit_idempotency_key")),
        sa.UniqueConstraint(
            "unit_id",
            "book_year",
            "number",
            "edition",
            name=op.f("uq_visit_unit_id_book_year_number_edition"),
        ),
    )
    op.create_index("ix_visit_person_id", "visit", ["person_id"], unique=False)
    op.create_index("ix_visit_petition_id", "visit", ["petition_id"], unique=False)
    op.create_index("ix_visit_unit_on", "visit", ["unit_id", "on"], unique=False)

    op.create_table(
        "attachment",
        sa.Column("petition_id", sa.Uuid(), nullable=True),
        sa.Column("draft_id", sa.Uuid(), nullable=True),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("file_name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("sealed_object_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("removed_at", INSTANT, nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "part IN ('signed_petition', 'evidence', 'envelope', 'digital_petition', 'authority')",
            name=op.f("ck_attachment_part_known"),
        ),
        sa.CheckConstraint(
            "petition_id IS NOT NULL OR draft_id IS NOT NULL",
            name=op.f("ck_attachment_belongs_somewhere"),
        ),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["petition_draft.id"], name=op.f("fk_attachment_draft_id")
        ),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petition.id"], name=op.f("fk_attachment_petition_id")
        ),
        sa.ForeignKeyConstraint(
            ["sealed_object_id"], ["sealed_object.id"], name=op.f("fk_attachment_sealed_object_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    op.create_index("ix_attachment_draft_id", "attachment", ["draft_id"], unique=False)
    op.create_index("ix_attachment_petition_id", "attachment", ["petition_id"], unique=False)

    op.create_table(
        "issued_document",
        sa.Column("petition_id", sa.Uuid(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("reception_session_id", sa.Uuid(), nullable=True),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("book", sa.String(), nullable=True),
        sa.Column("book_year", sa.Integer(), nullable=True),
        sa.Column("book_number", sa.Integer(), nullable=True),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("fields_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("drafted_by", sa.Uuid(), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("sealed_object_id", sa.Uuid(), nullable=True),
        sa.Column("signature_state", sa.String(), nullable=False),
        sa.Column("check_code", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'approved', 'signed', 'issued', 'withdrawn')",
            name=op.f("ck_issued_document_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["approved_by"], ["account.id"], name=op.f("fk_issued_document_approved_by")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_issued_document_case_id")),
        sa.ForeignKeyConstraint(
            ["drafted_by"], ["account.id"], name=op.f("fk_issued_document_drafted_by")
        ),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petition.id"], name=op.f("fk_issued_document_petition_id")
        ),
        sa.ForeignKeyConstraint(
            ["reception_session_id"],
            ["reception_session.id"],
            name=op.f("fk_issued_document_reception_session_id"),
        ),
        sa.ForeignKeyConstraint(
            ["sealed_object_id"],
            ["sealed_object.id"],
            name=op.f("fk_issued_document_sealed_object_id"),
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_issued_document_unit_id")),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visit.id"], name=op.f("fk_issued_document_visit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issued_document")),
        sa.UniqueConstraint("check_code", name=op.f("uq_issued_document_check_code")),
        sa.UniqueConstraint(
            "unit_id",
            "book",
            "book_year",
            "book_number",
            name=op.f("uq_issued_document_unit_id_book_book_year_book_number"),
        ),
    )
    op.create_index("ix_issued_document_case_id", "issued_document", ["case_id"], unique=False)
    op.create_index(
        "ix_issued_document_petition_id", "issued_document", ["petition_id"], unique=False
    )
    op.create_index(
        "ix_issued_document_reception_session_id",
        "issued_document",
        ["reception_session_id"],
        unique=False,
    )
    op.create_index("ix_issued_document_visit_id", "issued_document", ["visit_id"], unique=False)

    op.create_table(
        "marker",
        sa.Column("reception_session_id", sa.Uuid(), nullable=False),
        sa.Column("agenda_item_id", sa.Uuid(), nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agenda_item_id"], ["agenda_item.id"], name=op.f("fk_marker_agenda_item_id")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["account.id"], name=op.f("fk_marker_author_id")),
        sa.ForeignKeyConstraint(
            ["reception_session_id"],
            ["reception_session.id"],
            name=op.f("fk_marker_reception_session_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_marker")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_marker_idempotency_key")),
    )
    op.create_index(
        "ix_marker_reception_session_id", "marker", ["reception_session_id"], unique=False
    )

    op.create_table(
        "participant",
        sa.Column("reception_session_id", sa.Uuid(), nullable=False),
        sa.Column("point_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("petition_id", sa.Uuid(), nullable=True),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("join_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("notice_seen_at", INSTANT, nullable=True),
        sa.Column("waiting_at", INSTANT, nullable=True),
        sa.Column("admitted_at", INSTANT, nullable=True),
        sa.Column("last_seen_at", INSTANT, nullable=True),
        sa.Column("identity_checked_at", INSTANT, nullable=True),
        sa.Column("hand_raised_at", INSTANT, nullable=True),
        sa.Column("speaking_since_at", INSTANT, nullable=True),
        sa.Column("audio_only", sa.Boolean(), nullable=False),
        sa.Column("device_check", JSON, nullable=True),
        sa.Column("line", JSON, nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "part IN ('chair', 'clerk', 'officer', 'citizen', 'representative', 'interpreter', 'technician', 'guest')",
            name=op.f("ck_participant_part_known"),
        ),
        sa.CheckConstraint(
            "state IN ('invited', 'waiting', 'admitted', 'in_room', 'dropped', 'left', 'refused')",
            name=op.f("ck_participant_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_participant_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_participant_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petition.id"], name=op.f("fk_participant_petition_id")
        ),
        sa.ForeignKeyConstraint(
            ["point_id"], ["session_point.id"], name=op.f("fk_participant_point_id")
        ),
        sa.ForeignKeyConstraint(
            ["reception_session_id"],
            ["reception_session.id"],
            name=op.f("fk_participant_reception_session_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participant")),
        sa.UniqueConstraint("join_hash", name=op.f("uq_participant_join_hash")),
    )
    op.create_index("ix_participant_petition_id", "participant", ["petition_id"], unique=False)
    op.create_index(
        "ix_participant_reception_session_id", "participant", ["reception_session_id"], unique=False
    )

    op.create_table(
        "playback_grant",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("recording_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("document_number", sa.String(), nullable=False),
        sa.Column("closed_parts", sa.Boolean(), nullable=False),
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
            name=op.f("ck_playback_grant_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_playback_grant_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["account.id"], name=op.f("fk_playback_grant_decided_by")
        ),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recording.id"], name=op.f("fk_playback_grant_recording_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playback_grant")),
        sa.UniqueConstraint("code", name=op.f("uq_playback_grant_code")),
    )
    op.create_index("ix_playback_grant_account_id", "playback_grant", ["account_id"], unique=False)
    op.create_index(
        "ix_playback_grant_recording_id", "playback_grant", ["recording_id"], unique=False
    )

    op.create_table(
        "procedure_step",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("from_state", sa.String(), nullable=False),
        sa.Column("to_state", sa.String(), nullable=False),
        sa.Column("procedure_version", sa.String(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("internal_reason_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("undoes_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["account.id"], name=op.f("fk_procedure_step_actor_id")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["procedure_run.id"], name=op.f("fk_procedure_step_run_id")
        ),
        sa.ForeignKeyConstraint(
            ["undoes_id"], ["procedure_step.id"], name=op.f("fk_procedure_step_undoes_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_procedure_step_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procedure_step")),
        sa.UniqueConstraint("run_id", "seq", name=op.f("uq_procedure_step_run_id_seq")),
    )
    op.create_table(
        "segment",
        sa.Column("recording_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("room", sa.String(), nullable=False),
        sa.Column("room_secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("media_server", sa.String(), nullable=False),
        sa.Column("secrecy", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("sealed_bytes", sa.Integer(), nullable=False),
        sa.Column("last_sealed_at", INSTANT, nullable=True),
        sa.Column("chain_head", sa.LargeBinary(length=32), nullable=True),
        sa.Column("unsealed_lag_ms", sa.Integer(), nullable=True),
        sa.Column("alarm", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recording.id"], name=op.f("fk_segment_recording_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment")),
        sa.UniqueConstraint("recording_id", "seq", name=op.f("uq_segment_recording_id_seq")),
        sa.UniqueConstraint("room", name=op.f("uq_segment_room")),
    )
    op.create_table(
        "conclusion",
        sa.Column("reception_session_id", sa.Uuid(), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["issued_document.id"], name=op.f("fk_conclusion_document_id")
        ),
        sa.ForeignKeyConstraint(
            ["reception_session_id"],
            ["reception_session.id"],
            name=op.f("fk_conclusion_reception_session_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conclusion")),
    )
    op.create_index(
        "ix_conclusion_reception_session_id", "conclusion", ["reception_session_id"], unique=False
    )

    op.create_table(
        "deadline",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("base_last_day_on", sa.Date(), nullable=False),
        sa.Column("last_day_on", sa.Date(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("day_unit", sa.String(), nullable=False),
        sa.Column("before", sa.Boolean(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("rule_from_on", sa.Date(), nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("needs_confirmation", sa.Boolean(), nullable=False),
        sa.Column("met_on", sa.Date(), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "day_unit IN ('working', 'calendar', 'hour')", name=op.f("ck_deadline_day_unit_known")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["procedure_run.id"], name=op.f("fk_deadline_run_id")),
        sa.ForeignKeyConstraint(
            ["step_id"], ["procedure_step.id"], name=op.f("fk_deadline_step_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline")),
    )
    op.create_index("ix_deadline_last_day_met", "deadline", ["last_day_on", "met_on"], unique=False)
    op.create_index("ix_deadline_run_id", "deadline", ["run_id"], unique=False)

    op.create_table(
        "decision",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("amounts", JSON, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_decision_case_id")),
        sa.ForeignKeyConstraint(
            ["document_id"], ["issued_document.id"], name=op.f("fk_decision_document_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_decision_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index("ix_decision_case_id", "decision", ["case_id"], unique=False)

    op.create_table(
        "live_chunk",
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version_id", sa.String(), nullable=False),
        sa.Column("sealed_size", sa.Integer(), nullable=False),
        sa.Column("sealed_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("chain_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("slices", JSON, nullable=False),
        sa.Column("stored_at", INSTANT, nullable=False),
        sa.Column("deleted_at", INSTANT, nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segment.id"], name=op.f("fk_live_chunk_segment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_chunk")),
        sa.UniqueConstraint("segment_id", "number", name=op.f("uq_live_chunk_segment_id_number")),
    )
    op.create_table(
        "media_join",
        sa.Column("media_id", sa.String(), nullable=False),
        sa.Column("participant_id", sa.Uuid(), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_media_join_participant_id")
        ),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segment.id"], name=op.f("fk_media_join_segment_id")
        ),
        sa.PrimaryKeyConstraint("media_id", name=op.f("pk_media_join")),
    )
    op.create_index("ix_media_join_participant_id", "media_join", ["participant_id"], unique=False)
    op.create_index("ix_media_join_segment_id", "media_join", ["segment_id"], unique=False)

    op.create_table(
        "minutes",
        sa.Column("reception_session_id", sa.Uuid(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'read_back', 'signed')", name=op.f("ck_minutes_state_known")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["account.id"], name=op.f("fk_minutes_author_id")),
        sa.ForeignKeyConstraint(
            ["document_id"], ["issued_document.id"], name=op.f("fk_minutes_document_id")
        ),
        sa.ForeignKeyConstraint(
            ["reception_session_id"],
            ["reception_session.id"],
            name=op.f("fk_minutes_reception_session_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_minutes")),
        sa.UniqueConstraint(
            "reception_session_id", "edition", name=op.f("uq_minutes_reception_session_id_edition")
        ),
    )
    op.create_table(
        "petition_request",
        sa.Column("petition_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("attachment_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "kind IN ('withdraw', 'withdraw_part', 'hurry')",
            name=op.f("ck_petition_request_kind_known"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'done', 'refused')", name=op.f("ck_petition_request_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["account.id"], name=op.f("fk_petition_request_answered_by")
        ),
        sa.ForeignKeyConstraint(
            ["attachment_id"], ["attachment.id"], name=op.f("fk_petition_request_attachment_id")
        ),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petition.id"], name=op.f("fk_petition_request_petition_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_petition_request")),
    )
    op.create_index(
        "ix_petition_request_petition_id", "petition_request", ["petition_id"], unique=False
    )

    op.create_table(
        "playable_copy",
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("join", sa.String(), nullable=False),
        sa.Column("participant_id", sa.Uuid(), nullable=True),
        sa.Column("sealed_object_id", sa.Uuid(), nullable=False),
        sa.Column("offset_ms", sa.Integer(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("has_audio", sa.Boolean(), nullable=False),
        sa.Column("has_video", sa.Boolean(), nullable=False),
        sa.Column("peaks", JSON, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_playable_copy_participant_id")
        ),
        sa.ForeignKeyConstraint(
            ["sealed_object_id"],
            ["sealed_object.id"],
            name=op.f("fk_playable_copy_sealed_object_id"),
        ),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segment.id"], name=op.f("fk_playable_copy_segment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playable_copy")),
        sa.UniqueConstraint("segment_id", "join", name=op.f("uq_playable_copy_segment_id_join")),
    )
    op.create_table(
        "playback_opening",
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("recording_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("last_read_at", INSTANT, nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("bytes_served", sa.Integer(), nullable=False),
        sa.Column("ranges", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_playback_opening_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["playback_grant.id"], name=op.f("fk_playback_opening_grant_id")
        ),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recording.id"], name=op.f("fk_playback_opening_recording_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playback_opening")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_playback_opening_token_hash")),
    )
    op.create_index("ix_playback_opening_grant_id", "playback_opening", ["grant_id"], unique=False)
    op.create_index(
        "ix_playback_opening_recording_id", "playback_opening", ["recording_id"], unique=False
    )

    op.create_table(
        "presence_event",
        sa.Column("reception_session_id", sa.Uuid(), nullable=False),
        sa.Column("participant_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_presence_event_participant_id")
        ),
        sa.ForeignKeyConstraint(
            ["reception_session_id"],
            ["reception_session.id"],
            name=op.f("fk_presence_event_reception_session_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presence_event")),
    )
    op.create_index(
        "ix_presence_event_reception_session_id",
        "presence_event",
        ["reception_session_id"],
        unique=False,
    )

    op.create_table(
        "track",
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("participant_id", sa.Uuid(), nullable=True),
        sa.Column("media", sa.String(), nullable=False),
        sa.Column("codec", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("first_arrival_at", INSTANT, nullable=True),
        sa.Column("last_arrival_ms", sa.Integer(), nullable=True),
        sa.Column("plain_size", sa.Integer(), nullable=False),
        sa.Column("plain_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("drift_ms", sa.Integer(), nullable=True),
        sa.Column("lost_packets", sa.Integer(), nullable=True),
        sa.Column("gaps", JSON, nullable=False),
        sa.Column("master_object_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("media IN ('audio', 'video')", name=op.f("ck_track_media_known")),
        sa.ForeignKeyConstraint(
            ["master_object_id"], ["sealed_object.id"], name=op.f("fk_track_master_object_id")
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participant.id"], name=op.f("fk_track_participant_id")
        ),
        sa.ForeignKeyConstraint(["segment_id"], ["segment.id"], name=op.f("fk_track_segment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_track")),
        sa.UniqueConstraint("segment_id", "file_name", name=op.f("uq_track_segment_id_file_name")),
    )
    op.create_table(
        "transfer",
        sa.Column("petition_id", sa.Uuid(), nullable=False),
        sa.Column("from_unit_id", sa.Uuid(), nullable=False),
        sa.Column("to_unit_id", sa.Uuid(), nullable=True),
        sa.Column("to_body", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("sent_by", sa.Uuid(), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.Column("received_by", sa.Uuid(), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("taken_back_at", INSTANT, nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "to_unit_id IS NOT NULL OR to_body <> ''", name=op.f("ck_transfer_goes_somewhere")
        ),
        sa.ForeignKeyConstraint(
            ["document_id"], ["issued_document.id"], name=op.f("fk_transfer_document_id")
        ),
        sa.ForeignKeyConstraint(
            ["from_unit_id"], ["unit.id"], name=op.f("fk_transfer_from_unit_id")
        ),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petition.id"], name=op.f("fk_transfer_petition_id")
        ),
        sa.ForeignKeyConstraint(
            ["received_by"], ["account.id"], name=op.f("fk_transfer_received_by")
        ),
        sa.ForeignKeyConstraint(["sent_by"], ["account.id"], name=op.f("fk_transfer_sent_by")),
        sa.ForeignKeyConstraint(["to_unit_id"], ["unit.id"], name=op.f("fk_transfer_to_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
    )
    op.create_index("ix_transfer_petition_id", "transfer", ["petition_id"], unique=False)
    op.create_index("ix_transfer_to_unit_id", "transfer", ["to_unit_id"], unique=False)

    op.create_table(
        "deadline_change",
        sa.Column("deadline_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "kind IN ('extension', 'suspension', 'complex')",
            name=op.f("ck_deadline_change_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["deadline_id"], ["deadline.id"], name=op.f("fk_deadline_change_deadline_id")
        ),
        sa.ForeignKeyConstraint(
            ["document_id"], ["issued_document.id"], name=op.f("fk_deadline_change_document_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline_change")),
    )
    op.create_index(
        "ix_deadline_change_deadline_id", "deadline_change", ["deadline_id"], unique=False
    )

    op.create_table(
        "enforcement",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("money_million_vnd", sa.Numeric(precision=16, scale=3), nullable=True),
        sa.Column("land_m2", sa.Numeric(precision=16, scale=2), nullable=True),
        sa.Column("people", sa.Integer(), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decision.id"], name=op.f("fk_enforcement_decision_id")
        ),
        sa.ForeignKeyConstraint(
            ["document_id"], ["issued_document.id"], name=op.f("fk_enforcement_document_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enforcement")),
    )
    op.create_index("ix_enforcement_decision_id", "enforcement", ["decision_id"], unique=False)
    # The row that fences the sequencer is there from the start: two of them never race to make it.
    op.execute("INSERT INTO audit_tree (id, size, fence, holder) VALUES (1, 0, 0, '')")
    _create_search_index()


def _create_search_index() -> None:
    """Full text over exact and folded words; each database with its own engine."""
    if op.get_bind().dialect.name == "sqlite":
        for statement in SQLITE_SEARCH:
            op.execute(statement)
        return
    op.execute(
        "ALTER TABLE search_document ADD COLUMN tokens tsvector GENERATED ALWAYS AS ("
        "setweight(to_tsvector('simple', exact), 'A') || "
        # Without punctuation, else PostgreSQL takes 1187/qd-ubnd for the name of a file.
        "setweight(to_tsvector('simple', regexp_replace(folded, '[^a-z0-9]+', ' ', 'g')), 'D')"
        ") STORED"
    )
    op.execute("CREATE INDEX search_index_tokens ON search_document USING gin (tokens)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_index")
    for table in TABLES_NEWEST_FIRST:
        op.drop_table(table)
