"""The internal map: who sees which number, one commune opened, the list behind, files, papers."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from pyhanko.pdf_utils.reader import PdfFileReader

from storage.database import unit_of_work
from storage.models import CaseUnit, Unit, UnitGeometry
from storage.models.base import new_id
from storage.queries.datamap import cases_behind
from storage.subjects import case_subject
from tests.support.factories import COMMUNE, OTHER_COMMUNE, PROVINCE, Factories
from tests.support.mapfacts import put_case, put_facts
from workflows.access import Permission, Role, decide
from workflows.datamap.geometry import UnitFacts, schematic_map
from workflows.datamap.periods import parse_period
from workflows.kinds import PetitionKind

OCTOBER = date(2026, 10, 12)
MONTH = "2026-10"


@pytest.fixture(autouse=True)
def november(monkeypatch: pytest.MonkeyPatch, app: Flask) -> None:
    """The legal day of these tests: 23/11/2026."""
    for place in ("views", "public_views"):
        monkeypatch.setattr(f"reception.datamap.{place}.legal_today", lambda: date(2026, 11, 23))


def _as(client: FlaskClient, factories: Factories, role: Role, unit: str = PROVINCE) -> FlaskClient:
    return factories.log_in(client, factories.officer(role, unit))


def _data(client: FlaskClient, **words: str) -> dict[str, Any]:
    answer = client.get("/ban-do/du-lieu", query_string={"ky": MONTH, **words})
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def _unit(document: dict[str, Any], code: str) -> dict[str, Any]:
    return next(unit for unit in document["units"] if unit["code"] == code)


def _cases(client: FlaskClient, code: str, **words: str) -> int | None:
    found: int | None = _unit(_data(client, **words), code)["cases"]
    return found


def test_visitor_is_sent_to_the_log_in(client: FlaskClient) -> None:
    answer = client.get("/ban-do?linh-vuc=land")
    assert answer.status_code == 302
    assert "/dang-nhap?next=/ban-do?linh-vuc%3Dland" in answer.headers["Location"]


@pytest.mark.parametrize(
    "page", ["/ban-do", "/ban-do/du-lieu", "/ban-do/so-lieu.csv", "/ban-do/in.pdf"]
)
def test_role_without_the_map_gets_no_number_of_it(
    client: FlaskClient, factories: Factories, page: str
) -> None:
    put_facts((COMMUNE, OCTOBER, "land", "complaint", 7317))
    answer = _as(client, factories, Role.CLERK, COMMUNE).get(page)
    assert answer.status_code == 403
    assert "7317" not in answer.get_data(as_text=True)


def test_a_case_raises_its_commune_by_one_however_many_letters(
    client: FlaskClient, factories: Factories
) -> None:
    put_facts((COMMUNE, OCTOBER, "land", "complaint", 7))
    _as(client, factories, Role.PROVINCIAL_OFFICE)
    assert _cases(client, COMMUNE) == 7
    put_facts((COMMUNE, date(2026, 10, 13), "land-price", "feedback", 1))
    assert _cases(client, COMMUNE) == 8
    assert _cases(client, COMMUNE, **{"linh-vuc": "land-price"}) == 1
    assert _cases(client, COMMUNE, loai="khieu-nai") == 7
    assert _data(client)["total"]["cases"] == 8


def test_rate_is_cases_per_ten_thousand_inhabitants(
    client: FlaskClient, factories: Factories
) -> None:
    put_facts((COMMUNE, OCTOBER, "land", "complaint", 12))
    unit = _unit(_data(_as(client, factories, Role.PROVINCIAL_CHAIR)), COMMUNE)
    assert unit["rate"] == pytest.approx(12 * 10_000 / unit["population"], abs=1e-4)


def test_denunciations_and_mixed_letters_are_in_no_number_of_the_map(
    client: FlaskClient, factories: Factories
) -> None:
    put_facts(
        (COMMUNE, OCTOBER, "land", "complaint", 4),
        (COMMUNE, OCTOBER, "land", "denunciation", 9),
        (COMMUNE, OCTOBER, "land", "mixed", 9),
        (COMMUNE, OCTOBER, "land", "unclassified", 9),
    )
    _as(client, factories, Role.PROVINCIAL_CHAIR)
    assert _cases(client, COMMUNE) == 4
    assert client.get("/ban-do/du-lieu?loai=to-cao").status_code == 422
    page = client.get(f"/ban-do?ky={MONTH}").get_data(as_text=True)
    assert re.search(r"Tố cáo, toàn địa bàn, tháng 10/2026</dt><dd>9<", page)


def test_total_of_denunciations_is_only_for_who_counts_the_whole_province(
    client: FlaskClient, factories: Factories
) -> None:
    put_facts((COMMUNE, OCTOBER, "land", "denunciation", 9))
    page = _as(client, factories, Role.COMMUNE_CHAIR, COMMUNE).get(f"/ban-do?ky={MONTH}")
    assert "Tố cáo, toàn địa bàn" not in page.get_data(as_text=True)


def test_commune_officer_sees_own_small_number_and_not_the_others(
    client: FlaskClient, factories: Factories
) -> None:
    put_facts(
        (COMMUNE, OCTOBER, "land", "complaint", 2),
        (OTHER_COMMUNE, OCTOBER, "land", "complaint", 2),
        ("25195", OCTOBER, "land", "complaint", 30),
        ("25210", OCTOBER, "land", "complaint", 1),
    )
    _as(client, factories, Role.COMMUNE_OFFICER, COMMUNE)
    document = _data(client)
    assert _unit(document, COMMUNE)["cases"] == 2
    other = _unit(document, OTHER_COMMUNE)
    assert (other["cases"], other["rate"], other["months"]) == (None, None, None)
    assert other["suppressed"]
    assert _unit(document, "25195")["cases"] == 30
    assert all(month["cases"] is None for month in document["months"])


def test_hidden_number_of_another_commune_is_not_total_minus_the_rest(
    client: FlaskClient, factories: Factories
) -> None:
    """Even with one's own number known and a single small number in the whole province."""
    with unit_of_work() as work:
        codes = [u.code for u in work.db_session.query(Unit).filter(Unit.kind == "commune")]
    put_facts(
        *(
            (code, OCTOBER, "land", "complaint", 1 if code == OTHER_COMMUNE else 20)
            for code in codes
        )
    )
    document = _data(_as(client, factories, Role.COMMUNE_OFFICER, COMMUNE))
    hidden = [unit["code"] for unit in document["units"] if unit["cases"] is None]
    assert OTHER_COMMUNE in hidden
    assert document["total"]["cases"] is None or len(hidden) >= 2
    assert COMMUNE not in hidden


