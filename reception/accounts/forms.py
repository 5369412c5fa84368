"""What was typed at the log-in."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict


@dataclass
class LogInForm:
    """Name and password."""

    login: str = ""
    password: str = field(default="", repr=False)
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: MultiDict[str, str]) -> LogInForm:
        form = cls(login=data.get("login", "").strip(), password=data.get("password", ""))
        if not form.login:
            form.errors["login"] = _("Enter your user name.")
        if not form.password:
            form.errors["password"] = _("Enter your password.")
        return form


def safe_next(target: str | None) -> str | None:
    """A place on this site to go on to after the log-in; anything else is dropped.

    Browsers skip tabs and line breaks and read a backslash as a slash, so none may stand in it.
    """
    if not target or not target.startswith("/") or target.startswith("//"):
        return None
    if "\\" in target or not target.isprintable():
        return None
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else None
