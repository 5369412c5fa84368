"""Keys: where the root may lie, what opens what, and what a moved or destroyed key gives."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.keyring import (
    DataKey,
    Family,
    FieldCipher,
    FileRootKey,
    KekRow,
    KeyContext,
    KeyDestroyed,
    Keyring,
    KeyUnusable,
    UnsafeKeyStorage,
    WrappedKey,
    create_root_key,
    field_kid,
    open_text,
    seal_text,
)
from storage.sealing import open_bytes, seal_bytes

PERSON = UUID("0190c0de-0000-7000-8000-000000000001")
MASTER = KeyContext("master", "0190c0de")


class RowsInMemory:
    """Rows without a database, as unique as the table's."""

    def __init__(self) -> None:
        self.rows: dict[str, KekRow] = {}

    def _same(self, family: str, klass: str, year: int) -> list[KekRow]:
        return [
            r for r in self.rows.values() if (r.family, r.klass, r.year) == (family, klass, year)
        ]

    def current_kek(self, family: str, klass: str, year: int) -> KekRow | None:
        same = self._same(family, klass, year)
        return max(same, key=lambda row: row.generation, default=None)

    def add_kek(self, row: KekRow) -> KekRow:
        for kept in self._same(row.family, row.klass, row.year):
            if kept.generation == row.generation:
                return kept
        return self.rows.setdefault(row.kid, row)

    def get(self, kid: str) -> KekRow | None:
        return self.rows.get(kid)

    def destroy(self, kid: str) -> None:
        self.rows[kid] = replace(self.rows[kid], wrapped=None)


@pytest.fixture
def key_dir(tmp_path: Path) -> Path:
    create_root_key(tmp_path / "keys")
    return tmp_path / "keys"


@pytest.fixture
def rows() -> RowsInMemory:
    return RowsInMemory()


@pytest.fixture
def keyring(key_dir: Path, rows: RowsInMemory) -> Keyring:
    return Keyring(FileRootKey(key_dir), rows)


@pytest.fixture
def fields(keyring: Keyring) -> FieldCipher:
    return FieldCipher(keyring, year=lambda: 2026)


@pytest.fixture(scope="module")
def lasting_fields(tmp_path_factory: pytest.TempPathFactory) -> FieldCipher:
    directory = tmp_path_factory.mktemp("root") / "keys"
    create_root_key(directory)
    return FieldCipher(Keyring(FileRootKey(directory), RowsInMemory()), year=lambda: 2026)


# --- the root key ---


def test_new_root_key_is_readable_by_its_owner_alone(key_dir):
    [path] = key_dir.glob("*.key")
    assert path.stat().st_mode & 0o777 == 0o400
    assert key_dir.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_size == 32


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o770])
def test_key_directory_open_to_others_is_refused(key_dir, mode):
    key_dir.chmod(mode)
    with pytest.raises(UnsafeKeyStorage, match="readable by no other"):
        FileRootKey(key_dir)


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o644])
def test_key_file_open_to_others_is_refused(key_dir, mode):
    next(key_dir.glob("*.key")).chmod(mode)
    with pytest.raises(UnsafeKeyStorage, match="readable by no other"):
        FileRootKey(key_dir)


def test_key_file_that_is_a_link_is_refused(key_dir, tmp_path):
    target = tmp_path / "elsewhere"
    next(key_dir.glob("*.key")).rename(target)
    (key_dir / "root-link.key").symlink_to(target)
    with pytest.raises(UnsafeKeyStorage):
        FileRootKey(key_dir)


def test_key_directory_inside_data_or_source_is_refused_even_through_a_link(key_dir, tmp_path):
    with pytest.raises(UnsafeKeyStorage, match="inside"):
        FileRootKey(key_dir, forbidden=[tmp_path])
    link = tmp_path.parent / f"{tmp_path.name}-link"
    link.symlink_to(key_dir)
    with pytest.raises(UnsafeKeyStorage, match="inside"):
        FileRootKey(link, forbidden=[tmp_path])
    assert FileRootKey(key_dir, forbidden=[tmp_path / "data"]).current_id().startswith("root-")


