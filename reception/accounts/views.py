"""Pages of log-in and log-out."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user

from reception.access import current_actor, needs, public
from reception.accounts import attempts, operations
from reception.accounts.forms import LogInForm, safe_next
from reception.accounts.login import LoginUser
from reception.settings import settings
from workflows.access import Actor, Permission, holds

bp = Blueprint("accounts", __name__)

HOME_OF = (
    (Permission.DESK_INTAKE, "desk.desk"),
    (Permission.PETITION_SEE, "petitions.inbox"),
    (Permission.CASE_RETRIEVE, "cases.search"),
    (Permission.DOCUMENT_NUMBER, "cases.outgoing"),
    (Permission.SESSION_TEST_POINT, "sessions.board"),
    (Permission.AUDIT_READ, "administration.audit"),
    (Permission.HEALTH_SEE, "administration.health"),
)


def home_of(actor: Actor) -> str:
    """The page a role starts its day on."""
    from flask import current_app

    for permission, endpoint in HOME_OF:
        if holds(actor, permission) and endpoint in current_app.view_functions:
            return url_for(endpoint)
    return url_for("accounts.own")


def _welcome(token: str) -> ResponseReturnValue:
    user = LoginUser.from_token(token)
    if user is None:
        abort(500)
    cookie.clear()  # nothing planted or left by somebody else goes on with this person
    login_user(user)
    target = safe_next(request.values.get("next"))
    return redirect(target or home_of(user.actor), code=303)


@bp.get("/dang-nhap")
@public
def log_in() -> ResponseReturnValue:
    """The log-in page of staff."""
    return render_template(
        "accounts/log_in.html",
        form=LogInForm(),
        next=safe_next(request.args.get("next")),
        demo_accounts=operations.demo_accounts() if settings().is_demo else [],
    )


@bp.post("/dang-nhap")
@public
def log_in_submit() -> ResponseReturnValue:
    """Check name and password."""
    form = LogInForm.read(request.form)
    if not form.errors:
        attempts.count_attempt(request, form.login)
        try:
            token = operations.log_in(
                form.login,
                form.password,
                user_agent=request.user_agent.string,
                lasts=settings().login_absolute,
            )
            welcome = make_response(_welcome(token))
            attempts.remember_browser(request, welcome, form.login)
            return welcome
        except operations.LogInRefused as refused:
            form.errors["login"] = refused.message
    page = render_template(
        "accounts/log_in.html",
        form=form,
        next=safe_next(request.form.get("next")),
        demo_accounts=operations.demo_accounts() if settings().is_demo else [],
    )
    return page, 422


@bp.post("/dang-xuat")
@public
def log_out() -> ResponseReturnValue:
    """End this log-in on the server and in the browser."""
    if current_user.is_authenticated:
        operations.log_out(current_user.login_session_id, by=current_user.account_id)
        logout_user()
    cookie.clear()  # the next person at this machine finds no code, draft or petition
    response = redirect("/", code=303)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@bp.post("/trai-nghiem/<uuid:account_id>")
@public
def demo_log_in(account_id: UUID) -> ResponseReturnValue:
    """One-click log-in; exists in the demo profile only."""
    if not settings().is_demo:
        abort(404)
    if account_id not in {account.id for account in operations.demo_accounts()}:
        abort(404)
    if current_user.is_authenticated:
        operations.log_out(current_user.login_session_id, by=current_user.account_id)
    token = operations.open_login(
        account_id, user_agent=request.user_agent.string, lasts=settings().login_absolute
    )
    return _welcome(token)


@bp.get("/tai-khoan")
@needs(Permission.NOTICE_SEE)
def own() -> ResponseReturnValue:
    """One's own posts and live log-ins."""
    actor = current_actor()
    if actor.account_id is None:
        abort(404)
    return render_template(
        "accounts/own.html",
        log_ins=operations.own_log_ins(actor.account_id),
        current_id=current_user.login_session_id,
        message=None,
    )


@bp.post("/tai-khoan/dang-nhap/<uuid:login_session_id>/ket-thuc")
@needs(Permission.NOTICE_SEE)
def end_log_in(login_session_id: UUID) -> ResponseReturnValue:
    """End another log-in of the same account, for example on a lost phone."""
    actor = current_actor()
    if actor.account_id is None:
        abort(404)
    operations.log_out(login_session_id, by=actor.account_id)
    return redirect(url_for(".own"), code=303)