def test_page_table_and_files_show_the_same_numbers(
    client: FlaskClient, factories: Factories
) -> None:
    put_facts(
        (COMMUNE, OCTOBER, "land", "complaint", 5),
        (OTHER_COMMUNE, OCTOBER, "tax", "feedback", 2),
        ("25195", OCTOBER, "land", "complaint", 11),
        ("25210", OCTOBER, "land", "complaint", 1),
    )
    _as(client, factories, Role.COMMUNE_OFFICER, COMMUNE)
    shown = {unit["code"]: unit["cases"] for unit in _data(client)["units"]}
    told = {
        code: None if count in ("không nêu", "chưa gửi số liệu") else int(count)
        for code, count in _csv(client).items()
    }
    assert told == shown
    sheet = load_workbook(io.BytesIO(client.get(f"/ban-do/so-lieu.xlsx?ky={MONTH}").data)).active
    assert sheet is not None
    rows = {str(row[0]): row[3] for row in sheet.iter_rows(values_only=True) if row[0]}
    assert {rows[COMMUNE], rows["25195"]} == {5, 11}
    page = client.get(f"/ban-do?ky={MONTH}").get_data(as_text=True)
    table = dict(
        re.findall(r"don-vi=(\d+)\">[^<]+</a></th>\s*<td class=\"num c[^>]*>([^<]+)<", page)
    )
    assert (table[COMMUNE], table["25195"], table[OTHER_COMMUNE]) == ("5", "11", "không nêu")


