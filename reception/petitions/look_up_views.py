"""Following a petition by its code and second part; only the stage is shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from flask import Response, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from reception.access import current_actor, needs, public
from reception.clock import LOCAL, legal_now, legal_today
from reception.petitions import following_words
from reception.petitions import look_up_operations as operations
from reception.petitions.blueprint import bp
from reception.petitions.filing_words import kind_label
from reception.petitions.uploads import ACCEPT, BadFile, CheckedFile, check_file
from reception.security import TooManyAttempts, limit
from reception.sessions.steps import Invitation
from reception.settings import settings
from storage.models import Deadline
from storage.models.base import utc_now
from storage.queries.following import Following, Meeting
from workflows.access import Permission
from workflows.codes import parse_code
from workflows.errors import BadCode
from workflows.lunar import lunar_date

PROVEN_FOR = timedelta(minutes=30)
KEY = "followed"
HOUR = timedelta(hours=1)
PAPERS_PER_ADDRESS = 200
"""Papers sent afterwards within an hour, for all petitions together."""
MOST_A_DAY = 30
"""Guesses at one code. The last four digits of a telephone fall to 10,000 of them."""


def _proven() -> dict[str, str]:
    """Codes this browser has proven within the last half hour, and whose they are."""
    now = utc_now().timestamp()
    kept = {
        code: entry for code, entry in cookie.get(KEY, {}).items() if float(entry["until"]) > now
    }
    cookie[KEY] = kept
    return {code: entry["id"] for code, entry in kept.items()}


def _remember(code: str, petition_id: UUID) -> None:
    _proven()
    until = (utc_now() + PROVEN_FOR).timestamp()
    cookie[KEY] = {**cookie[KEY], code: {"id": str(petition_id), "until": until}}


@bp.get("/tra-cuu")
@public
def look_up() -> ResponseReturnValue:
    """Ask for the code and its second part."""
    code = request.args.get("ma", "")
    return render_template("petitions/look_up.html", code=code, second="", errors=[])


@bp.post("/tra-cuu")
@public
def look_up_submit() -> ResponseReturnValue:
    """Check both parts together; what is wrong stays untold."""
    code = request.form.get("code", "").strip()[:40]
    second = request.form.get("second", "").strip()[:40]
    limit("look-up", request.remote_addr or "", most=40, within=timedelta(minutes=10))
    _limit_guesses(code)
    try:
        petition_id, proven = operations.prove(code, second)
    except operations.NoSuchPetition as error:
        page = render_template(
            "petitions/look_up.html", code=code, second=second, errors=[("code", error.message)]
        )
        return page, 422
    _remember(proven, petition_id)
    return redirect(url_for(".followed", code=proven), code=303)


def _limit_guesses(typed: str) -> None:
    """Count guesses at one code together, however it is written and from wherever they come."""
    try:
        code = parse_code(typed)
    except BadCode:
        return
    limit("look-up", code, most=8, within=timedelta(minutes=10))
    limit("look-up-day", code, most=MOST_A_DAY, within=timedelta(days=1))


@bp.get("/tra-cuu/quen-ma")
@public
def forgotten_code() -> ResponseReturnValue:
    """What to do without the code."""
    return render_template("petitions/forgotten_code.html")


@bp.get("/tra-cuu/<code>")
@public
def followed(code: str) -> ResponseReturnValue:
    """Where the petition stands, what comes next, by when and why."""
    proven = _proven()
    if code not in proven:
        return redirect(url_for(".look_up", ma=code))
    return _show(operations.follow(operations.proven_or_404(code, proven)))


def _show(
    found: Following, *, error: str = "", status: int = 200, own: bool = False
) -> ResponseReturnValue:
    today = legal_today()
    title, text = following_words.standing_words(found)
    page = render_template(
        "petitions/followed.html",
        found=found,
        petition=found.petition,
        office=following_words.office,
        kind=kind_label(found.petition.kind, found.petition.round),
        standing=title,
        standing_text=text,
        tag=following_words.tone_of(found, today),
        timeline=following_words.timeline(found, today),
        bar=_bar(found),
        late=found.is_late(today),
        meetings=_meetings(found),
        asked={row.kind for row in found.requests if row.state == "open"},
        accept=ACCEPT,
        max_mb=settings().upload_limit_bytes // 1024 // 1024,
        error=error,
        own=own,
    )
    return page, status


@bp.get("/don-cua-toi")
@needs(Permission.PETITION_FOLLOW)
def own_list() -> ResponseReturnValue:
    """The petitions of a citizen who signed in."""
    today = legal_today()
    rows = [
        (
            row,
            following_words.tone_of(row, today),
            kind_label(row.petition.kind, row.petition.round),
        )
        for row in operations.own_petitions(current_actor())
    ]
    return render_template("petitions/own_list.html", rows=rows, office=following_words.office)


@bp.get("/don-cua-toi/<code>")
@needs(Permission.PETITION_FOLLOW)
def own(code: str) -> ResponseReturnValue:
    """One's own petition with what was written and the papers issued about it."""
    found = operations.own_petition(code, by=current_actor())
    _remember(found.petition.code, found.petition.id)
    return _show(found, own=True)


