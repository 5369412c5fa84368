"""Searching, and writing the search index anew; the page and the command line call the same."""

from __future__ import annotations

from collections.abc import Callable

from reception.cases.steps import keep_case_searchable
from reception.petitions.steps import keep_searchable
from storage.database import reading, unit_of_work
from storage.models import Case, Petition
from storage.queries.search import Found, search
from storage.search import everything_indexed
from workflows.access import Actor, Permission, ensure_allowed

BATCH = 200


def find(by: Actor, typed: str, *, page: int = 1, any_word: bool = False) -> Found:
    """What this person may know of that matches. Raises NotAllowed for who may not search."""
    ensure_allowed(by, Permission.SEARCH)
    with reading() as work:
        return search(work.db_session, by, typed, page=page, any_word=any_word)


def reindex(progress: Callable[[int, int], None] = lambda done, total: None) -> int:
    """Write every document anew, in small transactions; safe to run while people work."""
    with reading() as work:
        petitions, cases = everything_indexed(work.db_session)
    total, done = len(petitions) + len(cases), 0
    for start in range(0, len(petitions), BATCH):
        with unit_of_work() as work:
            for key in petitions[start : start + BATCH]:
                keep_searchable(work, work.get(Petition, key))
        done = min(start + BATCH, len(petitions))
        progress(done, total)
    for start in range(0, len(cases), BATCH):
        with unit_of_work() as work:
            for key in cases[start : start + BATCH]:
                keep_case_searchable(work, work.get(Case, key))
        done = len(petitions) + min(start + BATCH, len(cases))
        progress(done, total)
    return done
