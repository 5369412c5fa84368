"""Search: petitions and cases by words, names, codes and decision numbers, within one's reach.

The newest 500 that match are ranked here in Python, so both databases give the same order. What a
person may not open is not counted, and a denunciation is never found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, literal, or_, select, union_all
from sqlalchemy import case as sql_case
from sqlalchemy.orm import Session, aliased

from storage.identities import names_of, people_named
from storage.models import Case, Petition, PetitionParty, SearchDocument, Unit
from storage.queries.cases import visible_cases
from storage.queries.inbox import visible_petitions
from storage.search import matching
from storage.subjects import petition_subjects
from workflows.access import Actor, Permission, decide
from workflows.codes import parse_code
from workflows.errors import BadCode
from workflows.folding import words

NEWEST = 500
PAGE = 20
_SEARCHABLE = ("normal", "restricted")
_BEFORE, _AFTER = 50, 150  # characters around a found word


@dataclass(frozen=True)
class Hit:
    """One record found. `snippet` is (text, found) pieces; `name` stands for who sent it."""

    kind: str
    id: UUID
    code: str
    title: str
    search_id: int
    score: int
    petition_kind: str
    state: str
    on: date
    unit_name: str
    place_name: str
    case_code: str
    by_name: bool
    submitter_id: UUID | None
    name: str = ""
    snippet: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True)
class Found:
    """A page of results. `capped`: more matched than are ranked. `near`: hits with fewer words."""

    hits: tuple[Hit, ...]
    total: int
    capped: bool
    near: int = 0


@dataclass(frozen=True)
class _Query:
    """What was typed, in the forms that are compared."""

    folded: tuple[str, ...]
    marked: str
    code: str

    @classmethod
    def of(cls, typed: str) -> _Query:
        try:
            code = parse_code(typed)
        except BadCode:
            code = ""
        marked = " ".join(unicodedata.normalize("NFC", typed).lower().split())
        return cls(words(code or typed), marked, code)


def search(
    db_session: Session, visible_to: Actor, typed: str, *, page: int = 1, any_word: bool = False
) -> Found:
    """The page of what matches all words (or any), best first. Nothing typed finds nothing."""
    query = _Query.of(typed)
    if not query.folded:
        return Found((), 0, capped=False)
    people = people_named(db_session, typed)
    rows = db_session.execute(
        union_all(*_statements(db_session, visible_to, query, people, any_word=any_word))
    ).all()
    ranked = _ranked(rows, query)
    start = (page - 1) * PAGE
    hits = _named(db_session, _allowed(db_session, visible_to, ranked[start : start + PAGE]))
    capped = any(
        sum(row.kind == kind and not row.by_name for row in rows) >= NEWEST
        for kind in ("petition", "case")
    )
    near = 0 if ranked or any_word else _near(db_session, visible_to, typed, query)
    return Found(tuple(hits), len(ranked), capped, near)


def _near(db_session: Session, visible_to: Actor, typed: str, query: _Query) -> int:
    """How many would be found by some of the words, when none is found by all."""
    if len(query.folded) < 2:
        return 0
    return search(db_session, visible_to, typed, any_word=True).total


# --- what the database is asked ------------------------------------------------------------------


def _statements(
    db_session: Session,
    visible_to: Actor,
    query: _Query,
    people: Sequence[UUID],
    *,
    any_word: bool,
) -> list[Select[Any]]:
    """Petitions and cases by words and by name; each part limited by itself."""
    petitions = _petitions(visible_to, by_name=False)
    cases = _cases(visible_to, by_name=False)
    parts = [
        matching(petitions, db_session, query.folded, any_word=any_word),
        matching(cases, db_session, query.folded, any_word=any_word),
    ]
    if people:
        parts += [
            _petitions(visible_to, by_name=True)
            .where(_sent_by(people))
            .order_by(Petition.search_id.desc()),
            _cases(visible_to, by_name=True)
            .where(Case.id.in_(select(Petition.case_id).where(_sent_by(people), _open_petition())))
            .order_by(Case.search_id.desc()),
        ]
    return [select(part.limit(NEWEST).subquery()) for part in parts]


def _sent_by(people: Sequence[UUID]) -> ColumnElement[bool]:
    party = select(PetitionParty.petition_id).where(PetitionParty.person_id.in_(people))
    return or_(Petition.submitter_id.in_(people), Petition.id.in_(party))


def _open_petition() -> ColumnElement[bool]:
    return and_(Petition.secrecy.in_(_SEARCHABLE), Petition.kind != "denunciation")


def _petitions(visible_to: Actor, *, by_name: bool) -> Select[Any]:
    holder, place, own_case = aliased(Unit), aliased(Unit), aliased(Case)
    columns: list[Any] = [
        literal("petition").label("kind"),
        Petition.id.label("id"),
        Petition.code.label("code"),
        Petition.title.label("title"),
        Petition.search_id.label("search_id"),
        Petition.kind.label("petition_kind"),
        Petition.state.label("state"),
        Petition.received_on.label("on"),
        holder.full_name.label("unit_name"),
        place.full_name.label("place_name"),
        own_case.code.label("case_code"),
        Petition.submitter_id.label("submitter_id"),
        literal(by_name).label("by_name"),
        SearchDocument.exact.label("exact"),
        SearchDocument.folded.label("folded"),
    ]
    found: Select[Any] = (
        select(*columns)
        .select_from(SearchDocument)
        .join(Petition, Petition.id == SearchDocument.petition_id)
        .join(holder, holder.id == Petition.holder_unit_id)
        .outerjoin(place, place.id == Petition.place_unit_id)
        .outerjoin(own_case, own_case.id == Petition.case_id)
        .where(visible_petitions(visible_to), _open_petition())
    )
    return found


def _cases(visible_to: Actor, *, by_name: bool) -> Select[Any]:
    holder, place = aliased(Unit), aliased(Unit)
    nobody = select(Petition.submitter_id).where(literal(False)).scalar_subquery()
    columns: list[Any] = [
        literal("case").label("kind"),
        Case.id.label("id"),
        Case.code.label("code"),
        Case.title.label("title"),
        Case.search_id.label("search_id"),
        Case.kind.label("petition_kind"),
        _case_state().label("state"),
        Case.opened_on.label("on"),
        holder.full_name.label("unit_name"),
        place.full_name.label("place_name"),
        Case.code.label("case_code"),
        nobody.label("submitter_id"),
        literal(by_name).label("by_name"),
        SearchDocument.exact.label("exact"),
        SearchDocument.folded.label("folded"),
    ]
    found: Select[Any] = (
        select(*columns)
        .select_from(SearchDocument)
        .join(Case, Case.id == SearchDocument.case_id)
        .join(holder, holder.id == Case.holder_unit_id)
        .outerjoin(place, place.id == Case.place_unit_id)
        .where(
            visible_cases(visible_to),
            Case.secrecy.in_(_SEARCHABLE),
            Case.kind != "denunciation",
        )
    )
    return found


def _case_state() -> ColumnElement[str]:
    return sql_case((Case.closed_on.is_(None), "open"), else_="closed")


# --- ranking -------------------------------------------------------------------------------------


def _ranked(rows: Iterable[Any], query: _Query) -> list[Hit]:
    """Each record once, best first; among equals the newest."""
    best: dict[UUID, Hit] = {}
    for row in rows:
        hit = _hit(row, query)
        known = best.get(hit.id)
        if known is None or hit.score > known.score:
            best[hit.id] = hit
    return sorted(best.values(), key=lambda hit: (-hit.score, -hit.search_id))


def _hit(row: Any, query: _Query) -> Hit:
    return Hit(
        kind=row.kind,
        id=row.id,
        code=row.code,
        title=row.title,
        search_id=row.search_id,
        score=_score(row, query),
        petition_kind=row.petition_kind,
        state=row.state,
        on=row.on,
        unit_name=row.unit_name,
        place_name=row.place_name or "",
        case_code=row.case_code or "",
        by_name=bool(row.by_name),
        submitter_id=row.submitter_id,
        snippet=_snippet(row, query),
    )


def _score(row: Any, query: _Query) -> int:
    """The code itself, then a person of that name, then words as written and in the title."""
    exact = " ".join(unicodedata.normalize("NFC", row.exact).lower().split())
    plain = " ".join(words(row.folded))
    title = " ".join(words(row.title))
    phrase = " ".join(query.folded)
    return int(
        1000 * (row.code == query.code)
        + 200 * bool(row.by_name)
        + 40 * (query.marked in exact)
        + 20 * (phrase in plain)
        + 10 * (phrase in title)
        + 4 * sum(word in exact for word in query.marked.split())
        + 2 * sum(f" {word} " in f" {title} " for word in query.folded)
        + 3 * (row.kind == "case")
    )


def _snippet(row: Any, query: _Query) -> tuple[tuple[str, bool], ...]:
    """The first place after the title where a word was found, with what stands around it."""
    text = unicodedata.normalize("NFC", row.exact)
    folded = row.folded
    if len(text) != len(folded):
        return ()  # letters whose folding changes the length: no place can be told
    pattern = re.compile(
        r"(?<![0-9a-z])(?:" + "|".join(map(re.escape, query.folded)) + r")(?![0-9a-z])"
    )
    title_at = text.find(row.title)
    after = title_at + len(row.title) if title_at >= 0 else 0
    first = pattern.search(folded, after)
    if first is None:
        return ()
    start, end = _around(text, first.start(), after)
    pieces: list[tuple[str, bool]] = [("… " if start > after else "", False)]
    at = start
    for found in pattern.finditer(folded, first.start(), end):
        pieces += [(text[at : found.start()], False), (text[found.start() : found.end()], True)]
        at = found.end()
    pieces.append((text[at:end] + (" …" if end < len(text) else ""), False))
    return tuple((piece.replace("\n", " "), hit) for piece, hit in pieces if piece)


def _around(text: str, found: int, after: int) -> tuple[int, int]:
    """Whole words around a place, none from before `after`."""
    start, end = max(after, found - _BEFORE), min(len(text), found + _AFTER)
    if start > after:
        start = text.find(" ", start, found) + 1 or found
    if end < len(text):
        end = max(text.rfind(" ", found, end), found + 1)
    return start, end


# --- the page ------------------------------------------------------------------------------------


def _allowed(db_session: Session, visible_to: Actor, hits: Sequence[Hit]) -> list[Hit]:
    """Ask the rule again for each petition shown; the filter must never have the last word."""
    ids = [hit.id for hit in hits if hit.kind == "petition"]
    petitions = db_session.scalars(select(Petition).where(Petition.id.in_(ids))).all()
    subjects = petition_subjects(db_session, petitions) if petitions else {}
    return [
        hit
        for hit in hits
        if hit.kind == "case" or decide(visible_to, Permission.PETITION_SEE, subjects[hit.id])
    ]


def _named(db_session: Session, hits: Sequence[Hit]) -> list[Hit]:
    names = names_of(db_session, (hit.submitter_id for hit in hits if hit.submitter_id))
    return [
        replace(hit, name=names.get(hit.submitter_id, "")) if hit.submitter_id else hit
        for hit in hits
    ]
