"""What a person does with an account: log in, log out, end another log-in."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from storage.database import Work, reading, unit_of_work
from storage.identities import PersonData, keep_person
from storage.models import Account, LoginSession, Unit
from storage.models import Post as PostRow
from storage.models.base import utc_now
from storage.queries.units import path_of
from storage.reference import rows
from workflows.access import ROOT, Actor, Post, Role, UnitPath
from workflows.errors import BadInput, DomainError, NotFound

HASHER = PasswordHasher()
TOUCH_AFTER = timedelta(minutes=1)
GUESSED_FIRST = (
    "password", "matkhau", "mậtkhẩu", "tiepcongdan", "tiếpcôngdân", "dongnai", "đồngnai",
    "123456", "abcdef", "qwerty", "111111", "000000",
)  # fmt: skip
"""What attackers try before anything else; compared without marks between the letters."""


class LogInRefused(DomainError):
    """Unknown name or wrong password: both read the same."""

    def __init__(self) -> None:
        super().__init__(
            "Tên đăng nhập hoặc mật khẩu chưa đúng. Gõ lại, hoặc nhờ quản trị của đơn vị cấp lại."
        )


@dataclass(frozen=True)
class LoggedIn:
    """A live log-in: who, and what they may do today."""

    login_session_id: UUID
    account_id: UUID
    display_name: str
    title: str
    actor: Actor


@lru_cache(maxsize=1)
def _decoy() -> str:
    return HASHER.hash(secrets.token_hex(8))


def _password_fits(account: Account | None, password: str) -> bool:
    """Takes the same time for an unknown name as for a wrong password."""
    stored = account.password_hash if account and account.password_hash else _decoy()
    try:
        return HASHER.verify(stored, password) and account is not None
    except (VerifyMismatchError, InvalidHashError):
        return False


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def log_in(login: str, password: str, *, user_agent: str, lasts: timedelta) -> str:
    """Check name and password and open a log-in; returns the token for the cookie.

    Raises LogInRefused. Both outcomes enter the audit log.
    """
    with reading() as work:
        account = work.db_session.scalar(
            select(Account).where(Account.login == login.strip().lower())
        )
    if not _password_fits(account, password) or account is None or not account.active:
        with unit_of_work() as work:
            work.audit("log_in_refused", kind="account", by=account.id if account else None)
        raise LogInRefused
    return open_login(account.id, user_agent=user_agent, lasts=lasts)


def open_login(account_id: UUID, *, user_agent: str, lasts: timedelta) -> str:
    """Open a log-in for an account that was already identified; returns the token."""
    token = secrets.token_urlsafe(32)
    with unit_of_work() as work:
        login_session = work.add(
            LoginSession(
                token_hash=_hash(token),
                account_id=account_id,
                csrf_seed=secrets.token_bytes(32),
                expires_at=utc_now() + lasts,
                user_agent=user_agent[:200],
            )
        )
        work.audit("logged_in", login_session, by=account_id)
    return token


def recognise(token: str, *, idle: timedelta, today: date) -> LoggedIn | None:
    """Who holds this token, while it is live; renews its idle time at most once a minute."""
    now = utc_now()
    with reading() as work:
        row = _live(work.db_session, token, now, idle)
        if row is None:
            return None
        login_session, account = row
        actor, title = actor_of(work.db_session, account, today)
    if now - login_session.last_seen_at > TOUCH_AFTER:
        with unit_of_work() as work:
            work.get(LoginSession, login_session.id).last_seen_at = now
    return LoggedIn(login_session.id, account.id, account.display_name, title, actor)


def _live(
    db_session: Session, token: str, now: datetime, idle: timedelta
) -> tuple[LoginSession, Account] | None:
    found = db_session.execute(
        select(LoginSession, Account)
        .join(Account, Account.id == LoginSession.account_id)
        .where(
            LoginSession.token_hash == _hash(token),
            LoginSession.revoked_at.is_(None),
            LoginSession.expires_at > now,
            LoginSession.last_seen_at > now - idle,
            Account.active,
        )
    ).one_or_none()
    return None if found is None else (found[0], found[1])


def actor_of(db_session: Session, account: Account, today: date) -> tuple[Actor, str]:
    """The actor of an account with the posts in force on a day, and the first post's title."""
    held = db_session.execute(
        select(PostRow, Unit)
        .join(Unit, Unit.id == PostRow.unit_id)
        .where(
            PostRow.account_id == account.id,
            PostRow.from_on <= today,
            or_(PostRow.to_on.is_(None), PostRow.to_on >= today),
        )
        .order_by(PostRow.from_on, PostRow.id)
    ).all()
    posts = tuple(Post(Role(post.role), _works_for(db_session, unit)) for post, unit in held)
    citizen = (Post(Role.CITIZEN, ROOT),)
    return Actor(account.id, account.person_id, (*posts, *citizen)), (
        held[0][0].title if held else ""
    )


def _works_for(db_session: Session, unit: Unit) -> UnitPath:
    """Officers of the reception board or the office work on the records of the province itself."""
    if unit.acts_for_id is None:
        return path_of(unit)
    return path_of(db_session.get_one(Unit, unit.acts_for_id))


