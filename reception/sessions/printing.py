"""Papers of a session as PDF: invitation, minutes, notice of conclusion. Layout: NĐ 30/2020."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import segno
from flask import render_template

from reception.sessions.conclusion_operations import ConclusionPage
from reception.sessions.minutes_operations import MinutesPage
from reception.templating import vnweekday
from storage.models import SessionPoint
from storage.queries.sessions import Sitting


def _pdf(template: str, **values: Any) -> bytes:
    from weasyprint import HTML  # slow to import; only these pages need it
    from weasyprint.urls import URLFetcher

    page = render_template(template, **values)
    # Nothing is fetched: pictures stand in the page as data.
    fetcher = URLFetcher(allowed_protocols=("data",), fail_on_errors=True)
    written: bytes = HTML(string=page, url_fetcher=fetcher).write_pdf()
    return written


def qr(address: str) -> str:
    """A QR code as a data address for an <img>."""
    made = io.BytesIO()
    segno.make(address, error="m").save(made, kind="svg", scale=4, border=2)
    return "data:image/svg+xml;base64," + base64.b64encode(made.getvalue()).decode()


def invitation_pdf(
    sitting: Sitting, point: SessionPoint, links: Mapping[UUID, str], *, base_url: str
) -> bytes:
    """The invitation of one point; a page of its own for everybody with a personal link."""
    linked = [
        {
            "name": sitting.names[person.id],
            "address": base_url + links[person.id],
            "qr": qr(base_url + links[person.id]),
        }
        for person in sitting.at(point.id)
        if person.id in links
    ]
    return _pdf(
        "sessions/papers/invitation.html",
        sitting=sitting,
        meeting=sitting.meeting,
        point=point,
        people=sitting.at(point.id),
        linked=linked,
        weekday=vnweekday(sitting.meeting.starts_at),
    )


def minutes_pdf(page: MinutesPage) -> bytes:
    """The minutes to print, read out and sign."""
    return _pdf(
        "sessions/papers/minutes.html",
        page=page,
        sitting=page.sitting,
        meeting=page.sitting.meeting,
    )


def conclusion_pdf(page: ConclusionPage, *, number: str = "", on: date | None = None) -> bytes:
    """The notice of conclusion; without a number it is printed as a draft."""
    return _pdf(
        "sessions/papers/conclusion.html",
        page=page,
        sitting=page.sitting,
        meeting=page.meeting,
        number=number,
        on=on,
    )
