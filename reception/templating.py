"""What every template can use: dates and numbers as people here write them, assets, words."""

from __future__ import annotations

import json
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, has_request_context, request, url_for
from flask_babel import Babel, get_locale
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError

from config import PROJECT, Settings
from reception.access import current_actor, log_in_address
from reception.accounts.operations import demo_accounts
from reception.clock import LOCAL, legal_now, legal_today
from reception.navigation import nav_items, place_name
from storage.models.base import utc_now
from storage.queries.units import province, setting_value
from workflows.access import VISITOR
from workflows.errors import Unavailable

DIST = PROJECT / "static" / "dist"
LANGUAGES = ("vi", "en")
WEEKDAYS = ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật")
WEEKDAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def language() -> str:
    """Vietnamese unless this visitor chose English; on the command line there is no visitor."""
    if not has_request_context():
        return "vi"
    chosen = request.cookies.get("lang", "")
    return chosen if chosen in LANGUAGES else "vi"


def _local(value: date | datetime) -> date | datetime:
    return value.astimezone(LOCAL) if isinstance(value, datetime) else value


def vndate(value: date | datetime | None) -> str:
    """dd/mm/yyyy in local time; empty for nothing."""
    return _local(value).strftime("%d/%m/%Y") if value else ""


def vndatetime(value: datetime | None) -> str:
    """HH:MM dd/mm/yyyy in local time."""
    return value.astimezone(LOCAL).strftime("%H:%M %d/%m/%Y") if value else ""


def vntime(value: datetime | None) -> str:
    """HH:MM in local time."""
    return value.astimezone(LOCAL).strftime("%H:%M") if value else ""


def vnweekday(value: date | datetime) -> str:
    """The weekday as a word, in the reader's language."""
    names = WEEKDAYS if str(get_locale()) == "vi" else WEEKDAYS_EN
    return names[_local(value).weekday()]


def num(value: float | int | None, digits: int | None = None) -> str:
    """1.234,5 in Vietnamese, 1,234.5 in English; a dash for nothing."""
    if value is None:
        return "–"
    places = digits if digits is not None else (0 if float(value).is_integer() else 1)
    text = f"{value:,.{places}f}"
    if str(get_locale()) == "vi":
        text = text.replace(",", "\0").replace(".", ",").replace("\0", ".")
    return text


def filesize(value: int) -> str:
    """Bytes as people say them."""
    if value < 1024 * 1024:
        return f"{num(value / 1024, 0)} KB"
    return f"{num(value / 1024 / 1024, 1)} MB"


@lru_cache(maxsize=1)
def _manifest(stamp: float) -> dict[str, str]:
    names: dict[str, str] = json.loads((DIST / "manifest.json").read_text())
    return names


def asset(name: str) -> str:
    """The address of a built file with its content hash. Raises KeyError for an unknown name."""
    names = _manifest((DIST / "manifest.json").stat().st_mtime)
    return url_for("static", filename=names[name])


def _context(settings: Settings) -> dict[str, Any]:
    """What every page knows. With the database away the error page still shows, without names."""
    fixed = {"profile": settings.profile, "lang": str(get_locale())}
    try:
        return fixed | _from_database(settings)
    except (SQLAlchemyError, Unavailable):
        now = utc_now().astimezone(LOCAL)
        return fixed | {
            "current_actor": VISITOR,
            "current_user": None,
            "now": now,
            "legal_today": now.date(),
            "nav_items": [],
            "place_name": "",
            "province": None,
            "help_line": None,
            "demo_accounts": [],
        }


def _from_database(settings: Settings) -> dict[str, Any]:
    return {
        "current_actor": current_actor(),
        "current_user": current_user,
        "now": legal_now().astimezone(LOCAL),
        "legal_today": legal_today(),
        "nav_items": nav_items(),
        "place_name": place_name(),
        "province": province(),
        "help_line": setting_value("help_line"),
        "demo_accounts": demo_accounts() if settings.is_demo else [],
    }


def init_templating(app: Flask, settings: Settings) -> None:
    """Register filters, globals and the languages."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(PROJECT / "translations")
    app.config["BABEL_DEFAULT_LOCALE"] = "vi"
    Babel(app, locale_selector=language, timezone_selector=lambda: "Asia/Ho_Chi_Minh")
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["asset"] = asset
    app.jinja_env.globals["log_in_address"] = log_in_address
    for function in (vndate, vndatetime, vntime, vnweekday, num, filesize):
        app.jinja_env.filters[function.__name__] = function
    app.context_processor(lambda: _context(settings))

    @app.after_request
    def _forever(response: Any) -> Any:
        if request.endpoint == "static" and response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def template_folder() -> Path:
    """Where templates live: beside the code, one folder an area."""
    return PROJECT / "templates"
