"""Paper post in batches: each row by itself, repeats harmless, envelopes sealed."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storage.database import reading
from storage.identities import person_name
from storage.models import (
    Attachment,
    DenunciationVault,
    KeyEncryptionKey,
    Person,
    Petition,
    SealedObject,
)
from storage.runtime import runtime
from storage.sealed import read_object
from tests.support.factories import COMMUNE, OTHER_COMMUNE, Factories
from workflows.access import Role

BATCH = "20261123-ab12cd"
PHOTO = b"\xff\xd8\xff\xe0" + b"phong bi" * 40


@pytest.fixture
def clerk(client: FlaskClient, factories: Factories) -> FlaskClient:
    """A browser of the commune's clerk."""
    return factories.log_in(client, factories.officer(Role.CLERK, COMMUNE))


def _row(number: int, **changes: str) -> dict[str, str]:
    row = {
        "kind": "complaint",
        "sender": "Lưu Văn Tấn",
        "address": "Khu phố 1",
        "postmark": "20/11/2026",
        "forwarded_by": "Văn phòng Đoàn ĐBQH",
        "forwarded_number": "88/VP",
        "summary": "Khiếu nại quyết định thu hồi đất số 15/QĐ-UBND",
        **changes,
    }
    return {f"{name}-{number}": value for name, value in row.items()}


def _send(clerk: FlaskClient, *rows: dict[str, Any], json: bool = False) -> Any:
    data: dict[str, Any] = {"dot": BATCH}
    for row in rows:
        data |= row
    headers = {"Accept": "application/json"} if json else {}
    return clerk.post(
        "/don-buu-dien", data=data, headers=headers, content_type="multipart/form-data"
    )


def _petitions() -> list[Petition]:
    with reading() as work:
        return list(work.db_session.scalars(select(Petition).order_by(Petition.submitted_at)))


def test_new_batch_has_a_name_of_its_own_and_twenty_rows(clerk: FlaskClient) -> None:
    answer = clerk.get("/don-buu-dien", follow_redirects=True)
    assert answer.request.args["dot"].startswith("20")
    assert answer.get_data(as_text=True).count('data-row="') == 20


def test_envelope_becomes_a_petition_by_post_with_what_the_envelope_says(
    clerk: FlaskClient,
) -> None:
    assert _send(clerk, _row(3)).status_code == 303
    (petition,) = _petitions()
    assert (petition.channel, petition.state, petition.signing) == ("post", "RECEIVED", "paper")
    assert petition.postal == {
        "batch": BATCH, "row": 3, "postmark_on": "2026-11-20",
        "forwarded_by": "Văn phòng Đoàn ĐBQH", "forwarded_number": "88/VP",
    }  # fmt: skip
    with reading() as work:
        assert person_name(work.get(Person, petition.submitter_id)) == "Lưu Văn Tấn"


def test_wrong_row_stays_with_its_words_while_the_others_are_kept(clerk: FlaskClient) -> None:
    answer = _send(clerk, _row(1), _row(2, postmark="hôm kia"), _row(3, sender=""), _row(4))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "2 dòng cần xem lại; các dòng khác đã lưu." in page
    assert "Nhập ngày dấu bưu điện" in page
    assert "Nhập tên người gửi" in page
    assert 'value="hôm kia"' in page
    assert len(_petitions()) == 2


def test_same_rows_sent_again_are_the_same_petitions(clerk: FlaskClient) -> None:
    _send(clerk, _row(1), _row(2))
    first = {petition.code for petition in _petitions()}
    _send(clerk, _row(1), _row(2))
    assert {petition.code for petition in _petitions()} == first
    assert len(first) == 2


def test_untouched_rows_are_left_alone(clerk: FlaskClient) -> None:
    empty = {"kind": "unclassified", "forwarded_by": "Ban Dân nguyện"}
    names = ("sender", "address", "postmark", "forwarded_number", "summary")
    assert _send(clerk, _row(5, **empty, **dict.fromkeys(names, ""))).status_code == 303
    assert _petitions() == []


def test_anonymous_letter_is_kept_without_a_sender(clerk: FlaskClient) -> None:
    _send(clerk, _row(1, sender="", anonymous="1", kind="feedback", summary="Rác đổ bờ kênh"))
    (petition,) = _petitions()
    assert (petition.anonymous, petition.submitter_id, petition.state) == (True, None, "RECEIVED")


def test_denunciation_goes_to_the_vault_and_is_named_nowhere(clerk: FlaskClient) -> None:
    _send(clerk, _row(1, kind="denunciation", summary="Tố cáo ông Kha nhận tiền"))
    with reading() as work:
        assert len(work.db_session.scalars(select(DenunciationVault)).all()) == 1
    for path in (f"/don-buu-dien?dot={BATCH}", f"/don-buu-dien/in?dot={BATCH}"):
        page = clerk.get(path).get_data(as_text=True)
        assert "Đơn tố cáo (nội dung được giữ kín)" in page
        assert "Lưu Văn Tấn" not in page
        assert "ông Kha" not in page


