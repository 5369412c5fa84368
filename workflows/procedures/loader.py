"""Reading a procedure from TOML and refusing one that contradicts itself.

Refused: a state, document, deadline, guard, role or clock event that is not declared; a state that
cannot be reached or, not being final, cannot be left; a rule without source; two rules for the
same move or term whose days overlap; days between two versions of a term; a point that needs
confirmation without its question; a spawned procedure that does not exist. Raises BadProcedure.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

from workflows.access import Role
from workflows.calendar import ONE_DAY, DayUnit
from workflows.errors import BadProcedure, UnknownProcedure
from workflows.procedures.engine import CLOCK_START, STEP_DAY
from workflows.procedures.guards import GUARDS
from workflows.procedures.model import (
    LIVE,
    PREVIOUS,
    SAME,
    START,
    SYSTEM,
    Clock,
    DeadlineRule,
    Document,
    InForce,
    Procedure,
    State,
    Transition,
)

FOLDER = Path(__file__).parent
_ACTORS = frozenset(Role) | {SYSTEM}

Table = Mapping[str, Any]


@cache
def load_all(folder: Path = FOLDER) -> Mapping[str, Procedure]:
    """Every procedure of the folder by code; also checks that what is spawned exists."""
    found = {p.code: p for p in map(load_procedure, sorted(folder.glob("*.toml")))}
    for each in found.values():
        for transition in each.transitions:
            if transition.spawns and transition.spawns not in found:
                raise BadProcedure(
                    f"{each.code}: “{transition.event}” mở quy trình {transition.spawns} "
                    "nhưng không có tệp của quy trình ấy."
                )
    return MappingProxyType(found)


def procedure(code: str) -> Procedure:
    """The procedure `code`. Raises UnknownProcedure."""
    try:
        return load_all()[code]
    except KeyError:
        known = ", ".join(load_all())
        raise UnknownProcedure(f"Không có quy trình “{code}”. Các quy trình: {known}.") from None


def load_procedure(path: Path) -> Procedure:
    """The procedure kept in `path`, checked."""
    return read_procedure(path.read_text(encoding="utf-8"), name=path.name)


def read_procedure(text: str, *, name: str = "TOML") -> Procedure:
    """The procedure written in `text`, checked. `name` is used in messages."""
    try:
        built = _built(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as wrong:
        raise BadProcedure(f"{name}: không đọc được ({wrong!r}).") from wrong
    problems = list(_problems(built))
    if problems:
        raise BadProcedure(f"{name}: " + " ".join(problems))
    return built


def _built(table: Table) -> Procedure:
    states = {row["code"]: State(**row) for row in table["state"]}
    return Procedure(
        code=table["code"],
        label_vi=table["label_vi"],
        label_en=table["label_en"],
        revision=table["revision"],
        states=MappingProxyType(states),
        documents=MappingProxyType(
            {row["code"]: Document(**row) for row in table.get("document", ())}
        ),
        transitions=tuple(_transition(row, states) for row in table["transition"]),
        deadlines=tuple(_deadline(row) for row in table.get("deadline", ())),
        clocks=tuple(_clock(row) for row in table.get("clock", ())),
        outside_days=tuple(table.get("outside_days", ())),
    )


def _transition(row: Table, states: Mapping[str, State]) -> Transition:
    given = dict(row)
    origins = _origins(given.pop("from"), given.pop("except", ()), states)
    for key in ("actors", "documents", "starts", "ends", "extends"):
        given[key] = tuple(given.get(key, ()))
    _only_fields_of(Transition, given)
    return Transition(origins=origins, **given)


def _origins(
    named: str | list[str], left_out: Iterable[str], states: Mapping[str, State]
) -> tuple[str, ...]:
    names = [named] if isinstance(named, str) else named
    live = [code for code, state in states.items() if not state.final and code != START]
    spread = [code for name in names for code in (live if name == LIVE else [name])]
    return tuple(code for code in spread if code not in set(left_out))


def _deadline(row: Table) -> DeadlineRule:
    _only_fields_of(DeadlineRule, row)
    return DeadlineRule(**{**row, "unit": DayUnit(row["unit"])})


def _clock(row: Table) -> Clock:
    _only_fields_of(Clock, row)
    return Clock(**{**row, "events": tuple(row["events"])})


def _only_fields_of(model: type, row: Table) -> None:
    unknown = set(row) - {f.name for f in fields(model)}
    if unknown:
        raise ValueError(f"khóa lạ: {', '.join(sorted(unknown))}")


def _problems(built: Procedure) -> Iterable[str]:
    for transition in built.transitions:
        yield from _transition_problems(built, transition)
    for rule in built.deadlines:
        yield from _deadline_problems(built, rule)
    for clock in built.clocks:
        yield from _unknown("sự kiện", clock.events, _events(built), clock.name)
    yield from _source_problems(built)
    yield from _question_problems(built)
    yield from _overlaps(built)
    yield from _gaps(built)
    yield from _reachability_problems(built)


def _events(built: Procedure) -> frozenset[str]:
    return frozenset(t.event for t in built.transitions)


def _unknown(what: str, names: Iterable[str], known: Iterable[str], where: str) -> Iterable[str]:
    for name in sorted(set(names) - set(known)):
        yield f"“{where}” nhắc {what} chưa khai báo: {name}."


def _transition_problems(built: Procedure, move: Transition) -> Iterable[str]:
    target = () if move.to in (SAME, PREVIOUS) else (move.to,)
    yield from _unknown("trạng thái", {*move.origins, *target}, built.states, move.event)
    yield from _unknown("văn bản", move.documents, built.documents, move.event)
    terms = {rule.name for rule in built.deadlines}
    named = {*move.starts, *move.ends, *move.extends}
    yield from _unknown("thời hạn", named, terms, move.event)
    extensible = {rule.name for rule in built.deadlines if rule.extension_days}
    for name in sorted(set(move.extends) & terms - extensible):
        yield f"“{move.event}” gia hạn “{name}” nhưng thời hạn ấy không được gia hạn."
    yield from _unknown("điều kiện", {move.guard} - {""}, GUARDS, move.event)
    yield from _unknown("vai trò", move.actors, _ACTORS, move.event)
    if not move.actors:
        yield f"“{move.event}” không nói ai được làm."
    if not move.origins:
        yield f"“{move.event}” không xuất phát từ trạng thái nào."


def _deadline_problems(built: Procedure, rule: DeadlineRule) -> Iterable[str]:
    yield from _unknown("điều kiện", {rule.guard} - {""}, GUARDS, rule.name)
    anchors = {*_events(built), *built.outside_days, CLOCK_START, STEP_DAY}
    yield from _unknown("mốc", {rule.anchor}, anchors, rule.name)
    if rule.before and (rule.extension_days or rule.length_complex):
        yield f"Thời hạn “{rule.name}” đếm ngược nên không gia hạn được."
    if bool(rule.extension_days) != bool(rule.most_extensions):
        yield f"Thời hạn “{rule.name}”: gia hạn phải nói số ngày và số lần."
    if rule.length < 1:
        yield f"Thời hạn “{rule.name}” phải dài ít nhất 1."
    if rule.anchor == CLOCK_START and not any(c.name == CLOCK_START for c in built.clocks):
        yield f"Thời hạn “{rule.name}” cần quy tắc mốc bắt đầu ([[clock]])."


def _rules(built: Procedure) -> Iterable[tuple[str, InForce]]:
    yield from ((t.event, t) for t in built.transitions)
    yield from ((d.name, d) for d in built.deadlines)
    yield from ((c.name, c) for c in built.clocks)


def _source_problems(built: Procedure) -> Iterable[str]:
    for name, rule in _rules(built):
        if not rule.source.strip():
            yield f"“{name}” thiếu căn cứ (source)."
        if rule.effective_to is not None and rule.effective_to < rule.effective_from:
            yield f"“{name}” hết hiệu lực trước khi có hiệu lực."
    for document in built.documents.values():
        if not document.source.strip():
            yield f"Văn bản “{document.code}” thiếu căn cứ (source)."


def _question_problems(built: Procedure) -> Iterable[str]:
    """What is marked "cần xác nhận" says what the province must answer, and nothing else does."""
    marked = [(name, rule.needs_confirmation, rule.question) for name, rule in _rules(built)]
    marked += [(d.code, d.needs_confirmation, d.question) for d in built.documents.values()]
    for name, uncertain, question in marked:
        if uncertain != bool(question.strip()):
            yield f"“{name}”: điểm cần xác nhận phải kèm câu hỏi (question), và ngược lại."


def _gaps(built: Procedure) -> Iterable[str]:
    """A term that ends one day and begins anew later leaves days without any law."""
    versions: dict[tuple[str, str], list[DeadlineRule]] = {}
    for rule in sorted(built.deadlines, key=lambda rule: rule.effective_from):
        versions.setdefault((rule.name, rule.guard), []).append(rule)
    for (name, _), rules in versions.items():
        for one, following in pairwise(rules):
            if one.effective_to and following.effective_from - one.effective_to > ONE_DAY:
                yield f"Thời hạn “{name}” bỏ trống sau ngày {one.effective_to:%d/%m/%Y}."


def _overlaps(built: Procedure) -> Iterable[str]:
    """Two rules with one meaning on one day: the engine could not tell which counts."""
    for one, other in combinations(built.transitions, 2):
        same_move = one.event == other.event and set(one.origins) & set(other.origins)
        if same_move and one.guard == other.guard and one.overlaps(other):
            yield f"Hai dòng “{one.event}” cùng có hiệu lực một lúc."
    for rule, twin in combinations(built.deadlines, 2):
        if rule.name == twin.name and rule.guard == twin.guard and rule.overlaps(twin):
            yield f"Hai dòng thời hạn “{rule.name}” cùng có hiệu lực một lúc."
    for clock, second in combinations(built.clocks, 2):
        if clock.name == second.name and clock.overlaps(second):
            yield f"Hai dòng mốc “{clock.name}” cùng có hiệu lực một lúc."


def _reachability_problems(built: Procedure) -> Iterable[str]:
    for day in built.law_changes():
        reached = _reached(built, day)
        if reached == {START} and day != built.law_changes()[-1]:
            continue  # the procedure did not exist yet
        yield from _left_behind(built, reached, day)
    last = built.law_changes()[-1] if built.law_changes() else date.min
    for code in sorted(set(built.states) - _reached(built, last)):
        yield f"Không có đường nào tới trạng thái {code}."


def _left_behind(built: Procedure, reached: set[str], day: date) -> Iterable[str]:
    for code in sorted(reached):
        if not built.states[code].final and not any(_ways_on(built, code, day)):
            yield f"Từ ngày {day:%d/%m/%Y}, trạng thái {code} không có lối ra."


def _ways_on(built: Procedure, code: str, day: date) -> Iterable[Transition]:
    return (t for t in built.moves(code, day) if t.to not in (SAME, code))


def _reached(built: Procedure, day: date) -> set[str]:
    reached, edge = {START}, {START}
    while edge:
        targets = {t.to for code in edge for t in built.moves(code, day)} & set(built.states)
        edge = targets - reached
        reached |= edge
    return reached
