"""The search index: what is written into it, and how words are looked up on each database.

Folding is one Python function for index and query (workflows.folding), so both databases only
compare plain words. A denunciation never has a row here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, column, func, literal_column, select, table, text
from sqlalchemy.orm import Session

from storage.models import Case, Decision, Field, Petition, SearchDocument, Unit
from workflows.secrecy import Secrecy, is_searchable

_FTS = table("search_index", column("rowid"))


def matching(
    statement: Select[Any], db_session: Session, words: Sequence[str], *, any_word: bool
) -> Select[Any]:
    """Keep the documents that hold all words (or any of them), newest first.

    `words` come from `workflows.folding.words`: letters a-z and digits only, so nothing in them
    can be taken for an operator of the query language.
    """
    if db_session.get_bind().dialect.name == "sqlite":
        joined = (" OR " if any_word else " AND ").join(f'"{word}"' for word in words)
        return (
            statement.join(_FTS, _FTS.c.rowid == SearchDocument.search_id)
            .where(text("search_index MATCH :words").bindparams(words=f"folded : ({joined})"))
            .order_by(_FTS.c.rowid.desc())
        )
    query = func.to_tsquery("simple", (" | " if any_word else " & ").join(words))
    return statement.where(literal_column("search_document.tokens").op("@@")(query)).order_by(
        SearchDocument.search_id.desc()
    )


def case_words(db_session: Session, case: Case) -> str:
    """What may be searched of a case: what all its levels share, never working papers.

    Codes, titles, place, field, the numbers of earlier and new decisions; no content of letters.
    """
    place = db_session.get(Unit, case.place_unit_id) if case.place_unit_id else None
    field = db_session.get(Field, case.field_code) if case.field_code else None
    letters = db_session.scalars(
        select(Petition).where(Petition.case_id == case.id).order_by(Petition.search_id)
    )
    parts = [
        case.code,
        case.title,
        place.full_name if place else "",
        field.label_vi if field else "",
    ]
    for letter in letters:
        if letter.kind != "denunciation" and is_searchable(Secrecy(letter.secrecy)):
            parts += [letter.code, letter.title, *_earlier_numbers(letter)]
    parts += db_session.scalars(
        select(Decision.number).where(Decision.case_id == case.id).order_by(Decision.on)
    )
    return "\n".join(dict.fromkeys(part for part in parts if part))


def _earlier_numbers(petition: Petition) -> list[str]:
    return [str(earlier.get("number", "")) for earlier in petition.earlier_decisions]


def everything_indexed(db_session: Session) -> tuple[list[UUID], list[UUID]]:
    """Ids of the petitions and the cases that belong into the index, oldest first."""
    petitions = db_session.scalars(select(Petition.id).order_by(Petition.search_id)).all()
    cases = db_session.scalars(select(Case.id).order_by(Case.search_id)).all()
    return list(petitions), list(cases)
