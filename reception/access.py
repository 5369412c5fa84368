"""Who is asking, and the permission a page asks for.

Every endpoint carries exactly one of `@needs(...)` and `@public`; a test lists them all. The
page's permission only opens the door: the operation decides on the real record.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import g, redirect, request, url_for
from flask_login import current_user

from workflows.access import VISITOR, Actor, Decision, Permission, asks_for_no_name, holds
from workflows.errors import NotAllowed

View = TypeVar("View", bound=Callable[..., Any])


def current_actor() -> Actor:
    """The actor of this request: the account's posts in force today, or a visitor."""
    if "actor" not in g:
        g.actor = current_user.actor if current_user.is_authenticated else VISITOR
    actor: Actor = g.actor
    return actor


def needs(permission: Permission, *, hidden: bool = False) -> Callable[[View], View]:
    """Let in whoever holds the permission at all; send a visitor to the log-in first.

    `hidden` is for the pages of one record nobody outside is to know of: there whoever lacks the
    permission finds nothing (404), a visitor included.
    """

    def mark(view: View) -> View:
        @wraps(view)
        def guarded(*args: object, **kwargs: object) -> object:
            actor = current_actor()
            nameless = actor is VISITOR and not asks_for_no_name(permission)
            if nameless or not holds(actor, permission):
                if actor is VISITOR and request.method == "GET" and not hidden:
                    return redirect(url_for("accounts.log_in", next=_here()))
                raise NotAllowed(
                    Decision(
                        allowed=False,
                        reason="Vai trò của bạn không có quyền này. "
                        "Nếu cần, hãy hỏi người phụ trách đơn vị.",
                        hidden=hidden,
                    )
                )
            return view(*args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]  # read by the route test
        guarded.hidden = hidden  # type: ignore[attr-defined]  # read by the route test
        return guarded  # type: ignore[return-value]  # same call signature as `view`

    return mark


def _here() -> str:
    return request.full_path.rstrip("?")


def log_in_address() -> str:
    """The log-in that leads back to this page; empty for whoever is logged in."""
    known = current_actor() is not VISITOR or request.method != "GET"
    return "" if known else url_for("accounts.log_in", next=_here())


def public(view: View) -> View:
    """Say that anybody may open this page; the operation still decides on records."""
    view.permission = None  # type: ignore[attr-defined]  # read by the route test
    return view
