"""Public pages are packed for the line; pages that hold anybody's own are not."""

from __future__ import annotations

import gzip

import pytest
from flask.testing import FlaskClient

from tests.support.factories import Factories
from workflows.access import Role

PACKED = {"Accept-Encoding": "gzip, br"}


def test_first_page_is_packed_and_says_the_same(client: FlaskClient) -> None:
    plain, packed = client.get("/tro-giup"), client.get("/tro-giup", headers=PACKED)
    assert packed.headers["Content-Encoding"] == "gzip"
    text = gzip.decompress(packed.get_data()).decode()
    assert "</html>" in text
    assert len(packed.get_data()) < len(plain.get_data()) / 2
    assert packed.headers["Content-Length"] == str(len(packed.get_data()))
    assert "Accept-Encoding" in plain.headers["Vary"]


@pytest.mark.parametrize(
    ("address", "accepted"),
    [("/tro-giup", ""), ("/tro-giup", "gzip;q=0"), ("/tra-cuu?ma=KN-1", "gzip"), ("/song", "gzip")],
)
def test_what_was_not_asked_for_or_repeats_the_address_stays_plain(
    client: FlaskClient, address: str, accepted: str
) -> None:
    answer = client.get(address, headers={"Accept-Encoding": accepted})
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers


def test_page_of_somebody_signed_in_stays_plain(client: FlaskClient, factories: Factories) -> None:
    factories.log_in(client, factories.officer(Role.COMMUNE_OFFICER))
    answer = client.get("/hop-don", headers=PACKED)
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers
