"""Opening a recording, the player, and the ranges it asks for."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from reception.access import current_actor, needs
from reception.clock import LOCAL
from reception.recordings import operations, playback
from reception.recordings.operations import PlayerPage
from reception.recordings.shown import cause_words, mark_shown, part_words
from reception.recordings.views import bp
from storage.queries.timeline import Lane, Mark
from workflows.access import Permission

MOST_PICTURES = 4


@bp.post("/<uuid:recording_id>/mo")
@needs(Permission.RECORDING_PLAY, hidden=True)
def open_recording(recording_id: UUID) -> ResponseReturnValue:
    """Open the recording under the grant in force; this is what the list of openings shows."""
    try:
        token = operations.open_recording(recording_id, by=current_actor())
    except operations.NoGrant as refused:
        return _no_grant(recording_id, refused.message), 403
    except operations.NotPlayableYet as refused:
        return _no_grant(recording_id, refused.message), 409
    return redirect(url_for(".player", token=token), code=303)


def _no_grant(recording_id: UUID, message: str) -> str:
    page = operations.show_recording(recording_id, by=current_actor())
    return render_template("recordings/closed.html", page=page, message=message, ended=False)


@bp.get("/xem/<token>")
@needs(Permission.RECORDING_PLAY, hidden=True)
def player(token: str) -> ResponseReturnValue:
    """Watch and listen."""
    try:
        shown = operations.show_player(token, by=current_actor())
    except playback.OpeningClosed:
        recording_id = operations.recording_of_token(token, by=current_actor())
        return redirect(url_for(".show", recording_id=recording_id), code=303)
    except playback.PlaybackEnded as ended:
        page = operations.page_of_token(token, by=current_actor())
        return render_template(
            "recordings/closed.html", page=page, message=ended.message, ended=True
        ), 403
    line = shown.timeline
    return render_template(
        "recordings/player.html",
        shown=shown,
        page=shown.page,
        token=token,
        marks=[_mark(mark) for mark in line.marks],
        data=_player_data(shown, token),
        most=MOST_PICTURES,
        began=_second(line.zero_at),
        ended=_second(line.zero_at + timedelta(milliseconds=line.duration_ms)),
    )


@bp.get("/luong/<token>/<uuid:copy_id>")
@needs(Permission.RECORDING_PLAY, hidden=True)
def stream(token: str, copy_id: UUID) -> ResponseReturnValue:
    """The asked range of one person's file: at most 2 MiB, decrypted for this answer alone."""
    copy = playback.open_copy(token, copy_id, account_id=current_actor().account_id)
    size = copy.reader.plain_size
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "no-store"}
    try:
        span = playback.wanted_span(request.headers.get("Range"), size)
    except playback.OutOfRange:
        headers["Content-Range"] = f"bytes */{size}"
        return Response(status=416, headers=headers)
    headers["Content-Length"] = str(span.length)
    if not span.whole:
        headers["Content-Range"] = f"bytes {span.first}-{span.last}/{size}"
    body = () if request.method == "HEAD" else playback.read_span(copy, span)
    status = 200 if span.whole else 206
    return Response(body, status, headers, content_type=copy.media_type)


@bp.get("/luong/<token>/song")
@needs(Permission.RECORDING_PLAY, hidden=True)
def waves(token: str) -> ResponseReturnValue:
    """Loudness of every file, ten values a second, each one byte in base 64."""
    shown = operations.show_player(token, by=current_actor())
    return {
        str(copy.id): base64.b64encode(bytes(min(255, int(p)) for p in copy.peaks)).decode()
        for lane in shown.timeline.lanes
        for copy in lane.copies
    }


@bp.post("/luong/<token>/dong")
@needs(Permission.RECORDING_PLAY, hidden=True)
def close(token: str) -> ResponseReturnValue:
    """Leave the player; whoever only shuts the browser is summed up later."""
    operations.close_opening(token, by=current_actor())
    recording_id = operations.recording_of_token(token, by=current_actor())
    return redirect(url_for(".show", recording_id=recording_id), code=303)


def _second(at: datetime) -> str:
    return f"{at.astimezone(LOCAL):%H:%M:%S}"


# --- what the player is given --------------------------------------------------------------------


def _player_data(shown: PlayerPage, token: str) -> dict[str, Any]:
    line = shown.timeline
    return {
        "durationMs": line.duration_ms,
        "zero": line.zero_at.astimezone(LOCAL).isoformat(),
        "wavesUrl": url_for(".waves", token=token),
        "mostPictures": MOST_PICTURES,
        "expiresAt": shown.grant.expires_at.isoformat() if shown.grant.expires_at else None,
        "lanes": [_lane(lane, token) for lane in line.lanes],
        "segments": [{"from": s.from_ms, "to": s.to_ms, "locked": s.locked} for s in line.segments],
        "pauses": [{"from": p.from_ms, "to": p.to_ms, "cause": p.cause} for p in line.pauses],
        "marks": [
            {
                "at": mark.at_ms,
                "icon": mark_shown(mark.kind, mark.text)["icon"],
                "tone": mark_shown(mark.kind, mark.text)["tone"],
                "words": mark_shown(mark.kind, mark.text)["words"],
            }
            for mark in line.marks
        ],
    }


def _lane(lane: Lane, token: str) -> dict[str, Any]:
    return {
        "id": str(lane.participant_id),
        "name": lane.name,
        "detail": lane_detail(lane),
        "copies": [
            {
                "id": str(copy.id),
                "from": copy.from_ms,
                "to": copy.to_ms,
                "video": copy.has_video,
                "audio": copy.has_audio,
                "url": url_for(".stream", token=token, copy_id=copy.id),
            }
            for copy in lane.copies
        ],
        "gaps": [
            {"from": g.from_ms, "to": g.to_ms, "cause": g.cause, "words": cause_words(g.cause)}
            for g in lane.gaps
        ],
    }


def lane_detail(lane: Lane) -> str:
    """Part and place of a person, without saying the same twice."""
    return f"{part_words(lane.part)}, {lane.place}"


bp.app_template_global("lane_detail")(lane_detail)


def _mark(mark: Mark) -> dict[str, Any]:
    at: datetime = mark.at.astimezone(LOCAL)
    return {"at_ms": mark.at_ms, "at": at, **mark_shown(mark.kind, mark.text)}
