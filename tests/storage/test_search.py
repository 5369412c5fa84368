"""Search gives the same answers on both databases, within reach, never a denunciation."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import event

from reception.cases.steps import join_case, open_case
from reception.petitions.steps import NewPetition, register_petition
from storage.database import reading, unit_of_work
from storage.identities import PersonData, prepare_vault
from storage.models import Case, Petition
from storage.queries.search import PAGE, Found, search
from storage.runtime import runtime
from tests.support.factories import COMMUNE, OTHER_COMMUNE, Factories
from workflows.access import Actor, Role
from workflows.cases import LinkKind

DAY = date(2026, 11, 23)
LETTERS = {
    "plot": "Quyết định 2318/QĐ-UBND thu hồi thửa đất số 105, 350 m² tại ấp Đồng Tâm.",
    "road": "Đường vào ấp Hoà Bình bị lấp, xe không qua được.",
    "market": "Chợ Tân Hiệp thu phí vệ sinh hai lần.",
    "mark": "Ma túy bán gần trường học; mà chưa ai xử lý.",
}


def _register(
    factories: Factories, content: str, unit: str = COMMUNE, **changes: object
) -> Petition:
    new = NewPetition(
        kind="complaint",
        content=content,
        received_on=DAY,
        receiving_unit_id=factories.unit_id(unit),
        place_unit_id=factories.unit_id(unit),
        idempotency_key=uuid4().hex,
        signing="paper",
    )
    with unit_of_work() as work:
        return register_petition(work, replace(new, **changes), by=None).petition  # type: ignore[arg-type]  # names are checked by replace


def _find(actor: Actor, typed: str, page: int = 1) -> Found:
    with reading() as work:
        return search(work.db_session, actor, typed, page=page)


def _ids(found: Found) -> list[UUID]:
    return [hit.id for hit in found.hits]


def test_words_names_codes_and_numbers_find_the_same_on_both(
    app_on_both: Flask, factories: Factories
) -> None:
    letters = {key: _register(factories, text) for key, text in LETTERS.items()}
    sent = _register(factories, "Xin cấp giấy.", submitter=PersonData(name="Nguyễn Thị Hồng Gấm"))
    officer = factories.officer(Role.COMMUNE_OFFICER, COMMUNE).actor
    for typed, key in (
        ("đường hoà bình", "road"),
        ("duong hoa binh", "road"),
        ("ĐƯỜNG HÒA BÌNH", "road"),
        ("2318/QĐ-UBND", "plot"),
        ("2318", "plot"),
        ("350 m2", ""),
        ("350 m²", "plot"),
        ("chợ tân hiệp phí", "market"),
        ("cho tan hiep khong co chu nay", ""),
    ):
        expected = [letters[key].id] if key else []
        assert _ids(_find(officer, typed)) == expected, typed
    code = letters["road"].code
    for typed in (code, code.replace("-", "").lower(), code[3:]):
        assert _ids(_find(officer, typed)) == [letters["road"].id], typed
    for typed in ("hong gam", "Hồng Gấm", "gấm nguyễn thị hồng"):
        found = _find(officer, typed)
        assert _ids(found) == [sent.id], typed
        assert found.hits[0].name == "Nguyễn Thị Hồng Gấm"


def test_words_with_the_marks_typed_come_first(app_on_both: Flask, factories: Factories) -> None:
    with_mark = _register(factories, "Bán ma túy gần trường.")
    _register(factories, "Con đường này mà không sửa thì ngập.")
    without = _register(factories, "Tuy vậy ma trận biển báo vẫn tuy sai.")
    officer = factories.officer(Role.COMMUNE_OFFICER, COMMUNE).actor
    assert _ids(_find(officer, "ma túy")) == [with_mark.id, without.id]
    assert len(_find(officer, "ma tuy").hits) == 2


def test_officer_finds_and_counts_only_what_may_be_opened(
    app_on_both: Flask, factories: Factories
) -> None:
    own = _register(factories, "Cây đổ ở ấp Một.")
    _register(factories, "Cây đổ ở ấp Hai.", OTHER_COMMUNE)
    officer = factories.officer(Role.COMMUNE_OFFICER, COMMUNE).actor
    found = _find(officer, "cây đổ")
    assert (_ids(found), found.total) == ([own.id], 1)
    board = factories.officer(Role.BOARD_HEAD).actor
    assert _find(board, "cây đổ").total == 2


def test_denunciation_is_never_found_by_anything(app_on_both: Flask, factories: Factories) -> None:
    prepare_vault()
    new = NewPetition(
        kind="denunciation",
        content="Cán bộ địa chính nhận tiền bìa đỏ.",
        received_on=DAY,
        receiving_unit_id=factories.unit_id(COMMUNE),
        idempotency_key=uuid4().hex,
        submitter=PersonData(name="Người Giấu Tên"),
        signing="paper",
    )
    with unit_of_work() as work:
        petition = register_petition(work, new, by=None).petition
        open_case(work, petition, on=DAY, by=None)
    for role, unit in ((Role.COMMUNE_CHAIR, COMMUNE), (Role.BOARD_HEAD, "75")):
        actor = factories.officer(role, unit).actor
        for typed in (
            "địa chính",
            "giấu tên",
            petition.code,
            "đơn tố cáo",
            "nội dung được giữ kín",
        ):
            found = _find(actor, typed)
            assert (found.hits, found.total, found.near) == ((), 0, 0), typed


def test_inspector_finds_the_case_by_name_and_by_numbers_of_its_letters(
    app_on_both: Flask, factories: Factories
) -> None:
    first = _register(
        factories,
        LETTERS["plot"],
        submitter=PersonData(name="Trần Văn Lúa"),
        earlier_decisions=({"number": "1187/QĐ-UBND", "date": "2026-03-02", "body": "UBND"},),
    )
    second = _register(factories, "Đất của tôi bị thu hồi.", OTHER_COMMUNE)
    with unit_of_work() as work:
        petition = work.get(Petition, first.id)
        case = open_case(work, petition, on=DAY, by=None)
    by = factories.officer(Role.COMMUNE_OFFICER, OTHER_COMMUNE)
    with unit_of_work() as work:
        join_case(
            work,
            work.get(Petition, second.id),
            work.get(Case, case.id),
            LinkKind.SAME_MATTER,
            reason="Cùng thửa đất",
            on=DAY,
            by=by.account_id,
        )
    inspector = factories.officer(Role.PROVINCIAL_INSPECTOR).actor
    for typed in ("1187/QD-UBND", "tran van lua", case.code, second.code, first.code):
        found = _find(inspector, typed)
        assert [(hit.kind, hit.id) for hit in found.hits] == [("case", case.id)], typed


def test_nothing_found_tells_how_many_are_near(app: Flask, factories: Factories) -> None:
    _register(factories, "Chợ Tân Hiệp thu phí vệ sinh hai lần.")
    officer = factories.officer(Role.COMMUNE_OFFICER, COMMUNE).actor
    found = _find(officer, "chợ tân hiệp xây tường rào")
    assert (found.total, found.near) == (0, 1)


@pytest.mark.parametrize(
    "typed", ["", "   ", "!!", '"', "a OR b NOT c", "* NEAR(", "folded:x", "'; --"]
)
def test_strange_input_finds_nothing_and_breaks_nothing(
    app_on_both: Flask, factories: Factories, typed: str
) -> None:
    officer = factories.officer(Role.COMMUNE_OFFICER, COMMUNE).actor
    assert _find(officer, typed).total == 0


def test_snippet_shows_the_found_words_in_their_place(app: Flask, factories: Factories) -> None:
    _register(factories, "Xin được giúp. " + "Nhà tôi ở xa. " * 20 + "Bờ tường bị đổ vì mưa lớn.")
    officer = factories.officer(Role.COMMUNE_OFFICER, COMMUNE).actor
    (hit,) = _find(officer, "bo tuong").hits
    assert [piece for piece, found in hit.snippet if found] == ["Bờ", "tường"]


def test_page_of_results_asks_a_fixed_number_of_questions(app: Flask, factories: Factories) -> None:
    officer = factories.officer(Role.COMMUNE_OFFICER, COMMUNE).actor
    asked: list[str] = []
    event.listen(runtime().engine, "before_cursor_execute", lambda *a: asked.append(a[2]))

    def count() -> int:
        asked.clear()
        assert _find(officer, "hàng rào").total
        return sum(not one.startswith("BEGIN") for one in asked)

    _register(factories, "Hàng rào số 0")
    few = count()
    for number in range(PAGE + 5):
        _register(
            factories, f"Hàng rào số {number + 1}", submitter=PersonData(name=f"Lê Văn {number}")
        )
    assert count() <= few + 1  # the names
    assert len(_find(officer, "hàng rào").hits) == PAGE
    assert len(_find(officer, "hàng rào", page=2).hits) == 6