def log_out(login_session_id: UUID, *, by: UUID) -> None:
    """End one's own log-in now, on the server."""
    with unit_of_work() as work:
        login_session = work.get(LoginSession, login_session_id)
        if login_session.account_id != by:
            raise NotFound
        login_session.revoked_at = utc_now()
        work.audit("logged_out", login_session, by=by)


def own_log_ins(account_id: UUID) -> Sequence[LoginSession]:
    """The live log-ins of an account, newest first."""
    with reading() as work:
        return work.db_session.scalars(
            select(LoginSession)
            .where(
                LoginSession.account_id == account_id,
                LoginSession.revoked_at.is_(None),
                LoginSession.expires_at > utc_now(),
            )
            .order_by(LoginSession.created_at.desc())
        ).all()


def check_new_password(password: str, *, login: str = "") -> None:
    """Raises BadInput, with the reason, for a password that is short or easily guessed."""
    plain = "".join(letter for letter in password.lower() if letter.isalnum())
    name = "".join(letter for letter in login.lower() if letter.isalnum())
    reasons = {
        "Mật khẩu cần ít nhất 12 ký tự.": len(password) < 12,
        "Mật khẩu cần ít nhất 6 ký tự khác nhau.": len(set(password)) < 6,
        "Mật khẩu không được chứa tên đăng nhập.": len(name) > 3 and name in plain,
        "Mật khẩu dễ đoán. Ghép vài từ không liên quan với nhau thì chắc hơn.": any(
            word in plain for word in GUESSED_FIRST
        ),
    }
    for reason, holds in reasons.items():
        if holds:
            raise BadInput({"password": reason})


def role_name(role: Role) -> str:
    """What a role is called in Vietnamese."""
    return next(row["name_vi"] for row in rows("roles") if row["code"] == role.value)


@dataclass(frozen=True)
class NewOfficer:
    """Somebody who is to log in, with the first post; an empty title takes the role's name."""

    login: str
    name: str
    role: Role
    unit_code: str
    title: str = ""


def create_officer(new: NewOfficer, *, password: str, on: date) -> UUID:
    """Make an account together with its post from a day on; returns the account's id.

    For the command line alone, whose user holds the machine. Raises BadInput.
    """
    login = new.login.strip().lower()
    check_new_password(password, login=login)
    hashed = HASHER.hash(password)
    with unit_of_work() as work:
        unit = work.db_session.scalar(
            select(Unit).where(Unit.code == new.unit_code, Unit.valid_to_on.is_(None))
        )
        if unit is None:
            raise BadInput({"unit": f"Không có đơn vị mã {new.unit_code}. Xem lại mã đơn vị."})
        # Rules about persons (two of them, no side in the matter) bind an account through this row.
        name = new.name.strip()
        person = keep_person(work, PersonData(name=name, unit_id=unit.id), searchable=False)
        account = _add_account(work, login, name, hashed, person.id)
        work.flush()
        work.add(
            PostRow(
                account_id=account.id,
                role=new.role.value,
                unit_id=unit.id,
                title=new.title.strip() or role_name(new.role),
                from_on=on,
            )
        )
        work.audit("account_created", account, by=None, role=new.role.value, unit=unit.id)
        return account.id


def create_account(
    *, login: str, display_name: str, password: str | None, person_id: UUID | None, by: UUID | None
) -> UUID:
    """Make a staff account without posts; returns its id. Raises BadInput."""
    if password is not None:
        check_new_password(password, login=login)
    hashed = HASHER.hash(password) if password else None
    with unit_of_work() as work:
        account = _add_account(work, login.lower(), display_name, hashed, person_id)
        work.audit("account_created", account, by=by)
        return account.id


def _add_account(
    work: Work, login: str, display_name: str, password_hash: str | None, person_id: UUID | None
) -> Account:
    if work.db_session.scalar(select(Account.id).where(Account.login == login)):
        raise BadInput({"login": "Tên đăng nhập này đã có người dùng. Chọn tên khác."})
    return work.add(
        Account(
            kind="staff",
            login=login,
            display_name=display_name,
            password_hash=password_hash,
            person_id=person_id,
        )
    )


@dataclass(frozen=True)
class DemoAccount:
    """A one-click log-in: who, and as what where."""

    id: UUID
    name: str
    duty: str

    @property
    def display_name(self) -> str:
        return f"{self.name} · {self.duty}" if self.duty else self.name


def demo_accounts() -> Sequence[DemoAccount]:
    """Seeded staff accounts for the one-click log-ins of the demo profile."""
    with reading() as work:
        found = work.db_session.execute(
            select(Account, PostRow, Unit)
            .outerjoin(PostRow, PostRow.account_id == Account.id)
            .outerjoin(Unit, Unit.id == PostRow.unit_id)
            .where(Account.kind == "staff", Account.login.like("demo.%"), Account.active)
            .order_by(Account.created_at, Account.id)
        ).all()
    return [
        DemoAccount(account.id, account.display_name, f"{post.title}, {unit.name}" if post else "")
        for account, post, unit in found
    ]
