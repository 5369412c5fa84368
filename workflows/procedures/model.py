"""What a procedure consists of, and what a step through it yields. Values only.

Every rule has `source` and the days it is in force, both ends included; `effective_to` None means
still in force.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from workflows.calendar import DayUnit
from workflows.kinds import Channel

START = "START"
"""The state before the first step."""

SAME = "@same"
"""A target: the state does not change."""

PREVIOUS = "@previous"
"""A target: back to the state before this one (resume, undo)."""

LIVE = "*live"
"""An origin: every state that is not final, except START."""

SYSTEM = "system"
"""An actor: a job or another procedure, no person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """Days on which a rule holds, both included.

    A rule that `needs_confirmation` says in `question` what the province must answer.
    """

    effective_from: date
    effective_to: date | None = None
    source: str = ""
    needs_confirmation: bool = False
    question: str = ""

    def holds_on(self, on: date) -> bool:
        return self.effective_from <= on and (self.effective_to is None or on <= self.effective_to)

    def overlaps(self, other: "InForce") -> bool:
        return self.effective_from <= (other.effective_to or date.max) and (
            other.effective_from <= (self.effective_to or date.max)
        )


@dataclass(frozen=True, slots=True)
class State:
    """Where a record can stand. Work may end in a `final` state."""

    code: str
    label_vi: str
    label_en: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A paper that a step makes. `form` is the printed form number, empty for a local form."""

    code: str
    label_vi: str
    label_en: str
    form: str
    source: str
    needs_confirmation: bool = False
    question: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineRule(InForce):
    """How long something may take.

    `anchor` names the event whose day is day 0, or "clock-start". `before` turns the count round:
    the last day lies `length` units before the anchor. The longer lengths hold for remote areas,
    for cases determined to be complex, and for both together; None means the base length.
    Decisions of extension add `extension_days` each, at most `most_extensions` of them.
    """

    name: str
    label_vi: str
    label_en: str
    length: int
    unit: DayUnit
    anchor: str
    before: bool = False
    guard: str = ""
    length_remote: int | None = None
    length_complex: int | None = None
    length_remote_complex: int | None = None
    extension_days: int = 0
    most_extensions: int = 0

    def length_for(self, *, remote: bool, complex_case: bool) -> int:
        """The term that applies, in `unit`s."""
        if remote and complex_case and self.length_remote_complex is not None:
            return self.length_remote_complex
        longer = [self.length]
        longer += [self.length_remote] if remote and self.length_remote is not None else []
        longer += [self.length_complex] if complex_case and self.length_complex is not None else []
        return max(longer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock(InForce):
    """Which receipt starts the clock: the latest of `events` that has happened."""

    name: str
    events: tuple[str, ...]
    label_vi: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition(InForce):
    """One allowed move. `origins` are resolved state codes; `actors` role values or "system".

    `extends` names terms that get one more extension, as their rule says.
    """

    event: str
    label_vi: str
    label_en: str
    origins: tuple[str, ...]
    to: str
    actors: tuple[str, ...]
    guard: str = ""
    documents: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    spawns: str = ""
    extends: tuple[str, ...] = ()
    stops_clock: bool = False
    restarts_clock: bool = False


@dataclass(frozen=True)
class Procedure:
    """One track of work with all its rules, past and present.

    `outside_days` are anchors that no event of this procedure sets: the day of a reception
    session, the day a decision reached the complainant.
    """

    code: str
    label_vi: str
    label_en: str
    revision: str
    states: Mapping[str, State]
    documents: Mapping[str, Document]
    transitions: tuple[Transition, ...]
    deadlines: tuple[DeadlineRule, ...]
    clocks: tuple[Clock, ...] = ()
    outside_days: tuple[str, ...] = ()

    def version_on(self, on: date) -> str:
        """The name of the rule set in force on `on`, kept with every step.

        `PET/2026-07-01+r1`: the day of the newest change of law up to `on`, and the revision of
        the file that was read.
        """
        changes = [day for day in self.law_changes() if day <= on]
        since = max(changes).isoformat() if changes else "none"
        return f"{self.code}/{since}+{self.revision}"

    def law_changes(self) -> tuple[date, ...]:
        """The days on which some rule of this procedure begins, oldest first."""
        rules: tuple[InForce, ...] = (*self.transitions, *self.deadlines, *self.clocks)
        return tuple(sorted({rule.effective_from for rule in rules}))

    def moves(self, state: str, on: date) -> Iterator[Transition]:
        """The transitions in force on `on` that leave `state`, in the order of the file."""
        return (t for t in self.transitions if state in t.origins and t.holds_on(on))


@dataclass(frozen=True)
class Standing:
    """Where a record stands: its state, the one before, and the day of each event so far.

    `dates` maps an event name (or an anchor such as "reception_session") to its latest day.
    """

    state: str = START
    previous_state: str | None = None
    dates: Mapping[str, date] = field(default_factory=dict)
    channel: Channel | None = None
    remote: bool = False
    complex_case: bool = False


@dataclass(frozen=True, slots=True)
class Deadline:
    """A computed term. `sentence` is the Vietnamese answer to "vì sao ngày này?".

    `because` says why the length is not the usual one: a remote area, a complex case.
    """

    name: str
    label_vi: str
    label_en: str
    start_on: date
    last_day: date
    length: int
    unit: DayUnit
    before: bool
    source: str
    rule_from: date
    sentence: str
    needs_confirmation: bool
    because: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A move out of a state, possible now or with the sentence why not."""

    transition: Transition
    allowed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One taken move, ready to be kept as a row. `ended` are the deadlines it fulfils."""

    procedure: str
    procedure_version: str
    event: str
    label_vi: str
    label_en: str
    from_state: str
    to_state: str
    on: date
    actors: tuple[str, ...]
    deadlines: tuple[Deadline, ...]
    ended: tuple[str, ...]
    documents: tuple[Document, ...]
    source: str
    spawns: str = ""
    extended: tuple[str, ...] = ()
    stops_clock: bool = False
    restarts_clock: bool = False
