"""The root key in a device, with SoftHSM2: it wraps as the file provider does and stays inside."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pkcs11
import pytest
from pkcs11 import Attribute, ObjectClass
from pkcs11.exceptions import AttributeSensitive, PKCS11Error

from config import Settings
from storage.keyring import KeyContext, Keyring, KeyUnusable, UnsafeKeyStorage
from storage.pkcs11_root import open_device
from storage.recovery import combine, split
from storage.rootkeys import Device, RootPlace, new_root_secret
from tests.storage.test_keyring import RowsInMemory
from tests.support.commands import environment_of, flask

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN, TOKEN = "7391-drill", "tcd-root"
CONTEXT = KeyContext("kek", "kek-1/recordings/open/2026/1")


def _token(folder: Path) -> None:
    """An empty token of SoftHSM2 in a folder of its own."""
    (folder / "tokens").mkdir(parents=True)
    conf = folder / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n")
    os.environ["SOFTHSM2_CONF"] = str(conf)
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", TOKEN, "--so-pin", "so-" + PIN,
         "--pin", PIN],
        check=True,
        capture_output=True,
    )  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Iterator[RootPlace]:
    """A token of its own, and a PIN file of its owner's alone."""
    before = os.environ.get("SOFTHSM2_CONF")
    _token(tmp_path / "hsm")
    pkcs11.lib(str(MODULE)).reinitialize()
    pin_file = tmp_path / "pin"
    pin_file.write_text(PIN + "\n")
    pin_file.chmod(0o400)
    yield RootPlace(tmp_path / "keys", (tmp_path / "data",), Device(MODULE, TOKEN, pin_file))
    if before is None:
        os.environ.pop("SOFTHSM2_CONF")
    else:
        os.environ["SOFTHSM2_CONF"] = before


def test_device_wraps_binds_and_opens(place: RootPlace) -> None:
    place.install(new_root_secret())
    root = place.open()
    blob = root.wrap(b"s" * 32, CONTEXT)
    assert root.unwrap(root.current_id(), blob, CONTEXT) == b"s" * 32
    assert b"s" * 32 not in blob
    for other in (KeyContext("kek", "kek-2"), KeyContext("master", CONTEXT.object_id)):
        with pytest.raises(KeyUnusable):
            root.unwrap(root.current_id(), blob, other)


@pytest.mark.parametrize("position", [0, 1, 13, 30, -1])
def test_device_refuses_changed_bytes(place: RootPlace, position: int) -> None:
    place.install(new_root_secret())
    root = place.open()
    blob = bytearray(root.wrap(b"s" * 32, CONTEXT))
    blob[position] ^= 1
    with pytest.raises(KeyUnusable):
        root.unwrap(root.current_id(), bytes(blob), CONTEXT)


def test_keyring_works_over_the_device_and_the_key_never_leaves_it(place: RootPlace) -> None:
    place.install(new_root_secret())
    ring, rows = Keyring(place.open(), RowsInMemory()), RowsInMemory()
    key, wrapped = ring.new_data_key("recordings", "open", 2026, KeyContext("master", "1"))
    assert ring.unwrap(wrapped, KeyContext("master", "1")) == key
    assert not rows.rows
    with open_device(MODULE, TOKEN, PIN) as opened:
        [held] = opened.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY})
        assert held[Attribute.EXTRACTABLE] is False
        with pytest.raises((AttributeSensitive, PKCS11Error)):
            held[Attribute.VALUE]


def test_device_and_file_wrap_alike_so_that_one_can_replace_the_other(
    place: RootPlace, tmp_path: Path
) -> None:
    secret = new_root_secret()
    place.install(secret)
    files = RootPlace(tmp_path / "file-keys", ())
    files.install(secret)
    blob = place.open().wrap(b"s" * 32, CONTEXT)
    assert files.open().unwrap(secret.root_id, blob, CONTEXT) == b"s" * 32
    back = files.open().wrap(b"t" * 32, CONTEXT)
    assert place.open().unwrap(secret.root_id, back, CONTEXT) == b"t" * 32


def test_lost_device_is_replaced_by_a_new_one_from_two_shares(
    place: RootPlace, tmp_path: Path
) -> None:
    secret = new_root_secret()
    shares = split(secret)
    place.install(secret)
    blob = place.open().wrap(b"s" * 32, CONTEXT)
    _token(tmp_path / "new-hsm")
    pkcs11.lib(str(MODULE)).reinitialize()
    with pytest.raises(UnsafeKeyStorage):
        place.open()
    place.install(combine(shares[1:]))
    assert place.open().unwrap(secret.root_id, blob, CONTEXT) == b"s" * 32


def test_same_key_goes_in_once(place: RootPlace) -> None:
    secret = new_root_secret()
    place.install(secret)
    with pytest.raises(UnsafeKeyStorage, match="already"):
        place.install(secret)
    newer = new_root_secret()
    place.install(newer)
    assert place.open().current_id() == newer.root_id
    assert place.ids() == [secret.root_id, newer.root_id]


def test_wrong_pin_missing_token_and_loose_pin_file_stop_the_start(
    place: RootPlace, tmp_path: Path
) -> None:
    place.install(new_root_secret())
    assert place.device is not None
    pin_file = place.device.pin_file
    for device in (
        Device(MODULE, "other-token", pin_file),
        Device(tmp_path / "no-such.so", TOKEN, pin_file),
        Device(MODULE, TOKEN, tmp_path / "no-pin"),
    ):
        with pytest.raises(UnsafeKeyStorage):
            RootPlace(place.directory, (), device).open()
    pin_file.chmod(0o600)
    pin_file.write_text("0000")
    with pytest.raises(UnsafeKeyStorage, match="PinIncorrect"):
        place.open()
    pin_file.chmod(0o644)
    with pytest.raises(UnsafeKeyStorage, match="readable by no other"):
        place.open()


def test_pin_file_inside_the_data_is_refused(place: RootPlace) -> None:
    assert place.device is not None
    inside = RootPlace(place.directory, (place.device.pin_file.parent,), place.device)
    with pytest.raises(UnsafeKeyStorage, match="inside"):
        inside.open()


def test_forked_process_opens_the_device_anew(place: RootPlace) -> None:
    place.install(new_root_secret())
    root = place.open()
    blob = root.wrap(b"s" * 32, CONTEXT)
    child = os.fork()
    if child == 0:
        try:
            same = root.unwrap(root.current_id(), blob, CONTEXT) == b"s" * 32
        finally:
            os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert root.unwrap(root.current_id(), blob, CONTEXT) == b"s" * 32


def test_application_starts_on_a_device_after_keys_init(
    place: RootPlace, settings: Settings
) -> None:
    assert place.device is not None
    environment = environment_of(
        settings,
        KEY_PROVIDER="pkcs11",
        PKCS11_MODULE=str(MODULE),
        PKCS11_TOKEN=TOKEN,
        PKCS11_PIN_FILE=str(place.device.pin_file),
        SOFTHSM2_CONF=os.environ["SOFTHSM2_CONF"],
    )
    made = flask(environment, "keys", "init", "--json")
    assert made.returncode == 0, made.stderr
    told = json.loads(flask(environment, "audit", "checkpoint", "--json").stdout)
    assert told["size"] == 0
    status = json.loads(flask(environment, "keys", "status", "--json").stdout)
    assert status["root_keys"] == [json.loads(made.stdout)["root"]]
    assert {key["root"] for key in status["keys"]} == set(status["root_keys"])
