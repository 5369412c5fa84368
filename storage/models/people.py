"""People, the posts they hold, their accounts and log-ins.

Personal fields end in `_sealed`: AES-256-GCM bound to table, column and row. A `_index`
column is a keyed hash that finds an equal value where such a look-up is lawful.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import Base, Created, Identified, one_of, utc_now


class Person(Identified, Created, Base):
    """A citizen or an officer as a human being."""

    __tablename__ = "person"

    salutation: Mapped[str] = mapped_column(default="")
    name_sealed: Mapped[bytes]
    birth_year_sealed: Mapped[bytes | None]
    citizen_id_sealed: Mapped[bytes | None]
    citizen_id_index: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)
    phone_sealed: Mapped[bytes | None]
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)
    email_sealed: Mapped[bytes | None]
    address_sealed: Mapped[bytes | None]
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    identity_checked_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class PersonNameToken(Base):
    """Keyed hash of one folded syllable of a name: finds people without storing names in clear."""

    __tablename__ = "person_name_token"

    token_index: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)


class Account(Identified, Created, Base):
    """Somebody who can log in. Staff names are public; a citizen's display name is not kept."""

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("oidc_issuer", "oidc_subject"),
        one_of("kind", "staff", "citizen"),
    )

    kind: Mapped[str]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    login: Mapped[str | None] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    oidc_issuer: Mapped[str | None]
    oidc_subject: Mapped[str | None]
    display_name: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    locale: Mapped[str] = mapped_column(default="vi")
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class Post(Identified, Base):
    """Person x role x unit x dates (vị trí công tác)."""

    __tablename__ = "post"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    role: Mapped[str]
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    title: Mapped[str] = mapped_column(default="")
    from_on: Mapped[date]
    to_on: Mapped[date | None]


class LoginSession(Identified, Created, Base):
    """A log-in kept on the server: the cookie holds only a random token."""

    __tablename__ = "login_session"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    csrf_seed: Mapped[bytes] = mapped_column(LargeBinary(32))
    last_seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    user_agent: Mapped[str] = mapped_column(default="")


class RateBucket(Base):
    """Attempts within a window: log-in, code look-up, filing."""

    __tablename__ = "rate_bucket"

    key: Mapped[str] = mapped_column(primary_key=True)
    window_at: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int]


class KeyEncryptionKey(Base):
    """A wrapped key-encryption key: family, retention class and year; never on paper."""

    __tablename__ = "key_encryption_key"
    __table_args__ = (UniqueConstraint("family", "klass", "year", "generation"),)

    kid: Mapped[str] = mapped_column(primary_key=True)
    family: Mapped[str]
    klass: Mapped[str]
    year: Mapped[int]
    generation: Mapped[int] = mapped_column(default=1)
    root_id: Mapped[str]
    wrapped: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    destroyed_at: Mapped[datetime | None]


class KeyDestruction(Identified, Created, Base):
    """Why a KEK was destroyed: asked for by one person, done by another, certified.

    `unreadable` counts by table what can never be opened again; `note` is the signed certificate.
    """

    __tablename__ = "key_destruction"
    __table_args__ = (
        one_of("state", "asked", "done", "withdrawn"),
        CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="two_people"),
        CheckConstraint("state <> 'done' OR decided_by IS NOT NULL", name="done_by_somebody"),
        CheckConstraint("reason <> ''", name="has_reason"),
    )

    kid: Mapped[str] = mapped_column(ForeignKey("key_encryption_key.kid"), index=True)
    reason: Mapped[str]
    state: Mapped[str] = mapped_column(default="asked")
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]
    unreadable: Mapped[dict[str, Any]] = mapped_column(default=dict)
    last_copy_lapses_on: Mapped[date | None]
    note: Mapped[str] = mapped_column(default="")
    name: Mapped[str] = mapped_column(default="")
    version_id: Mapped[str] = mapped_column(default="")


Index("ix_post_account_id_role", Post.account_id, Post.role)