def _csv(client: FlaskClient) -> dict[str, str]:
    text = client.get(f"/ban-do/so-lieu.csv?ky={MONTH}").get_data(as_text=True)
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    return {row[0]: row[3] for row in rows if len(row) > 3 and row[0].isdigit()}


def test_commune_that_sent_nothing_is_not_zero(client: FlaskClient, factories: Factories) -> None:
    put_facts((COMMUNE, date(2026, 3, 2), "land", "complaint", 3))
    document = _data(_as(client, factories, Role.PROVINCIAL_INSPECTOR))
    silent, quiet = _unit(document, OTHER_COMMUNE), _unit(document, COMMUNE)
    assert (silent["not_reported"], silent["cases"]) == (True, None)
    assert (quiet["not_reported"], quiet["cases"]) == (False, 0)


def test_opened_commune_shows_months_and_fields_to_whoever_may_count_it(
    client: FlaskClient, factories: Factories
) -> None:
    put_facts((COMMUNE, OCTOBER, "land", "complaint", 5), (COMMUNE, OCTOBER, "tax", "complaint", 3))
    own = _as(client, factories, Role.COMMUNE_CHAIR, COMMUNE)
    page = own.get(f"/ban-do?ky={MONTH}&don-vi={COMMUNE}").get_data(as_text=True)
    assert "Từng tháng" in page
    assert "10/2026: 8 vụ việc" in page
    assert re.search(r"<span>Đất đai</span>.*?<b>5</b>", page)
    foreign = _as(client, factories, Role.COMMUNE_CHAIR, OTHER_COMMUNE)
    page = foreign.get(f"/ban-do?ky={MONTH}&don-vi={COMMUNE}").get_data(as_text=True)
    assert "Từng tháng" not in page
    assert "Về việc gì" not in page


def test_list_behind_a_number_holds_what_decide_allows_and_no_more(
    client: FlaskClient, factories: Factories
) -> None:
    cases = [
        put_case(COMMUNE, OCTOBER),
        put_case(COMMUNE, OCTOBER, holder=PROVINCE),
        put_case(COMMUNE, OCTOBER, holder=OTHER_COMMUNE),
        put_case(COMMUNE, OCTOBER, field_code="tax"),
    ]
    with unit_of_work() as work:
        work.add(
            CaseUnit(case_id=cases[1].id, unit_id=factories.unit_id(COMMUNE), since_on=OCTOBER)
        )
    for role, unit in (
        (Role.COMMUNE_OFFICER, COMMUNE),
        (Role.COMMUNE_OFFICER, OTHER_COMMUNE),
        (Role.BOARD_OFFICER, PROVINCE),
        (Role.PROVINCIAL_INSPECTOR, PROVINCE),
        (Role.PROVINCIAL_OFFICE, PROVINCE),
    ):
        actor = factories.officer(role, unit).actor
        with unit_of_work() as work:
            lines, seen = cases_behind(
                work.db_session,
                actor,
                unit_id=factories.unit_id(COMMUNE),
                fields=None,
                kinds=list(PetitionKind),
                period=parse_period(MONTH),
            )
            allowed = {
                case.code
                for case in cases
                if decide(actor, Permission.CASE_SEE, case_subject(work.db_session, case))
            }
        assert {line.code for line in lines} == allowed, role
        assert seen == len(allowed)


