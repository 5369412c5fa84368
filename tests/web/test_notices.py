"""The bell and its page: one's own notices, and only these."""

from __future__ import annotations

from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import select

from reception.delivery import recipients
from storage.database import reading
from storage.models import Notice
from storage.outbox import deliver_some
from tests.support.factories import Factories, Officer
from tests.support.meetings import COMMUNE, petition
from workflows.access import Role


def _told(factories: Factories) -> tuple[Officer, Officer, UUID]:
    own = factories.officer(Role.COMMUNE_OFFICER, COMMUNE, "Lê Văn Bảy")
    other = factories.officer(Role.COMMUNE_OFFICER, COMMUNE, "Trần Thị Tám")
    petition_id = petition(factories, holder_unit_id=factories.unit_id(COMMUNE))
    deliver_some(recipients)
    return own, other, petition_id


def _notice_of(officer: Officer) -> Notice:
    with reading() as work:
        return work.db_session.scalars(
            select(Notice).where(Notice.account_id == officer.account_id)
        ).one()


def test_bell_counts_and_leads_to_the_petition(client: FlaskClient, factories: Factories) -> None:
    own, _, petition_id = _told(factories)
    page = factories.log_in(client, own).get("/thong-bao").get_data(as_text=True)
    assert "Có đơn mới chờ trong hộp đơn" in page
    assert 'aria-label="1 thông báo mới"' in page
    assert "Điểu Minh" not in page, "a notice names no citizen"
    answer = client.post(f"/thong-bao/{_notice_of(own).id}/mo")
    assert answer.status_code == 303
    assert answer.location.endswith(f"/hop-don/{petition_id}")
    assert 'aria-label="0 thông báo mới"' in client.get("/thong-bao").get_data(as_text=True)


def test_notice_of_somebody_else_is_neither_shown_nor_put_away(
    client: FlaskClient, factories: Factories
) -> None:
    own, other, petition_id = _told(factories)
    factories.log_in(client, own)
    answer = client.post(f"/thong-bao/{_notice_of(other).id}/mo")
    assert str(petition_id) not in answer.location
    client.post("/thong-bao/da-doc")
    assert _notice_of(own).read_at is not None
    assert _notice_of(other).read_at is None


def test_page_without_notices_says_so(client: FlaskClient, factories: Factories) -> None:
    factories.log_in(client, factories.officer(Role.COMMUNE_OFFICER, COMMUNE))
    assert "Chưa có thông báo nào" in client.get("/thong-bao").get_data(as_text=True)


def test_stranger_is_sent_to_the_log_in(client: FlaskClient) -> None:
    assert client.get("/thong-bao").status_code in (302, 303, 403)
