"""What the public may see of small numbers, so that no single case can be worked out.

The public layer knows exactly one kind of table, computed once per closed quarter and then kept:
commune × coarse field, with the commune's total, the field's total and the total of all. There
are no months, years, finer fields, kinds or free filters, so two publications never overlap and
nothing can be subtracted from anything but within one table.

Within a table every number under the threshold is hidden, totals included. Then further numbers
are hidden until the following holds for each small one: some other table of whole, non-negative
numbers agrees with everything shown and has another number in its place. Such a table differs
from the true one along a closed chain of hidden numbers, up one, down one; the chain is looked
for in the graph of the table's rows and columns, whose edges are the hidden numbers. All hidden
numbers look alike, small or not. No chain means that every total has been seen through.

A corrected quarter must replace the whole kept table and be announced: publishing each day's
state would let two days be subtracted. Denunciations never reach a public layer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from workflows.errors import DomainError
from workflows.kinds import PetitionKind

THRESHOLD = 3
TOTAL = ""
"""The key of a total, in place of a unit's or a field's code."""

PUBLIC_KINDS = frozenset(
    {PetitionKind.COMPLAINT, PetitionKind.RECOMMENDATION, PetitionKind.FEEDBACK}
)

Key = tuple[str, str]


class NotForPublic(DomainError):
    """Counts were given to the public layer that must never be shown there."""


@dataclass(frozen=True)
class PublicTable:
    """Counts by (unit, field), `TOTAL` standing for all; None where the number is hidden."""

    shown: Mapping[Key, int | None]

    def count(self, unit: str, field: str) -> int | None:
        """The number, or None when it is hidden. Raises KeyError for a place outside the table."""
        return self.shown[unit, field]

    def to_json(self) -> list[list[str | int | None]]:
        """Rows of unit, field, number, to be kept when the quarter is published."""
        return [[unit, field, count] for (unit, field), count in sorted(self.shown.items())]

    @classmethod
    def from_json(cls, rows: Iterable[tuple[str, str, int | None]]) -> "PublicTable":
        return cls({(unit, field): count for unit, field, count in rows})


def ensure_public_kinds(kinds: Iterable[PetitionKind]) -> None:
    """Raise NotForPublic unless every kind may be counted in public.

    Source: Luật Tố cáo 25/2018/QH14, Điều 8: denunciations are kept secret. A mixed letter may
    hold a denunciation until it is split.
    """
    if not PUBLIC_KINDS.issuperset(kinds):
        raise NotForPublic(
            "Lớp công khai không được chứa tố cáo hoặc đơn chưa tách loại. "
            "Bỏ các loại này khỏi số liệu rồi công bố lại."
        )


def protected_table(
    counts: Mapping[Key, int],
    *,
    units: Iterable[str],
    fields: Iterable[str],
    threshold: int = THRESHOLD,
) -> PublicTable:
    """The table of `units` × `fields` as the public may see it; a missing count is zero.

    Raises ValueError without units or fields, or when a count lies outside the table.
    """
    table = _Table.of(counts, sorted(set(units)), sorted(set(fields)))
    small = {key for key, count in table.values.items() if count < threshold}
    hidden = set(small)
    for key in sorted(small, key=lambda key: (-table.values[key], key)):
        if not table.is_ambiguous(key, hidden):
            hidden |= table.cheapest_chain(key, hidden)
    return PublicTable({k: None if k in hidden else n for k, n in table.values.items()})


@dataclass(frozen=True)
class _Table:
    """A table with its totals; every row and every column ends in its sum."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: Mapping[Key, int]

    @classmethod
    def of(cls, counts: Mapping[Key, int], units: Iterable[str], fields: Iterable[str]) -> "_Table":
        rows, columns = (*units, TOTAL), (*fields, TOTAL)
        values = dict.fromkeys(product(rows, columns), 0)
        if len(rows) == 1 or len(columns) == 1 or not values.keys() >= counts.keys():
            raise ValueError("counts need a table of units and fields that holds them all")
        for row, column in product(rows[:-1], columns[:-1]):
            count = counts.get((row, column), 0)
            for key in product((row, TOTAL), (column, TOTAL)):
                values[key] += count
        return cls(rows, columns, values)

    def is_ambiguous(self, key: Key, hidden: set[Key]) -> bool:
        """Whether the hidden number at `key` could as well be one more or one less."""
        return any(self._closes(key, hidden, step) for step in (1, -1))

    def cheapest_chain(self, key: Key, hidden: set[Key]) -> set[Key]:
        """The four corners of a rectangle that would hide `key`, giving up the least.

        Hiding a total costs more than hiding a single number. There always is one: adding a
        case raises a number, its two totals and the total of all.
        """
        row, column = key
        chains = (
            {key, (row, c), (r, column), (r, c)}
            for r, c in product(self.rows, self.columns)
            if r != row and c != column and self._can_turn(key, r, c)
        )
        return min(chains, key=lambda chain: self._price(chain - hidden))

    def _price(self, keys: Iterable[Key]) -> tuple[int, list[Key]]:
        ordered = sorted(keys)
        return sum(1 + self.values[key] * (3 if TOTAL in key else 1) for key in ordered), ordered

    def _can_turn(self, key: Key, other_row: str, other_column: str) -> bool:
        """Whether the rectangle's corners can move by one, in either direction."""
        row, column = key
        beside = ((row, other_column), (other_row, column))
        level = (key, (other_row, other_column))
        return any(
            all(self._can_move(k, step) for k in level)
            and all(self._can_move(k, -step) for k in beside)
            for step in (1, -1)
        )

    def _can_move(self, key: Key, step: int) -> bool:
        """Whether the number stays at zero or above. In sums to zero, totals count negative."""
        return self.values[key] + step * _sign(key) >= 0

    def _closes(self, key: Key, hidden: set[Key], step: int) -> bool:
        """Whether a move of `key` can be balanced through other hidden numbers.

        Walks alternately along a column, where a number must move against `step`, and along a
        row, where one must move with it, until `key`'s own row is reached.
        """
        against = {k for k in hidden if k != key and self._can_move(k, -step)}
        along = {k for k in hidden if k != key and self._can_move(k, step)}
        seen_rows: set[str] = set()
        seen_columns = {key[1]}
        waiting = [key[1]] if self._can_move(key, step) else []
        while waiting and key[0] not in seen_rows:
            column = waiting.pop()
            rows = {row for row in self.rows if (row, column) in against} - seen_rows
            columns = {c for c in self.columns for row in rows if (row, c) in along} - seen_columns
            seen_rows |= rows
            seen_columns |= columns
            waiting.extend(columns)
        return key[0] in seen_rows


def _sign(key: Key) -> int:
    """Interior and grand total count positive, totals of one row or column negative."""
    unit, field = key
    return 1 if (unit == TOTAL) == (field == TOTAL) else -1