def test_missing_directory_missing_key_and_damaged_key_stop_the_start(tmp_path, key_dir):
    with pytest.raises(UnsafeKeyStorage, match="missing"):
        FileRootKey(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir(mode=0o700)
    with pytest.raises(UnsafeKeyStorage, match="no root key"):
        FileRootKey(tmp_path / "empty")
    path = next(key_dir.glob("*.key"))
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(UnsafeKeyStorage, match="32 bytes"):
        FileRootKey(key_dir)


def test_newest_root_key_wraps_and_older_ones_still_open(key_dir, rows):
    kek = Keyring(FileRootKey(key_dir), rows).prepare("recordings", "open", 2026)
    newer = create_root_key(key_dir)
    root = FileRootKey(key_dir)
    assert root.current_id() == newer
    ring = Keyring(root, rows)
    assert len(ring.derived(kek, "x")) == 32
    assert rows.rows[ring.prepare("recordings", "open", 2027)].root_id == newer


# --- data keys ---


def test_data_key_seals_an_object_and_comes_back_from_its_wrapped_form(keyring):
    key, wrapped = keyring.new_data_key(Family.RECORDINGS, "open", 2026, MASTER)
    sealed = seal_bytes(key, b"voice", b"ad")
    again = keyring.unwrap(wrapped, MASTER)
    assert open_bytes(again, sealed, b"ad") == b"voice"
    assert len(key) == 32
    assert key not in wrapped.blob


def test_no_two_data_keys_are_equal(keyring):
    keys = {keyring.new_data_key("recordings", "open", 2026, MASTER)[0] for _ in range(50)}
    assert len(keys) == 50


def test_secret_does_not_show_itself(keyring, rows):
    key, _ = keyring.new_data_key("recordings", "open", 2026, MASTER)
    assert f"{key} {key!r}" == "DataKey(<secret>) DataKey(<secret>)"
    [row] = rows.rows.values()
    assert "wrapped=" not in repr(row)
    assert isinstance(key, DataKey)


@pytest.mark.parametrize(
    "other", [KeyContext("master", "0190c0df"), KeyContext("chunk", "0190c0de")]
)
def test_wrapped_key_moved_to_another_object_or_purpose_is_useless(keyring, other):
    _, wrapped = keyring.new_data_key("recordings", "open", 2026, MASTER)
    with pytest.raises(KeyUnusable):
        keyring.unwrap(wrapped, other)


def test_wrapped_key_under_another_keks_name_is_useless(keyring):
    _, wrapped = keyring.new_data_key("recordings", "open", 2026, MASTER)
    other = keyring.prepare("recordings", "open", 2025)
    with pytest.raises(KeyUnusable):
        keyring.unwrap(WrappedKey(other, wrapped.blob), MASTER)
    with pytest.raises(KeyUnusable):
        keyring.unwrap(WrappedKey("kek-unknown", wrapped.blob), MASTER)


@pytest.mark.parametrize("position", [0, 1, 13, 30, -1])
def test_changed_wrapped_key_is_refused(keyring, position):
    _, wrapped = keyring.new_data_key("recordings", "open", 2026, MASTER)
    blob = bytearray(wrapped.blob)
    blob[position] ^= 1
    with pytest.raises(KeyUnusable):
        keyring.unwrap(WrappedKey(wrapped.kid, bytes(blob)), MASTER)
    with pytest.raises(KeyUnusable):
        keyring.unwrap(WrappedKey(wrapped.kid, wrapped.blob[:20]), MASTER)


@pytest.mark.parametrize("purpose", ["", "a|b"])
def test_context_that_could_be_read_two_ways_is_refused(purpose):
    with pytest.raises(ValueError, match="purpose"):
        KeyContext(purpose, "1")


def test_families_classes_and_years_never_share_a_kek(keyring):
    kids = {
        keyring.prepare(family, klass, year)
        for family in (Family.RECORDINGS, Family.PETITIONS)
        for klass in ("open", "20-years")
        for year in (2026, 2027)
    }
    assert len(kids) == 8
    assert keyring.prepare("recordings", "open", 2026) in kids


def test_kek_row_moved_to_another_class_is_useless(keyring, rows, key_dir):
    _, wrapped = keyring.new_data_key("recordings", "open", 2026, MASTER)
    rows.rows[wrapped.kid] = replace(rows.rows[wrapped.kid], klass="20-years")
    with pytest.raises(KeyUnusable):
        Keyring(FileRootKey(key_dir), rows).unwrap(wrapped, MASTER)


def test_rewrapped_key_opens_the_same_object_under_the_new_class(keyring):
    key, wrapped = keyring.new_data_key("recordings", "open", 2026, MASTER)
    moved = keyring.rewrap(wrapped, MASTER, family="recordings", klass="20-years", year=2026)
    assert moved.kid != wrapped.kid
    assert keyring.unwrap(moved, MASTER) == key


def test_rotation_wraps_anew_and_keeps_what_was_wrapped_readable(keyring, rows):
    key, wrapped = keyring.new_data_key("recordings", "open", 2026, MASTER)
    newer = keyring.rotate("recordings", "open", 2026)
    assert rows.rows[newer].generation == 2
    assert keyring.new_data_key("recordings", "open", 2026, MASTER)[1].kid == newer
    assert keyring.unwrap(wrapped, MASTER) == key


def test_destroyed_kek_opens_nothing_once_the_short_memory_ends(key_dir, rows):
    ring = Keyring(FileRootKey(key_dir), rows, cache_s=0)
    _, wrapped = ring.new_data_key("recordings", "open", 2026, MASTER)
    rows.destroy(wrapped.kid)
    with pytest.raises(KeyDestroyed):
        ring.unwrap(wrapped, MASTER)
    assert ring.prepare("recordings", "open", 2026) != wrapped.kid


def test_two_processes_that_start_together_agree_on_one_kek(key_dir, rows):
    class Racing(RowsInMemory):
        """Another process adds its row between our look and our insert."""

        def current_kek(self, family: str, klass: str, year: int) -> KekRow | None:
            return None

    racing = Racing()
    first = Keyring(FileRootKey(key_dir), racing)
    second = Keyring(FileRootKey(key_dir), racing)
    key, wrapped = first.new_data_key("recordings", "open", 2026, MASTER)
    assert second.prepare("recordings", "open", 2026) == wrapped.kid
    assert second.unwrap(wrapped, MASTER) == key


def test_root_key_of_another_place_opens_nothing(keyring, rows, tmp_path):
    _, wrapped = keyring.new_data_key("recordings", "open", 2026, MASTER)
    create_root_key(tmp_path / "other")
    with pytest.raises(KeyUnusable):
        Keyring(FileRootKey(tmp_path / "other"), rows).unwrap(wrapped, MASTER)


# --- personal fields ---


@settings(max_examples=60)
@given(text=st.text(max_size=300))
def test_any_text_comes_back(lasting_fields, text):
    sealed = lasting_fields.encrypt("person", "name", PERSON, text)
    assert lasting_fields.decrypt("person", "name", PERSON, sealed) == text


def test_stored_field_shows_nothing_and_never_repeats(fields):
    name = "Nguyễn Thị Hồng Nhung"
    first = fields.encrypt("person", "name", PERSON, name)
    assert name.encode() not in first
    assert first != fields.encrypt("person", "name", PERSON, name)
    assert field_kid(first).startswith("kek-")


def test_field_moved_to_another_row_column_or_table_does_not_open(fields):
    sealed = fields.encrypt("person", "name", PERSON, "Lê Văn Tám")
    for place in (
        ("person", "name", UUID(int=PERSON.int + 1)),
        ("person", "address", PERSON),
        ("account", "name", PERSON),
    ):
        with pytest.raises(KeyUnusable):
            fields.decrypt(*place, sealed)


@pytest.mark.parametrize("damage", [b"", b"\x01", b"\x02\x03abc", b"\x01\xffshort"])
def test_what_is_no_field_is_refused(fields, damage):
    with pytest.raises(KeyUnusable):
        fields.decrypt("person", "name", PERSON, damage)


def test_fields_of_past_years_still_open(keyring):
    years = [2026]
    cipher = FieldCipher(keyring, year=lambda: years[0])
    old = cipher.encrypt("person", "name", PERSON, "cũ")
    years[0] = 2027
    new = cipher.encrypt("person", "name", PERSON, "mới")
    assert field_kid(old) != field_kid(new)
    assert cipher.decrypt("person", "name", PERSON, old) == "cũ"


def test_blind_index_is_equal_for_equal_values_and_differs_between_columns(fields):
    number = "075190001234"
    index = fields.blind_index("person", "citizen_id", number)
    assert len(index) == 16
    assert index == fields.blind_index("person", "citizen_id", f" {number} ")
    assert index != fields.blind_index("person", "phone", number)
    assert index != fields.blind_index("person", "citizen_id", "075190001235")


def test_blind_index_of_a_name_ignores_case_and_unicode_form(fields):
    composed = fields.blind_index("person", "name", "TRẦN ĐỨC")
    decomposed = unicodedata.normalize("NFD", "Trần Đức")
    assert composed == fields.blind_index("person", "name", decomposed)
    assert composed != fields.blind_index("person", "name", "Trần Đúc")


def test_blind_index_stays_the_same_over_years_and_processes(key_dir, rows):
    first = FieldCipher(Keyring(FileRootKey(key_dir), rows), year=lambda: 2026)
    later = FieldCipher(Keyring(FileRootKey(key_dir), rows), year=lambda: 2031)
    assert first.blind_index("a", "b", "x") == later.blind_index("a", "b", "x")


def test_prepared_cipher_adds_no_row_inside_a_transaction(fields, rows):
    fields.prepare()
    before = set(rows.rows)
    fields.encrypt("person", "name", PERSON, "x")
    fields.blind_index("person", "name", "x")
    assert set(rows.rows) == before


def test_text_under_a_key_of_its_own_opens_only_where_it_stands():
    key = os.urandom(32)
    sealed = seal_text(key, "người tố cáo", "denouncer_identity|1")
    assert open_text(key, sealed, "denouncer_identity|1") == "người tố cáo"
    with pytest.raises(KeyUnusable):
        open_text(key, sealed, "denouncer_identity|2")
    with pytest.raises(KeyUnusable):
        open_text(os.urandom(32), sealed, "denouncer_identity|1")
