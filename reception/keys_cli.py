"""Commands about keys: make and recover the root key, rotate, hold, destroy."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import select

from reception.accounts.operations import actor_of, log_in
from reception.administration import key_operations
from reception.cli import json_option, report
from reception.clock import legal_today
from reception.services import root_place
from reception.settings import settings
from storage.database import reading, unit_of_work
from storage.keyring import KekRow, Keyring, UnsafeKeyStorage
from storage.keyrows import DatabaseKeyRows
from storage.models import Account, KeyDestruction, KeyEncryptionKey
from storage.recovery import NEEDED, RootSecret, combine, split
from storage.rootkeys import new_root_secret, opens
from storage.runtime import runtime
from storage.shredding import due, open_request
from storage.wrapped import count_under, kek_rows, rewrap_keks, rotate, stale_keks
from workflows.access import Actor
from workflows.errors import DomainError

keys = AppGroup("keys", help="The keyring.")
person_option = click.option("--as", "login", required=True, metavar="ACCOUNT", help="Who does it.")


@contextmanager
def _told() -> Iterator[None]:
    """Say what is wrong in one line instead of a trace."""
    try:
        yield
    except DomainError as error:
        raise click.ClickException(error.message) from error
    except (UnsafeKeyStorage, FileExistsError) as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def _bar(label: str) -> Iterator[Callable[[int, int], None]]:
    with click.progressbar(length=1, file=sys.stderr, label=label) as bar:

        def show(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        yield show


# --- the root key --------------------------------------------------------------------------------


@keys.command("init")
@json_option
def keys_init(as_json: bool) -> None:
    """Make the root key and print its three recovery shares, once.

    Any two of them make it again. Print, cut, and give each to another person's safe.
    """
    with _told():
        if root_place(settings()).ids():
            raise click.ClickException(
                "Đã có khóa gốc. Muốn thay khóa gốc: flask keys rotate --root."
            )
        secret = new_root_secret()
        shares = split(secret)
        root_place(settings()).install(secret)
    _print_shares(secret, shares, as_json)


def _print_shares(secret: RootSecret, shares: list[str], as_json: bool) -> None:
    def lines() -> list[str]:
        told = [f"Khóa gốc {secret.root_id}. Ba mảnh khôi phục chỉ in một lần:"]
        for number, share in enumerate(shares, start=1):
            told += ["", f"--- Mảnh {number}/3 · cần 2 mảnh · {secret.root_id} ---", share]
        return [*told, "", "Cất mỗi mảnh một nơi. Thử lại: flask keys recover --check."]

    report({"root": secret.root_id, "shares": shares}, as_json=as_json, lines=lines)


@keys.command("recover")
@click.option("--check", is_flag=True, help="Only try whether the shares still work.")
@json_option
def keys_recover(check: bool, as_json: bool) -> None:
    """Make the root key again from two recovery shares, typed or from standard input."""
    with _told():
        secret = combine(
            click.prompt(f"Mảnh {number}/{NEEDED}", hide_input=sys.stdin.isatty(), err=True)
            for number in range(1, NEEDED + 1)
        )
        opened, total = _opened_by(secret)
        if not check:
            root_place(settings()).install(secret)
    report(
        {"root": secret.root_id, "keys_opened": opened, "keys_of_this_root": total},
        as_json=as_json,
        lines=lambda: [
            f"Khóa gốc {secret.root_id}: mở được {opened}/{total} khóa trong cơ sở dữ liệu."
            + ("" if check else " Đã đặt lại khóa gốc.")
        ],
    )
    if check:
        with unit_of_work() as work:
            work.audit(
                "recovery_shares_tried", kind="root_key", by=None, root=secret.root_id, ok=True
            )
    sys.exit(opened != total)


def _opened_by(secret: RootSecret) -> tuple[int, int]:
    """How many of the stored KEKs that this root key wrapped it opens."""
    with reading() as work:
        rows = [_value(row) for row in kek_rows(work.db_session)]
    own = [row for row in rows if row.root_id == secret.root_id and row.wrapped is not None]
    return sum(opens(secret, row) for row in own), len(own)


def _value(row: KeyEncryptionKey) -> KekRow:
    return KekRow(
        row.kid, row.family, row.klass, row.year, row.generation, row.root_id, row.wrapped
    )


# --- rotation and status -------------------------------------------------------------------------


@keys.command("rotate")
@click.option("--root", is_flag=True, help="A new root key; the wrapped KEKs move under it.")
@json_option
def keys_rotate(root: bool, as_json: bool) -> None:
    """New key-encryption keys, and every data key under them.

    May be broken off at any moment; run it again and it goes on where it was.
    """
    with _told():
        data = _rotate_root(as_json) if root else _rotate_keks()
    if not root:
        report(data, as_json=as_json, lines=lambda: [_rotation_line(data)])


def _rotation_line(data: dict[str, Any]) -> str:
    began = "Làm tiếp lần đổi khóa dở dang" if data["resumed"] else f"{len(data['new'])} khóa mới"
    return f"{began}: đã bọc lại {data['moved']} khóa dữ liệu."


def _rotate_keks() -> dict[str, Any]:
    with _bar("Bọc lại") as show:
        done = rotate(show)
    return {"resumed": done.resumed, "new": done.new, "moved": done.moved}


def _rotate_root(as_json: bool) -> dict[str, Any]:
    place = root_place(settings())
    with reading() as work:
        newest = place.ids()[-1]
        unfinished = any(
            row.wrapped is not None and row.root_id != newest for row in kek_rows(work.db_session)
        )
    if not unfinished:
        secret = new_root_secret()
        shares = split(secret)
        place.install(secret)
        _print_shares(secret, shares, as_json)
    ring = Keyring(place.open(), DatabaseKeyRows(runtime().engine))
    with _bar("Bọc lại KEK") as show:
        moved = rewrap_keks(ring, show)
    with unit_of_work() as work:
        work.audit("root_key_rotated", kind="root_key", by=None, root=ring.root_id, moved=moved)
    click.echo(f"{moved} KEK -> {ring.root_id}", err=True)
    return {"moved": moved}


@keys.command("status")
@json_option
def keys_status(as_json: bool) -> None:
    """List the key-encryption keys: family, class, year, what hangs on them. Never a key."""
    with reading() as work:
        rows = kek_rows(work.db_session)
        counts = {row.kid: count_under(work.db_session, [row.kid]) for row in rows}
        stale = stale_keks(work.db_session)
    data = [
        {
            "kid": row.kid,
            "family": row.family,
            "class": row.klass,
            "year": row.year,
            "generation": row.generation,
            "root": row.root_id,
            "data_keys": sum(counts[row.kid].values()),
            "to_be_moved": row.kid in stale,
            "destroyed": row.destroyed_at is not None,
        }
        for row in rows
    ]
    report(
        {"keys": data, "root_keys": root_place(settings()).ids()},
        as_json=as_json,
        lines=lambda: [_status_line(key) for key in data] or ["Chưa có khóa nào."],
    )


def _status_line(key: dict[str, Any]) -> str:
    place = f"{key['family']}/{key['class']}/{key['year']} lần {key['generation']}"
    marks = ["đã hủy"] if key["destroyed"] else ["cần bọc lại"] if key["to_be_moved"] else []
    return "  ".join([key["kid"], place, f"{key['data_keys']} khóa dữ liệu", *marks])


# --- hold and destruction ------------------------------------------------------------------------


def _identified(login: str) -> Actor:
    """Who types proves it by the password; both outcomes enter the audit log."""
    password = click.prompt(f"Mật khẩu của {login}", hide_input=sys.stdin.isatty(), err=True)
    log_in(login, password, user_agent="command line", lasts=timedelta(seconds=1))
    with reading() as work:
        account = work.db_session.scalar(select(Account).where(Account.login == login.lower()))
        if account is None:
            raise click.BadParameter(f"không có tài khoản {login}", param_hint="--as")
        return actor_of(work.db_session, account, legal_today())[0]


@keys.command("hold")
@click.argument("code", metavar="RECORDING")
@person_option
@click.option("--reason", required=True, help="Number of the document that orders it.")
@click.option("--release", is_flag=True, help="Lift the hold.")
def keys_hold(code: str, login: str, reason: str, release: bool) -> None:
    """Put a recording under legal hold: its keys leave the class that may be destroyed."""
    with _told():
        key_operations.hold(_identified(login), code, on=not release, reason=reason)
    click.echo(f"{code}: {'đã gỡ lệnh giữ' if release else 'đang bị giữ, khóa đã bọc lại'}")


@keys.command("shred")
@click.argument("kid", metavar="ID")
@person_option
@click.option("--reason", default="", help="Number of the decision; the first person gives it.")
@click.option("--withdraw", is_flag=True, help="Take the request back.")
@json_option
def keys_shred(kid: str, login: str, reason: str, withdraw: bool, as_json: bool) -> None:
    """Destroy a key-encryption key: one person asks, another runs the same command.

    Nothing that hangs on it can be read by anybody afterwards. Refused while a term runs, under
    legal hold, and for keys that still wrap.
    """
    with _told():
        by = _identified(login)
        if withdraw:
            key_operations.withdraw_request(by, kid)
            click.echo(f"{kid}: đã rút đề nghị hủy.")
            return
        waiting = key_operations.destruction_waiting(kid)
        today = legal_today()
        if waiting is None:
            found = key_operations.ask_for_destruction(by, kid, reason=reason, today=today)
        else:
            found = key_operations.carry_out_destruction(by, kid, today=today)
    report(_destruction(found), as_json=as_json, lines=lambda: _destruction_lines(found))


@keys.command("due")
@json_option
def keys_due(as_json: bool) -> None:
    """List what may be destroyed because its term ended. Nothing is destroyed by itself."""
    with reading() as work:
        data = [
            {
                "kid": row.kid,
                "family": row.family,
                "class": row.klass,
                "year": row.year,
                "data_keys": count_under(work.db_session, [row.kid]),
                "asked": open_request(work.db_session, row.kid) is not None,
            }
            for row in due(work.db_session, legal_today())
        ]
    report(
        {"due": data},
        as_json=as_json,
        lines=lambda: [_due_line(key) for key in data] or ["Chưa có gì hết thời hạn lưu."],
    )


def _due_line(key: dict[str, Any]) -> str:
    waits = "  chờ người thứ hai" if key["asked"] else ""
    total = sum(key["data_keys"].values())
    return (
        f"{key['kid']}  {key['family']}/{key['class']}/{key['year']}  {total} khóa dữ liệu{waits}"
    )


def _destruction(found: KeyDestruction) -> dict[str, Any]:
    return {
        "kid": found.kid,
        "state": found.state,
        "unreadable": found.unreadable or {},
        "last_copy_lapses_on": found.last_copy_lapses_on,
        "certificate": found.name or "",
    }


def _destruction_lines(found: KeyDestruction) -> list[str]:
    if found.state == "asked":
        return [f"{found.kid}: đã ghi đề nghị hủy, chờ người thứ hai chạy cùng lệnh này."]
    lapses = found.last_copy_lapses_on
    return [
        f"{found.kid}: đã hủy. Bản sao lưu cuối cùng hết hạn ngày {lapses:%d/%m/%Y}.",
        f"Giấy chứng nhận: {found.name}",
        found.note,
    ]


COMMANDS = (keys,)
