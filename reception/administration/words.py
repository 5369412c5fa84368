"""Words for actions of the audit log and for the parts of the system."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from reception.administration.log_words import WORK, WORK_KINDS
from reception.templating import num, vndatetime
from storage.health import BAD, OK, Finding
from storage.models import AuditLeaf
from workflows.procedures.loader import load_all

ACTIONS: dict[str, Any] = {
    "logged_in": _l("signed in"),
    "logged_out": _l("signed out"),
    "log_in_refused": _l("sign-in refused"),
    "account_created": _l("account made"),
    "refused": _l("access refused"),
    "demo_clock_moved": _l("demonstration clock moved"),
    "audit_log_searched": _l("audit log searched"),
    "petition_registered": _l("petition registered"),
    "attachment_opened": _l("attachment opened"),
    "denunciation_opened": _l("denunciation opened"),
    "denouncer_identity_opened": _l("identity of a denouncer opened"),
    "case_opened": _l("case opened"),
    "case_joined": _l("petition joined to a case"),
    "case_left": _l("petition taken out of a case"),
    "case_viewed": _l("case looked at"),
    "case_closed": _l("case closed"),
    "reception_session_scheduled": _l("session scheduled"),
    "participant_admitted": _l("participant admitted"),
    "participant_sent_out": _l("participant sent out"),
    "stranger_expelled": _l("stranger expelled"),
    "room_ticket_issued": _l("ticket into the room issued"),
    "minutes_signed": _l("minutes signed"),
    "recording_begun": _l("recording begun"),
    "recording_segment_begun": _l("segment begun"),
    "recording_segment_ended": _l("segment ended"),
    "recording_chain_head": _l("head of the sealed chain"),
    "recording_ended": _l("recording ended"),
    "recording_sealed": _l("recording sealed"),
    "recording_checked": _l("recording checked"),
    "recording_opened": _l("recording opened"),
    "recording_closed": _l("recording closed again"),
    "recording_exported": _l("recording exported"),
    "playback_asked": _l("asked to watch"),
    "playback_approved": _l("leave to watch given"),
    "playback_refused": _l("leave to watch refused"),
    "playback_revoked": _l("leave to watch withdrawn"),
    "playback_opened_by_post": _l("opened by the leader’s post"),
    "identity_checked": _l("identity checked"),
    "public_map_published": _l("public map switched"),
    "event_proven": _l("proof of an event asked for"),
    "keys_rotation_begun": _l("rotation of keys begun"),
    "keys_rotated": _l("keys rotated"),
    "root_key_rotated": _l("root key rotated"),
    "recovery_shares_tried": _l("recovery shares tried"),
    "key_destruction_asked": _l("destruction of a key asked for"),
    "key_destruction_withdrawn": _l("destruction of a key withdrawn"),
    "key_destroyed": _l("key destroyed"),
    "recording_held": _l("recording put under legal hold"),
    "recording_released": _l("legal hold lifted"),
    "recording_class_changed": _l("retention class changed"),
}


def action_words(action: str) -> str:
    """The action in words; a step of a procedure by its label, else its own name."""
    words = ACTIONS.get(action) or WORK.get(action)
    if words is not None:
        return str(words)
    code, _dot, event = action.partition(".")
    labels = step_labels().get((code, event))
    return action if labels is None else labels[str(get_locale()) != "vi"]


@lru_cache(maxsize=1)
def step_labels() -> dict[tuple[str, str], tuple[str, str]]:
    """(procedure, event) to the label of the step in Vietnamese and English."""
    return {
        (code, move.event): (move.label_vi, move.label_en)
        for code, rules in load_all().items()
        for move in rules.transitions
    }


KINDS: dict[str, Any] = {
    "petition": _l("petition"),
    "case": _l("case"),
    "recording": _l("recording"),
    "segment": _l("segment of a recording"),
    "playback_grant": _l("request to watch"),
    "reception_session": _l("session"),
    "participant": _l("participant"),
    "procedure_step": _l("step of a procedure"),
    "login_session": _l("log-in"),
    "account": _l("account"),
    "visit": _l("line of the book"),
    "attachment": _l("attachment"),
    "endpoint": _l("page"),
    "setting": _l("setting"),
    "issued_document": _l("document"),
    "case_link": _l("link to a case"),
    "ticket": _l("queue ticket"),
    "minutes": _l("minutes of a session"),
}


def kind_words(kind: str) -> str:
    """What kind of record, in words, or the name of its table."""
    return str(KINDS.get(kind) or WORK_KINDS.get(kind) or kind.replace("_", " "))


def leaf_detail(leaf: AuditLeaf) -> list[tuple[str, str]]:
    """The detail of a leaf as pairs; it holds ids, codes and figures, never a name."""
    detail = json.loads(leaf.body)["detail"]
    return [(key, _plain(value)) for key, value in sorted(detail.items())]


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


PARTS: dict[str, Any] = {
    "database": _l("Database"),
    "store": _l("Object store"),
    "worm": _l("Lock against deletion"),
    "media": _l("Recorder and sealer"),
    "jobs": _l("Background work"),
    "schedule": _l("Work by the clock"),
    "audit": _l("Audit log"),
    "clock": _l("Clock"),
    "disk": _l("Disk"),
    "spool": _l("Memory for recordings"),
}

WHY: dict[str, Any] = {
    "no_answer": _l("Does not answer. Call the technicians; what is recorded waits in the spool."),
    "old_schema": _l("The schema is older than the program. Run “flask database upgrade”."),
    "not_kept": _l("A promise was not kept. See the details and call the technicians."),
    "recorder_silent": _l("A sealer with an open session is silent. Look at it at once."),
    "alarm": _l("The sealer raises an alarm."),
    "no_recorder": _l("No recorder reports; no session can be opened."),
    "nobody_works": _l("Work has waited for more than five minutes. Is the worker running?"),
    "failed": _l("Some work failed today."),
    "clock_still": _l("Work by the clock is not being done. Is the worker running?"),
    "task_fails": _l("A task went wrong and is tried again; see below what it says."),
    "sequencer_still": _l("Leaves wait too long for the tree. Is the worker running?"),
    "slow": _l("The tree lags behind."),
    "set_back": _l(
        "The log does not agree with the checkpoint in locked storage: the database was set back "
        "or rewritten. Stop and call the technicians."
    ),
    "clocks_differ": _l("The clocks of the machines differ by more than two seconds."),
    "full": _l("Little room is left."),
    "not_in_memory": _l("The spool is not in memory: nothing may be recorded."),
    "swap": _l("Memory may be swapped to disk. Switch swap off on recording machines."),
}


def why_words(finding: Finding) -> str:
    """What is wrong and what to do; empty when all is well."""
    if finding.name == "clock" and finding.why == "not_kept":
        return _("No time service keeps this machine’s clock in step, as far as it says.")
    return str(WHY.get(finding.why, finding.why))


def state_shown(finding: Finding) -> dict[str, str]:
    """The state as a tag."""
    if finding.state == OK:
        return {"text": _("In order"), "tone": "ok", "icon": "check"}
    if finding.state == BAD:
        return {"text": _("Out of order"), "tone": "late", "icon": "alert"}
    return {"text": _("Look at it"), "tone": "wait", "icon": "info"}


def figures_shown(finding: Finding) -> list[str]:
    """The figures of a part as short sentences."""
    shown = _FIGURES.get(finding.name)
    if shown is None or finding.why == "no_answer":
        return [str(value) for value in finding.figures.values()]
    return shown(finding.figures)


def _answering(figures: dict[str, Any]) -> list[str]:
    return [_("answers in %(ms)s ms", ms=num(figures["answer_ms"]))]


def _media(figures: dict[str, Any]) -> list[str]:
    return [
        _(
            "%(name)s: seen %(seconds)s s ago, %(segments)s open, %(chunks)s parts waiting, "
            "%(free)s free",
            name=server["name"],
            seconds=num(server["seen_s_ago"]),
            segments=server["open_segments"],
            chunks=server["waiting_chunks"],
            free=_gigabytes(server["spool_free"]),
        )
        for server in figures["servers"]
    ] + [
        _(
            "%(name)s: %(alarm)s Began %(began)s, last seen %(seen)s.",
            name=server["name"],
            alarm=alarm["text"],
            began=vndatetime(datetime.fromisoformat(alarm["began_at"])),
            seen=vndatetime(datetime.fromisoformat(alarm["seen_at"])),
        )
        for server in figures["servers"]
        for alarm in server["alarms"]
    ]


def _jobs(figures: dict[str, Any]) -> list[str]:
    return [
        _(
            "%(waiting)s waiting, %(running)s running, %(failed)s failed today",
            waiting=figures["waiting"],
            running=figures["running"],
            failed=figures["failed_today"],
        )
    ]


TASKS: dict[str, Any] = {
    "compare": _l("Compare the log with locked storage"),
    "lock-test": _l("Try the lock against deletion"),
    "checkpoint": _l("Sign the log every hour"),
    "settle": _l("Let keys and locks follow their matters"),
    "clean": _l("Clean up"),
    "datamap.refresh": _l("Count the map anew and publish closed quarters"),
}


def _schedule(figures: dict[str, Any]) -> list[str]:
    return [
        _(
            "%(task)s: last %(last)s, next %(next)s",
            task=TASKS.get(task["name"], task["name"]),
            last=vndatetime(task["last_ok_at"]) or _("never yet"),
            next=vndatetime(task["next_run_at"]) or _("not planned"),
        )
        + (f" · {task['error']}" if task["error"] else "")
        for task in figures["tasks"]
    ]


def _audit(figures: dict[str, Any]) -> list[str]:
    last = figures["last_checkpoint_at"]
    lines = [
        ngettext(
            "%(num)s leaf waits for the tree",
            "%(num)s leaves wait for the tree",
            figures["waiting"],
        )
    ]
    if last:
        lines.append(_("last checkpoint at %(time)s", time=vndatetime(last)))
    return lines


def _gigabytes(value: int) -> str:
    return f"{num(value / 1024**3, 1)} GB"


def _room(figures: dict[str, Any]) -> list[str]:
    return [
        _(
            "%(free)s of %(total)s free",
            free=_gigabytes(figures["free"]),
            total=_gigabytes(figures["total"]),
        )
    ]


def _worm(figures: dict[str, Any]) -> list[str]:
    return [_("tried at %(time)s", time=vndatetime(figures["tested_at"])), *figures["failures"]]


def _clock(figures: dict[str, Any]) -> list[str]:
    return [_("database differs by %(seconds)s s", seconds=num(figures["database_offset_s"], 3))]


_FIGURES = {
    "database": lambda figures: [figures["dialect"], *_answering(figures)],
    "store": lambda figures: [figures["kind"], *_answering(figures)],
    "worm": _worm,
    "media": _media,
    "jobs": _jobs,
    "schedule": _schedule,
    "audit": _audit,
    "clock": _clock,
    "disk": _room,
    "spool": _room,
}