def test_list_behind_a_number_never_holds_a_closed_case(
    client: FlaskClient, factories: Factories
) -> None:
    secret = put_case(COMMUNE, OCTOBER, kind="denunciation", secrecy="compartment")
    closed = put_case(COMMUNE, OCTOBER, secrecy="restricted")
    plain = put_case(COMMUNE, OCTOBER)
    _as(client, factories, Role.COMMUNE_CHAIR, COMMUNE)
    page = client.get(f"/ban-do/danh-sach?ky={MONTH}&don-vi={COMMUNE}").get_data(as_text=True)
    assert plain.code in page
    assert secret.code not in page
    assert closed.code not in page
    assert "Bản đồ đếm 2 vụ việc" in page


def test_officer_of_another_commune_sees_the_number_but_no_case(
    client: FlaskClient, factories: Factories
) -> None:
    cases = [put_case(COMMUNE, OCTOBER) for _ in range(4)]
    _as(client, factories, Role.COMMUNE_OFFICER, OTHER_COMMUNE)
    assert _cases(client, COMMUNE) == 4
    page = client.get(f"/ban-do/danh-sach?ky={MONTH}&don-vi={COMMUNE}").get_data(as_text=True)
    assert not any(case.code in page for case in cases)
    assert "Không có vụ việc nào bạn mở được" in page


def test_list_of_an_unknown_commune_is_not_found(client: FlaskClient, factories: Factories) -> None:
    _as(client, factories, Role.BOARD_OFFICER)
    assert client.get("/ban-do/danh-sach?don-vi=99999").status_code == 404


@pytest.mark.parametrize(
    "words", ["ky=2026-13", "ky=2027-02", "ky=x", "linh-vuc=khong-co", "tu=2010-01&den=2026-10"]
)
def test_bad_filter_is_told_and_the_map_still_shows(
    client: FlaskClient, factories: Factories, words: str
) -> None:
    answer = _as(client, factories, Role.PROVINCIAL_CHAIR).get(f"/ban-do?{words}")
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "govuk-error-summary" in page
    assert "Bảng số của sơ đồ" in page


def test_change_view_compares_with_the_same_months_of_last_year(
    client: FlaskClient, factories: Factories
) -> None:
    put_facts(
        (COMMUNE, OCTOBER, "land", "complaint", 30),
        (COMMUNE, date(2025, 10, 2), "land", "complaint", 20),
    )
    _as(client, factories, Role.PROVINCIAL_CHAIR)
    page = client.get(f"/ban-do?ky={MONTH}&xem=so-sanh").get_data(as_text=True)
    assert "30 vụ việc, năm trước 20" in page
    cell = re.search(rf'<a class="cell (\w+)"[^>]*data-code="{COMMUNE}"', page)
    assert cell is not None
    assert cell.group(1) == "d4"


def test_every_cell_is_a_link_with_its_number_said(
    client: FlaskClient, factories: Factories
) -> None:
    put_facts((COMMUNE, OCTOBER, "land", "complaint", 5))
    _as(client, factories, Role.PROVINCIAL_CHAIR)
    page = client.get(f"/ban-do?ky={MONTH}").get_data(as_text=True)
    drawing = page[
        page.index('class="dm-map"') : page.index("</svg>", page.index('class="dm-map"'))
    ]
    links = re.findall(r'<a class="cell [^>]*href="([^"]+)"[^>]*aria-label="([^"]+)"', drawing)
    assert len(links) == 95
    assert all("don-vi=" in href for href, _ in links)
    assert any("5 vụ việc" in told for _, told in links)
    assert "style=" not in drawing


def test_map_is_labelled_as_a_schematic(client: FlaskClient, factories: Factories) -> None:
    page = _as(client, factories, Role.PROVINCIAL_CHAIR).get("/ban-do").get_data(as_text=True)
    assert "Bản đồ sơ đồ, không phải địa giới hành chính" in page


