"""Public codes, folding and identifiers."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.codes import ALPHABET, CodeKind, code_kind, make_code, parse_code
from workflows.errors import BadCode
from workflows.folding import fold, fold_key, words
from workflows.ids import uuid7

codes = st.builds(make_code, st.sampled_from(CodeKind), st.binary(min_size=5, max_size=5))


@given(codes)
def test_a_code_is_understood_however_it_is_typed(code):
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert parse_code(typed) == code
    assert parse_code(f"  {code.replace('-', '')} ") == code


@given(code=codes, place=st.integers(0, 7), letter=st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(code, place, letter):
    places = [i for i, c in enumerate(code) if i > 2 and c != "-"]
    wrong = code[: places[place]] + letter + code[places[place] + 1 :]
    if wrong != code:
        with pytest.raises(BadCode):
            parse_code(wrong)


@given(code=codes, place=st.integers(0, 6))
def test_two_swapped_neighbours_are_noticed(code, place):
    body = list(code[3:].replace("-", ""))
    body[place], body[place + 1] = body[place + 1], body[place]
    swapped = f"{code[:3]}{''.join(body[:4])}-{''.join(body[4:])}"
    if swapped != code:
        with pytest.raises(BadCode):
            parse_code(swapped)


@given(codes)
def test_the_kind_belongs_to_the_code(code):
    other = "TC" if code_kind(code) is not CodeKind.DENUNCIATION else "KN"
    with pytest.raises(BadCode):
        parse_code(other + code[2:])


@pytest.mark.parametrize(
    "typed", ["", "KN", "KN-5V9T", "ZZ-0000-0000", "KN-5V9T-3N7U", "KN-" + "0" * 9]
)
def test_what_is_no_code_is_refused_in_words(typed):
    with pytest.raises(BadCode) as refused:
        parse_code(typed)
    assert refused.value.message.startswith("Mã chưa đúng.")


def test_every_bit_of_the_randomness_counts():
    made = {make_code(CodeKind.CASE, (1 << bit).to_bytes(5, "big")) for bit in range(35)}
    assert len(made) == 35


def test_too_little_randomness_is_refused():
    with pytest.raises(ValueError, match="random"):
        make_code(CodeKind.CASE, b"1234")


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Đường Hoà Bình", "duong hoa binh"),
        ("ĐẤT ĐAI", "dat dai"),
        (unicodedata.normalize("NFD", "Nguyễn Thị Ngọc Huỳnh"), "nguyen thi ngoc huynh"),
        ("Quyết định 2318/QĐ-UBND", "quyet dinh 2318/qd-ubnd"),
    ],
)
def test_folding_drops_marks_case_and_the_bar_of_d(text, folded):
    assert fold(text) == folded


def test_both_ways_to_place_a_tone_fold_alike():
    assert fold_key("Xã Phú Hòa") == fold_key("xã  Phú Hoà,")


def test_words_are_letters_and_numbers_only():
    assert words("Thửa 118, tờ bản đồ số 42.") == ("thua", "118", "to", "ban", "do", "so", "42")


@given(st.text(alphabet="aăâđeêioôơuưyAĂÂĐEÊỄộữợạ ẫỳ.,0123"))
def test_folding_twice_changes_nothing_and_keeps_every_place(text):
    assert fold(fold(text)) == fold(text)
    assert len(fold(text)) == len(unicodedata.normalize("NFC", text))


@given(st.integers(0, (1 << 48) - 1), st.binary(min_size=10, max_size=10))
def test_uuid7_carries_version_variant_and_time(unix_ms, noise):
    made = uuid7(unix_ms, noise)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == unix_ms


def test_uuid7_sorts_by_time_and_keeps_its_randomness():
    assert uuid7(1, b"\xff" * 10) < uuid7(2, b"\x00" * 10)
    assert uuid7(1, b"\x00" * 9 + b"\x01") != uuid7(1, b"\x00" * 10)


@pytest.mark.parametrize(("unix_ms", "noise"), [(-1, b"0" * 10), (1 << 48, b"0" * 10), (0, b"0")])
def test_uuid7_refuses_what_does_not_fit(unix_ms, noise):
    with pytest.raises(ValueError, match=r"48 bits|random bytes"):
        uuid7(unix_ms, noise)