@bp.get("/don-cua-toi/<code>/van-ban/<uuid:document_id>")
@needs(Permission.PETITION_FOLLOW)
def own_paper(code: str, document_id: UUID) -> ResponseReturnValue:
    """A paper issued to the person who is signed in."""
    paper = operations.own_paper(code, document_id, by=current_actor())
    return Response(
        paper.data, mimetype=paper.media_type, headers={"Content-Disposition": "inline"}
    )


def _bar(found: Following) -> dict[str, object] | None:
    """The running term drawn to scale; None when nothing runs."""
    term = found.next_term
    if term is None or term.last_day_on <= term.start_on:
        return None
    today = legal_today()
    gone = (today - term.start_on).days / (term.last_day_on - term.start_on).days
    return {
        "label": term.sentence,
        "start": (f"{term.start_on:%d/%m}", _("Start")),
        "end": (f"{term.last_day_on:%d/%m}", _("Last day")),
        "today": (
            round(min(max(gone, 0), 1) * 100),
            _("Today %(day)s", day=f"{today:%d/%m}"),
        ),
        "marks": _marks(found, term),
        "late": found.is_late(today),
        "left": (term.last_day_on - today).days,
        "term": term,
        "what": following_words.label_of(found, term),
        "words": following_words.day_words(term.last_day_on),
    }


def _marks(found: Following, term: Deadline) -> list[tuple[int, str, str]]:
    """The sessions that fall into a running term, where they stand on its bar.

    Near its ends there is no room for their words; the way of the petition tells them anyway.
    """
    whole = (term.last_day_on - term.start_on).days
    days = [meeting.starts_at.astimezone(LOCAL).date() for meeting in found.meetings]
    places = [(round((day - term.start_on).days / whole * 100), day) for day in days]
    return [(place, f"{day:%d/%m}", _("Reception")) for place, day in places if 18 <= place <= 82]


def _meetings(found: Following) -> list[dict[str, object]]:
    """The sessions to come, each with the personal link of whoever is invited to it."""
    now = legal_now()
    invited = operations.invitations(found.petition.id, now=now)
    return [_meeting(meeting, invited.get(meeting.id), now) for meeting in found.meetings]


def _meeting(meeting: Meeting, invited: Invitation | None, now: datetime) -> dict[str, object]:
    starts = meeting.starts_at.astimezone(LOCAL)
    opens = invited.opens_at.astimezone(LOCAL) if invited else starts
    return {
        "row": meeting,
        "date": starts.date(),
        "lunar": str(lunar_date(starts.date())),
        "time": f"{starts:%H:%M}",
        "day": following_words.day_words(starts.date()),
        "days": (starts.date() - now.astimezone(LOCAL).date()).days,
        "invited": invited,
        "place": ", ".join(filter(None, (invited.point, invited.place))) if invited else "",
        "door": _door(invited, now),
        "opens": f"{opens:%H:%M}",
        "opens_on": f"{opens:%d/%m}",
    }