def test_kept_schematic_is_drawn_before_the_hexagons(
    client: FlaskClient, factories: Factories
) -> None:
    few = [
        UnitFacts(COMMUNE, "Trảng Dài", 10.98, 106.86, 20.0),
        UnitFacts(OTHER_COMMUNE, "Hố Nai", 10.97, 106.9, 30.0),
        UnitFacts("25195", "Bình Phước", 11.51, 106.88, 86.4),
    ]
    with unit_of_work() as work:
        work.add(
            UnitGeometry(
                id=new_id(),
                province_code=PROVINCE,
                view="schematic",
                version=1,
                valid_from_on=date(2025, 7, 1),
                source="test",
                data={"facts": "", "drawing": schematic_map(few).to_json()},
            )
        )
    _as(client, factories, Role.PROVINCIAL_CHAIR)
    page = client.get("/ban-do").get_data(as_text=True)
    assert len(re.findall(r'<a class="cell [^>]*id="c-', page)) == 3
    assert len(re.findall(r'<th scope="row">', page)) == 95
    hexagons = client.get("/ban-do?hinh=luc-giac").get_data(as_text=True)
    assert len(re.findall(r'<a class="cell [^>]*id="c-', hexagons)) == 95


def test_slider_offers_thirty_six_months_as_links(
    client: FlaskClient, factories: Factories
) -> None:
    page = _as(client, factories, Role.PROVINCIAL_CHAIR).get("/ban-do").get_data(as_text=True)
    months = re.findall(r'data-month="([\d-]+)"', page)
    assert (len(months), months[0], months[-1]) == (36, "2023-12", "2026-11")


def test_playing_gets_colour_and_words_of_every_month(
    client: FlaskClient, factories: Factories
) -> None:
    put_facts((COMMUNE, OCTOBER, "land", "complaint", 12))
    document = _data(_as(client, factories, Role.PROVINCIAL_CHAIR), chay="1")
    played = document["played"]["units"][COMMUNE]
    assert len(played) == len(document["months"]) == 36
    assert played[0] == ["r0", "0,00"]
    assert played[-2][0] in {"r1", "r2", "r3", "r4"}
    assert played[-1][0] == "r0"


def test_table_sorts_and_keeps_hidden_numbers_last(
    client: FlaskClient, factories: Factories
) -> None:
    put_facts(
        (COMMUNE, OCTOBER, "land", "complaint", 5), (OTHER_COMMUNE, OCTOBER, "land", "complaint", 9)
    )
    _as(client, factories, Role.PROVINCIAL_CHAIR)

    def order(sort: str) -> list[str]:
        page = client.get(f"/ban-do?ky={MONTH}&xep={sort}").get_data(as_text=True)
        return re.findall(r"don-vi=(\d+)[^\"]*\">[^<]+</a></th>", page)

    assert order("so-vu")[:2] == [COMMUNE, OTHER_COMMUNE]
    assert order("-so-vu")[:2] == [OTHER_COMMUNE, COMMUNE]


@pytest.mark.parametrize(("paper", "width"), [("a3", 842), ("a4", 595)])
def test_paper_has_the_size_asked_for(
    client: FlaskClient, factories: Factories, paper: str, width: int
) -> None:
    _as(client, factories, Role.PROVINCIAL_CHAIR)
    answer = client.get(f"/ban-do/in.pdf?kho={paper}&ky={MONTH}")
    assert answer.mimetype == "application/pdf"
    sheet = PdfFileReader(io.BytesIO(answer.data)).root["/Pages"]["/Kids"][0]["/MediaBox"]
    assert float(sheet[2]) == pytest.approx(width, abs=1)


def test_english_page_has_no_untranslated_label(client: FlaskClient, factories: Factories) -> None:
    _as(client, factories, Role.PROVINCIAL_CHAIR)
    client.set_cookie("lang", "en")
    page = client.get("/ban-do").get_data(as_text=True)
    assert "Schematic map, not administrative borders" in page
    assert "Vụ việc trên một vạn dân" not in page
