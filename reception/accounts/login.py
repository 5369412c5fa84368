"""Flask-Login over our own table of log-ins: the cookie holds a random token, no more."""

from __future__ import annotations

from uuid import UUID

from flask import Flask
from flask_login import LoginManager, UserMixin

from reception.accounts import operations
from reception.clock import legal_today
from reception.settings import settings
from workflows.access import Actor


class LoginUser(UserMixin):  # type: ignore[misc]  # Flask-Login ships no types
    """The person of a live log-in."""

    def __init__(self, token: str, logged_in: operations.LoggedIn) -> None:
        self.id = token
        self.login_session_id: UUID = logged_in.login_session_id
        self.account_id: UUID = logged_in.account_id
        self.display_name = logged_in.display_name
        self.title = logged_in.title
        self.actor: Actor = logged_in.actor

    @classmethod
    def from_token(cls, token: str) -> LoginUser | None:
        """The user this token belongs to while its log-in is live."""
        found = operations.recognise(token, idle=settings().login_idle, today=legal_today())
        return None if found is None else cls(token, found)


def init_login(app: Flask) -> None:
    """Register the loader; no remember-me cookie."""
    manager = LoginManager()
    manager.session_protection = None  # the server-side row decides; an office changes addresses
    manager.user_loader(LoginUser.from_token)
    manager.init_app(app)
