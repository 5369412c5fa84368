"""Recovery of the root key: two of three shares bring everything back, one brings nothing."""

from __future__ import annotations

import json
import secrets
from itertools import permutations
from uuid import UUID

import pytest
from flask import Flask, current_app
from hypothesis import given
from hypothesis import settings as thorough
from hypothesis import strategies as st
from sqlalchemy import select

from config import Settings
from reception import create_app
from reception.services import root_place
from storage.database import reading, unit_of_work
from storage.identities import PersonData, keep_person, person_name
from storage.keyring import RootKeyMissing
from storage.models import AuditLeaf, Person
from storage.recovery import (
    RootSecret,
    SharesDisagree,
    ShareUnreadable,
    combine,
    split,
)
from storage.rootkeys import new_root_secret
from tests.support.commands import environment_of, flask


def test_any_two_shares_in_any_order_make_the_key_again() -> None:
    secret = new_root_secret()
    shares = split(secret)
    assert len(set(shares)) == 3
    for pair in permutations(shares, 2):
        assert combine(pair) == secret
    assert combine(shares) == secret


def test_a_share_is_88_letters_that_show_neither_key_nor_each_other() -> None:
    secret = new_root_secret()
    for share in split(secret):
        assert len(share.split("-")) == 22
        assert secret.key.hex() not in share.lower()
    assert "key" not in repr(secret)


def test_one_share_or_twice_the_same_is_not_enough() -> None:
    shares = split(new_root_secret())
    for given_shares in ([], shares[:1], [shares[0], shares[0]]):
        with pytest.raises(SharesDisagree):
            combine(given_shares)


def test_shares_of_two_keys_make_none() -> None:
    first, second = split(new_root_secret()), split(new_root_secret())
    with pytest.raises(SharesDisagree):
        combine([first[0], second[1]])


def test_shares_may_be_typed_small_with_spaces_and_look_alikes() -> None:
    secret = new_root_secret()
    first, second, _ = split(secret)
    typed = first.replace("-", " ").lower().replace("o", "0").replace("i", "1")
    assert combine([f"  {typed} ", second.replace("-", "").replace("B", "8")]) == secret


@thorough(max_examples=60, deadline=None)
@given(position=st.integers(0, 87), letter=st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_a_wrong_letter_is_found_and_the_share_named(position: int, letter: str) -> None:
    first, second, _ = split(RootSecret(f"root-{1:020d}-{7:08x}", bytes(range(32))))
    letters = list(second.replace("-", ""))
    if letters[position] == letter:
        return
    letters[position] = letter
    with pytest.raises(ShareUnreadable, match="thứ 2"):
        combine([first, "".join(letters)])


@pytest.mark.parametrize("typed", ["", "ABCD", "không phải mảnh", "A" * 88])
def test_what_is_no_share_is_refused(typed: str) -> None:
    with pytest.raises(ShareUnreadable):
        combine([typed, typed])


# --- the drill, with the commands an operator runs ------------------------------------------------


@pytest.fixture
def bare(settings: Settings) -> Settings:
    """An installation before its first start: a database, and no key at all."""
    for path in settings.key_dir.glob("*"):
        path.unlink()
    settings.key_dir.rmdir()
    return settings


def _kept_name() -> tuple[UUID, str]:
    with unit_of_work() as work:
        person = keep_person(work, PersonData(name="Nguyễn Thị Hồng Nhung"))
    return person.id, "Nguyễn Thị Hồng Nhung"


def test_drill_root_key_lost_and_recovered_from_two_sheets_of_paper(bare: Settings) -> None:
    environment = environment_of(bare)
    with pytest.raises(RootKeyMissing):
        create_app(bare)
    made = flask(environment, "keys", "init", "--json")
    assert made.returncode == 0, made.stderr
    shares = json.loads(made.stdout)["shares"]
    with create_app(bare).app_context():
        person_id, name = _kept_name()
        again = current_app.test_cli_runner().invoke(args=["keys", "init"])
    assert again.exit_code != 0
    assert not any(share in again.output for share in shares)

    for path in bare.key_dir.glob("*.key"):
        path.unlink()
    with pytest.raises(RootKeyMissing):
        create_app(bare)
    wrong = flask(environment, "keys", "recover", typed=f"{shares[0]}\nABCD\n")
    assert wrong.returncode != 0
    assert "Mảnh thứ 2" in wrong.stderr
    assert not list(bare.key_dir.glob("*.key"))

    back = flask(environment, "keys", "recover", "--json", typed="\n".join(shares[1:]) + "\n")
    assert back.returncode == 0, back.stderr
    found = json.loads(back.stdout[back.stdout.index("{") :])
    assert found["keys_opened"] == found["keys_of_this_root"] > 0
    [path] = bare.key_dir.glob("*.key")
    assert path.stat().st_mode & 0o777 == 0o400
    with create_app(bare).app_context(), reading() as work:
        assert person_name(work.get(Person, person_id)) == name


def test_yearly_try_of_the_shares_changes_nothing_and_leaves_a_leaf(app: Flask) -> None:
    place = root_place(app.extensions["settings"])
    secret = new_root_secret()
    shares = split(secret)
    place.install(secret)
    before = place.ids()
    tried = app.test_cli_runner().invoke(
        args=["keys", "recover", "--check"], input="\n".join(shares[:2]) + "\n"
    )
    assert tried.exit_code == 0, tried.output
    assert place.ids() == before
    with reading() as work:
        leaf = work.db_session.scalars(
            select(AuditLeaf).where(AuditLeaf.action == "recovery_shares_tried")
        ).one()
    assert secret.root_id in leaf.body
    assert not any(share in leaf.body for share in shares)


def test_shares_of_another_installation_are_told_apart(app: Flask) -> None:
    place = root_place(app.extensions["settings"])
    [own] = place.ids()
    with unit_of_work():
        pass  # the year's keys exist now, under the root key of this installation
    forged = split(RootSecret(own, secrets.token_bytes(32)))
    tried = app.test_cli_runner().invoke(
        args=["keys", "recover", "--check"], input="\n".join(forged[:2]) + "\n"
    )
    assert tried.exit_code == 1
    assert "mở được 0/" in tried.output
