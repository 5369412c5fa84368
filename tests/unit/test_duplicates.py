"""What a letter names, and why two letters look like one matter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.duplicates import (
    Fingerprint,
    IdentifierKind,
    Verdict,
    compare,
    extract,
    named,
    score,
    weight,
)

D, K = IdentifierKind, named


def keys(text):
    return {identifier.key for identifier in extract(text)}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Quyết định số 2318/QĐ-UBND của phường", {"decision:2318/qd-ubnd"}),
        ("quyet dinh 2318 / qd-ubnd", {"decision:2318/qd-ubnd"}),
        ("Thông báo 96/TB-UBND", {"decision:96/tb-ubnd"}),
        ("NĐ 154/2026/NĐ-CP", {"decision:154/2026/nd-cp"}),
        ("ngày 14/05/2026", {"day:2026-05-14"}),
        ("ngày 14 tháng 5 năm 2026", {"day:2026-05-14"}),
        ("ngày 31/02/2026", set()),
        ("thửa 118, tờ bản đồ 42", {"plot:42/118"}),
        ("thửa đất số 118, tờ bản đồ số 42", {"plot:42/118"}),
        ("tờ bản đồ số 42, thửa 118", {"plot:42/118"}),
        ("thiếu khoảng 214 triệu đồng", {"money:214000000"}),
        ("1,2 tỷ", {"money:1200000000"}),
        ("622.000.000 đồng", {"money:622000000"}),
        ("gọi 090 000 2417", {"phone:900002417"}),
        ("gọi +84 900 002 417", {"phone:900002417"}),
        ("Tôi không đồng ý giá bồi thường.", set()),
    ],
)
def test_identifiers_are_found_with_and_without_marks(text, found):
    assert keys(text) == found


def test_a_field_of_the_form_is_normalised_like_the_text():
    assert K(D.PHONE, "0900 002 417") in extract("Điện thoại 0900002417")
    assert K(D.NAME, "Bà Nguyễn Thị  Ngọc Huỳnh").value == "ba nguyen thi ngoc huynh"
    assert K(D.CITIZEN_ID, "blind==").value == "blind=="


def test_a_rare_identifier_weighs_more_than_a_common_one():
    rare, common = K(D.NAME, "a b"), K(D.NAME, "c d")
    seen = {rare.key: 1, common.key: 4000}
    assert weight(rare, seen) > 10 > weight(common, seen) > 0


HUYNH = Fingerprint(
    extract("Quyết định 2318/QĐ-UBND ngày 14/05/2026, thửa 118, tờ bản đồ 42, 622 triệu đồng"),
    submitters=frozenset({"nguyen thi ngoc huynh"}),
    field_code="land-compensation",
    commune="25993",
    kind="complaint",
)
LOI = Fingerprint(
    extract("Quyết định 2318/QĐ-UBND ngày 14/05/2026, thửa 119, tờ bản đồ 42, 214 triệu đồng"),
    submitters=frozenset({"truong van loi"}),
    field_code="land-compensation",
    commune="25993",
    kind="complaint",
)


def test_a_neighbour_under_the_same_decision_is_possible_not_certain():
    found = compare(HUYNH, LOI, {})
    assert found.verdict is Verdict.POSSIBLE
    assert found.same == ("số văn bản 2318/QĐ-UBND", "ngày 14/05/2026")
    assert found.near == ("thửa 118 và thửa 119, tờ bản đồ 42",)
    assert found.different == ("người gửi đơn", "thửa đất", "số tiền")


def test_the_same_letter_sent_again_is_a_strong_hint():
    found = compare(HUYNH, HUYNH, {})
    assert found.verdict is Verdict.STRONG
    assert found.different == ()
    assert "thửa đất 118, tờ bản đồ 42" in found.same
    assert "số tiền 622.000.000 đồng" in found.same


def test_letters_that_name_nothing_in_common_are_apart():
    elsewhere = Fingerprint(
        extract("Mùi hôi trại heo"),
        submitters=frozenset({"hoang thi luu"}),
        field_code="environment",
        commune="26428",
        kind="feedback",
    )
    found = compare(HUYNH, elsewhere, {})
    assert (found.score, found.verdict, found.same) == (0, Verdict.NONE, ())
    assert found.different == ("người gửi đơn", "nơi xảy ra", "lĩnh vực", "loại đơn")


def test_sums_close_to_each_other_are_near():
    one, other = Fingerprint(extract("200 triệu")), Fingerprint(extract("205 triệu"))
    assert compare(one, other, {}).near == ("số tiền chênh nhau không quá 5%",)


def test_shared_names_phones_and_numbers_are_told_without_printing_them():
    person = frozenset({K(D.NAME, "Lê Văn Đức"), K(D.PHONE, "0900002417"), K(D.CITIZEN_ID, "x")})
    notes = compare(Fingerprint(person), Fingerprint(person), {}).same
    assert set(notes) == {"tên người trong đơn", "số điện thoại", "số định danh"}


texts = st.lists(
    st.sampled_from(["2318/QĐ-UBND", "14/05/2026", "thửa 1, tờ 2", "thửa 2, tờ 2", "90 triệu"]),
    max_size=5,
).map(" ; ".join)


@given(texts, texts)
def test_likeness_does_not_depend_on_the_order(one, other):
    mine, theirs = Fingerprint(extract(one)), Fingerprint(extract(other))
    assert score(mine, theirs, {}) == pytest.approx(score(theirs, mine, {}))
    assert score(mine, mine, {}) >= score(mine, theirs, {}) - 1e-9
