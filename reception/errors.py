"""Turns refusals in the words of the domain into a status and a sentence that helps."""

from __future__ import annotations

import logging
from uuid import UUID

from flask import Flask, Response, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from reception.access import current_actor
from reception.security import TooManyAttempts
from storage.database import unit_of_work
from workflows.errors import (
    BadCode,
    BadInput,
    CalendarGap,
    Conflict,
    DomainError,
    GateNotMet,
    NotAllowed,
    NotFound,
    OutsideJurisdiction,
    StepNotAllowed,
    Unavailable,
)

log = logging.getLogger(__name__)

STATUS: dict[type[DomainError], int] = {
    NotFound: 404,
    BadCode: 404,
    NotAllowed: 403,
    Conflict: 409,
    GateNotMet: 409,
    CalendarGap: 409,
    StepNotAllowed: 409,
    OutsideJurisdiction: 409,
    BadInput: 422,
    Unavailable: 503,
    TooManyAttempts: 429,
}


def status_of(error: DomainError) -> int:
    """The HTTP status of a refusal: the closest class named above, else 400."""
    if isinstance(error, NotAllowed) and error.decision.hidden:
        return 404
    for known in type(error).__mro__:
        if known in STATUS:
            return STATUS[known]
    return 400


def wants_json() -> bool:
    """Whether a script asked: it gets the same sentence as JSON."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json" or request.is_json


def answer(status: int, message: str) -> Response:
    """The error page, or JSON for a script."""
    if wants_json():
        return make_response({"error": message, "status": status}, status)
    known = status if status in (400, 403, 404, 409, 413, 422, 429, 500, 503) else 400
    page = render_template(f"errors/{known}.html", message=message, status=status)
    return make_response(page, status)


def _audit_refusal(error: NotAllowed) -> None:
    """A refusal is kept in a transaction of its own: the refused change never commits.

    Of the address only ids are kept: its other parts may be secrets such as a personal link.
    """
    with unit_of_work() as work:
        work.audit(
            "refused",
            kind="endpoint",
            by=current_actor().account_id,
            endpoint=request.endpoint,
            path_ids=[str(v) for v in (request.view_args or {}).values() if isinstance(v, UUID)],
            reason=error.decision.reason,
        )


def init_errors(app: Flask) -> None:
    """Register the one handler of each family."""

    @app.errorhandler(DomainError)
    def _domain(error: DomainError) -> Response:
        if isinstance(error, NotAllowed):
            _audit_refusal(error)
        status = status_of(error)
        hidden = isinstance(error, NotAllowed) and error.decision.hidden
        response = answer(status, NotFound().message if hidden else error.message)
        if isinstance(error, TooManyAttempts):
            response.headers["Retry-After"] = str(error.wait_s)
        return response

    @app.errorhandler(CSRFError)
    def _forged(error: CSRFError) -> Response:
        return answer(400, "Trang này đã mở quá lâu. Tải lại trang rồi gửi lại.")

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        return answer(error.code or 500, "")

    @app.errorhandler(Exception)
    def _unknown(error: Exception) -> Response:
        if app.testing:
            raise error
        log.exception("unexpected error", extra={"endpoint": request.endpoint})
        return answer(500, "")