def test_photo_of_the_envelope_is_sealed_and_may_come_later(clerk: FlaskClient) -> None:
    _send(clerk, _row(1) | {"photo-1": (BytesIO(PHOTO), "bi.jpg")}, _row(2))
    first, second = _petitions()
    page = clerk.get(f"/don-buu-dien?dot={BATCH}").get_data(as_text=True)
    assert "Phong bì chưa có ảnh" in page
    assert clerk.get(f"/don-buu-dien/{first.id}/anh").data == PHOTO
    assert clerk.get(f"/don-buu-dien/{second.id}/anh").status_code == 404
    later = {"photo": (BytesIO(PHOTO), "bi2.jpg"), "dot": BATCH}
    clerk.post(f"/don-buu-dien/{second.id}/anh", data=later, content_type="multipart/form-data")
    assert clerk.get(f"/don-buu-dien/{second.id}/anh").data == PHOTO
    assert "Phong bì chưa có ảnh" not in clerk.get(f"/don-buu-dien?dot={BATCH}").get_data(
        as_text=True
    )
    stored = [path for path in runtime().data_dir.rglob("*") if path.is_file()]
    assert stored
    assert not any(b"phong bi" in path.read_bytes() for path in stored)


def test_repeated_row_keeps_one_photo(clerk: FlaskClient) -> None:
    for _ in range(2):
        _send(clerk, _row(1) | {"photo-1": (BytesIO(PHOTO), "bi.jpg")})
    with reading() as work:
        assert len(work.db_session.scalars(select(Attachment)).all()) == 1


def test_envelope_of_a_denunciation_is_sealed_with_its_family_and_not_shown(
    clerk: FlaskClient,
) -> None:
    _send(clerk, _row(1, kind="denunciation") | {"photo-1": (BytesIO(PHOTO), "bi.jpg")})
    with reading() as work:
        attachment = work.db_session.scalars(select(Attachment)).one()
        sealed = work.get(SealedObject, attachment.sealed_object_id)
        assert work.get(KeyEncryptionKey, sealed.kid).family == "denunciations"
    assert read_object(sealed) == PHOTO
    (petition,) = _petitions()
    assert clerk.get(f"/don-buu-dien/{petition.id}/anh").status_code == 404


def test_file_that_is_no_picture_holds_back_only_its_row(clerk: FlaskClient) -> None:
    answer = _send(clerk, _row(1) | {"photo-1": (BytesIO(b"MZ\x90"), "bi.jpg")}, _row(2))
    assert answer.status_code == 422
    assert "không phải ảnh JPG, PNG hay PDF" in answer.get_data(as_text=True)
    assert len(_petitions()) == 1


def test_a_script_learns_the_code_or_the_errors_of_each_row(clerk: FlaskClient) -> None:
    rows = _send(clerk, _row(1), _row(2, summary=""), json=True).json["rows"]
    assert rows["1"] == {"code": _petitions()[0].code, "errors": {}}
    assert rows["2"] == {"code": "", "errors": {"summary": "Ghi vài lời về nội dung đơn."}}


def test_printed_list_has_every_letter_of_the_batch(clerk: FlaskClient) -> None:
    _send(clerk, _row(1), _row(2, sender="", anonymous="1"))
    page = clerk.get(f"/don-buu-dien/in?dot={BATCH}").get_data(as_text=True)
    assert all(petition.code in page for petition in _petitions())
    assert "nặc danh" in page
    assert "Văn phòng Đoàn ĐBQH, 88/VP" in page
    assert "2 đơn." in page


def test_other_unit_and_wrong_names_answer_404(
    app: Flask, clerk: FlaskClient, factories: Factories
) -> None:
    _send(clerk, _row(1) | {"photo-1": (BytesIO(PHOTO), "bi.jpg")})
    (petition,) = _petitions()
    stranger = factories.log_in(app.test_client(), factories.officer(Role.CLERK, OTHER_COMMUNE))
    assert stranger.get(f"/don-buu-dien?tai={COMMUNE}").status_code == 404
    assert stranger.get(f"/don-buu-dien/{petition.id}/anh").status_code == 404
    late = {"photo": (BytesIO(PHOTO), "x.jpg"), "dot": BATCH}
    path = f"/don-buu-dien/{petition.id}/anh"
    answer = stranger.post(path, data=late, content_type="multipart/form-data")
    assert answer.status_code == 404
    page = stranger.get(f"/don-buu-dien?dot={BATCH}").get_data(as_text=True)
    assert petition.code not in page
    assert clerk.get("/don-buu-dien?dot=../../etc").status_code == 404