def _door(invited: Invitation | None, now: datetime) -> str:
    """What the personal link opens at this moment: the point, a try of the machine, the room."""
    if invited is None:
        return ""
    if invited.must_come:
        return "point"
    return "open" if now >= invited.opens_at else "early"


def _upload(field: str) -> CheckedFile | None:
    """The one file of a field, checked. Raises BadFile, TooManyAttempts."""
    uploaded = request.files.get(field)
    if uploaded is None or not uploaded.filename:
        return None
    _limit_uploads()
    return check_file(uploaded.stream, uploaded.filename, limit=settings().upload_limit_bytes)


def _limit_uploads() -> None:
    limit("late-paper", request.remote_addr or "", most=PAPERS_PER_ADDRESS, within=HOUR)


@bp.post("/tra-cuu/<code>/bo-sung")
@public
def supplement(code: str) -> ResponseReturnValue:
    """Add papers to a petition that was sent."""
    petition_id = operations.proven_or_404(code, _proven())
    limit("supplement", str(petition_id), most=40, within=HOUR)
    chosen = [file for file in request.files.getlist("files") if file.filename]
    if not chosen:
        return _show(
            operations.follow(petition_id), error=_("Choose the photo or PDF first."), status=422
        )
    for uploaded in chosen:
        try:
            _limit_uploads()
            checked = check_file(
                uploaded.stream, uploaded.filename or "", limit=settings().upload_limit_bytes
            )
        except (BadFile, TooManyAttempts) as refused:
            return _show(operations.follow(petition_id), error=refused.message, status=422)
        operations.add_paper(petition_id, checked)
    return redirect(url_for(".followed", code=code, da="bo-sung"), code=303)


@bp.get("/tra-cuu/<code>/rut-don")
@public
def withdrawal(code: str) -> ResponseReturnValue:
    """How to withdraw, and what it means."""
    proven = _proven()
    if code not in proven:
        return redirect(url_for(".look_up", ma=code))
    found = operations.follow(operations.proven_or_404(code, proven))
    return _show_withdrawal(found, [])


def _show_withdrawal(
    found: Following, errors: list[tuple[str, str]], reason: str = ""
) -> ResponseReturnValue:
    page = render_template(
        "petitions/withdraw.html",
        found=found,
        petition=found.petition,
        asked={row.kind for row in found.requests if row.state == "open"},
        errors=errors,
        reason=reason,
        accept=ACCEPT,
        max_mb=settings().upload_limit_bytes // 1024 // 1024,
    )
    return (page, 422) if errors else page


@bp.post("/tra-cuu/<code>/rut-don")
@public
def withdraw(code: str) -> ResponseReturnValue:
    """Withdraw by a signed letter, or ask an officer to take it down."""
    petition_id = operations.proven_or_404(code, _proven())
    limit("withdraw", str(petition_id), most=10, within=HOUR)
    reason = request.form.get("reason", "").strip()[:2000]
    errors = []
    letter = None
    try:
        letter = _upload("letter")
    except (BadFile, TooManyAttempts) as refused:
        errors.append(("letter", refused.message))
    if request.form.get("sure") != "1":
        errors.append(("sure", _("Tick this line if you are sure.")))
    if errors:
        return _show_withdrawal(operations.follow(petition_id), errors, reason)
    done = operations.withdraw(petition_id, letter=letter, reason=reason, today=legal_today()).done
    return redirect(url_for(".followed", code=code, da="rut" if done else "xin-rut"), code=303)


@bp.post("/tra-cuu/<code>/nhac-viec")
@public
def hurry(code: str) -> ResponseReturnValue:
    """Remind whoever is in charge that the day has passed."""
    petition_id = operations.proven_or_404(code, _proven())
    operations.hurry(petition_id, today=legal_today())
    return redirect(url_for(".followed", code=code, da="nhac"), code=303)
