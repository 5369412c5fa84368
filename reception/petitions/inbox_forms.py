"""What was typed in the inbox: filters, the form of each step, classification, forwarding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from reception.petitions.facts import Said
from reception.petitions.inbox_operations import Seen
from storage.queries.inbox import InboxFilter
from workflows.cases import LinkKind
from workflows.competence import Respondent
from workflows.kinds import PetitionKind

Typed = MultiDict[str, str]

FILTER_NAMES = {
    "mine": "cua-toi",
    "kind": "loai",
    "commune": "xa",
    "state": "trang-thai",
    "text": "tim",
    "everywhere": "moi-don-vi",
}


def read_filter(args: Typed) -> InboxFilter:
    """The filter that stands in the address; an unknown word is no filter."""
    page = args.get("trang", "1")
    kind = args.get("loai", "")
    return InboxFilter(
        mine=args.get("cua-toi") == "1",
        kind=kind if kind in (*PetitionKind, "unclassified") else "",
        commune=args.get("xa", "")[:20],
        state=args.get("trang-thai", "")[:30],
        text=args.get("tim", "").strip()[:120],
        everywhere=args.get("moi-don-vi") == "1",
        page=int(page) if page.isdigit() and 0 < int(page) < 100_000 else 1,
    )


def filter_args(asked: InboxFilter, **changes: Any) -> dict[str, Any]:
    """The filter as it stands in the address, with some of it changed."""
    values = {name: changes.get(name, getattr(asked, name)) for name in FILTER_NAMES}
    args = {
        FILTER_NAMES[name]: "1" if value is True else value
        for name, value in values.items()
        if value
    }
    page = changes.get("page", 1)
    return {**args, "trang": page} if page > 1 else args


# --- one step ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asks:
    """What the form of a step asks. `reason` is "needed", "optional" or empty."""

    reason: str = ""
    label: Any = ""
    hint: Any = ""
    how: bool = False
    in_writing: bool = False
    document: bool = False
    new_facts: bool = False
    lead: Any = ""
    danger: bool = False


ASKS: dict[str, Asks] = {
    "sign": Asks(lead=_l("The sender has signed or put a fingerprint in front of you.")),
    "check_identity": Asks(how=True, lead=_l("Say how the sender's identity was checked.")),
    "keep_on_file": Asks(
        "needed",
        label=_l("Why it is kept on file"),
        lead=_l(
            "The petition is not handled further. Where the sender is known, an answer is drafted."
        ),
    ),
    "to_inspection": Asks(
        "needed", lead=_l("The information goes to inspection, not the petition.")
    ),
    "to_investigation": Asks(
        "needed",
        label=_l("Signs of a crime"),
        lead=_l("A note to the competent investigation body is drafted."),
    ),
    "return": Asks("needed", lead=_l("The petition goes back to the body that sent it.")),
    "merge": Asks(
        "optional",
        new_facts=True,
        lead=_l("Same sender, same matter: this petition is handled with the earlier one."),
    ),
    "guide": Asks(
        "needed",
        label=_l("Where and how the sender should file"),
        hint=_l("These words go into the guidance note. The originals are returned."),
        lead=_l("A sender is guided only once about one matter."),
    ),
    "receive_transfer": Asks(
        lead=_l("From now on your unit holds the petition and its clock starts.")
    ),
    "propose": Asks(
        "optional",
        label=_l("Proposal"),
        hint=_l("Only your own unit reads these words."),
        lead=_l("The leader decides on acceptance."),
    ),
    "send_back": Asks("needed", label=_l("What has to be looked at again")),
    "accept": Asks(
        lead=_l("The notice of acceptance is drafted and the time to settle starts today.")
    ),
    "decline": Asks(
        "needed",
        label=_l("Ground of refusal"),
        lead=_l("The notice of refusal is drafted for your signature."),
        danger=True,
    ),
    "answer": Asks(document=True, lead=_l("The answer has been signed and sent.")),
    "report_result": Asks(document=True, lead=_l("Record the document that settled the matter.")),
    "withdraw": Asks(
        "optional",
        in_writing=True,
        lead=_l("The whole petition is withdrawn and its handling ends."),
        danger=True,
    ),
    "withdraw_part": Asks(
        "needed",
        label=_l("Which part is withdrawn"),
        in_writing=True,
        lead=_l(
            "The rest is handled on. A withdrawn part is not reopened unless there was coercion."
        ),
    ),
    "undo": Asks(
        "needed",
        label=_l("Why the last step is undone"),
        lead=_l("Nothing is erased: the undo is a new row after the step."),
    ),
}

HOW = {
    "card": _l("Identity card or papers seen at the desk"),
    "vneid": _l("VNeID"),
    "signature": _l("Digital signature checked"),
    "phone": _l("By telephone, by what only the sender knows"),
    "known": _l("Known from an earlier visit"),
}


@dataclass
class StepForm:
    """The form of one step, by what that step asks."""

    event: str
    version: int = 0
    reason: str = ""
    how: str = ""
    in_writing: bool = False
    new_facts: bool = False
    document_number: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, event: str, data: Typed) -> StepForm:
        form = cls(
            event=event,
            version=_version(data),
            reason=data.get("reason", "").strip()[:4000],
            how=data.get("how", ""),
            in_writing=data.get("in_writing") == "1",
            new_facts=data.get("new_facts") == "1",
            document_number=data.get("document_number", "").strip()[:80],
        )
        form._check(ASKS[event])
        return form

    def _check(self, asks: Asks) -> None:
        if asks.reason == "needed" and len(self.reason) < 5:
            self.errors["reason"] = _("Write a sentence: others decide by these words later.")
        if asks.how and self.how not in HOW:
            self.errors["how"] = _("Choose how the identity was checked.")
        if asks.in_writing and not self.in_writing:
            self.errors["in_writing"] = _(
                "A withdrawal needs a letter or signed minutes. Tick the box when you have them."
            )
        if asks.document and len(self.document_number) < 3:
            self.errors["document_number"] = _("Enter the number of the signed document.")

    @property
    def said(self) -> Said:
        """The form in the words of the procedure."""
        return Said(
            reason=str(HOW[self.how]) if self.how in HOW else self.reason,
            signed_now=self.event == "sign",
            new_facts=self.new_facts,
            in_writing=self.in_writing,
            part=self.event == "withdraw_part",
            document_number=self.document_number,
        )

    @property
    def seen(self) -> Seen:
        return Seen(self.version)


def _version(data: Typed) -> int:
    typed = data.get("version", "")
    return int(typed) if typed.isdigit() else 0


def _uuid(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None


# --- classify ------------------------------------------------------------------------------------

NOT_ELIGIBLE = {
    "no-signature": _l("No signature or fingerprint, no name or no address"),
    "anonymous": _l("Anonymous, without clear evidence"),
    "no-content": _l("The required content is missing"),
    "copied": _l("Copied to many bodies, the competent one among them"),
    "guided": _l("The sender was already guided about this matter"),
    "settled": _l("Settled already, and nothing new is told"),
    "insulting": _l("Against the State, or insulting"),
    "unreadable": _l("Torn or unreadable"),
}

RESPONDENTS = {
    Respondent.COMMUNE: _l("A decision or act of a commune"),
    Respondent.COMMUNE_STAFF: _l("A person whom the commune chair manages"),
    Respondent.COMMUNE_LEADER: _l("The chair or a vice-chair of a commune"),
    Respondent.DEPARTMENT: _l("A decision or act of a provincial department"),
    Respondent.DEPARTMENT_STAFF: _l("A person of a department"),
    Respondent.DEPARTMENT_LEADER: _l("The head or a deputy head of a department"),
    Respondent.PROVINCE: _l("The provincial People's Committee or its chair"),
    Respondent.PROVINCE_LEADER: _l("A leader of the province"),
    Respondent.ELSEWHERE: _l("A court, the police, a company, another province"),
}

FLAGS = (
    "clear_evidence",
    "copied_to_competent_body",
    "from_elected_body_or_press",
    "criminal_signs",
    "many_places",
)


@dataclass
class ClassifyForm:
    """What the officer found, as it was typed."""

    version: int = 0
    kind: str = ""
    round: str = "1"
    field_code: str = ""
    place: str = ""
    respondent: str = ""
    respondent_unit: str = ""
    eligible: str = ""
    ground: str = ""
    competent_unit: str = ""
    reason: str = ""
    flags: tuple[str, ...] = ()
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: Typed) -> ClassifyForm:
        return cls(
            version=_version(data),
            kind=data.get("kind", ""),
            round=data.get("round", "1"),
            field_code=data.get("field_code", ""),
            place=data.get("place", ""),
            respondent=data.get("respondent", ""),
            respondent_unit=data.get("respondent_unit", ""),
            eligible=data.get("eligible", ""),
            ground=data.get("ground", ""),
            competent_unit=data.get("competent_unit", ""),
            reason=data.get("reason", "").strip()[:4000],
            flags=tuple(flag for flag in FLAGS if flag in data.getlist("flags")),
        )

    def check(self, *, again: bool) -> None:
        """Fill `errors`; a second classification needs its reason."""
        required = {
            "kind": (self.kind in _KINDS, _("Choose the kind by the content of the letter.")),
            "respondent": (
                self.respondent in list(Respondent),
                _("Choose against whom or what the letter is."),
            ),
            "eligible": (
                self.eligible in ("yes", "no"),
                _("Say whether the petition can be handled."),
            ),
            "ground": (
                self.eligible != "no" or self.ground in NOT_ELIGIBLE,
                _("Choose why it cannot be handled."),
            ),
            "respondent_unit": (
                self.respondent in _NO_UNIT or self.respondent_id is not None,
                _("Choose the body concerned."),
            ),
            "reason": (
                not again or len(self.reason) >= 5,
                _("Write why it is classified again."),
            ),
        }
        self.errors = {name: words for name, (right, words) in required.items() if not right}

    @property
    def respondent_id(self) -> UUID | None:
        return _uuid(self.respondent_unit)

    @property
    def tells_respondent(self) -> bool:
        """Whether enough was chosen to propose a competent body."""
        chosen = self.respondent in list(Respondent) and self.kind in _KINDS
        return chosen and (self.respondent in _NO_UNIT or self.respondent_id is not None)

    @property
    def seen(self) -> Seen:
        return Seen(self.version)


_NO_UNIT = (Respondent.ELSEWHERE, Respondent.PROVINCE, Respondent.PROVINCE_LEADER)
_KINDS = ("complaint", "denunciation", "recommendation", "feedback")


# --- forward, link, assign -----------------------------------------------------------------------


@dataclass
class ForwardForm:
    """To whom a petition goes: a unit of this system, or a body outside it in words."""

    version: int = 0
    to: str = ""
    to_body: str = ""
    reason: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: Typed) -> ForwardForm:
        form = cls(
            version=_version(data),
            to=data.get("to_unit", "") if data.get("to") == "other" else data.get("to", ""),
            to_body=data.get("to_body", "").strip()[:200],
            reason=data.get("reason", "").strip()[:2000],
        )
        if form.to == "outside" and len(form.to_body) < 3:
            form.errors["to_body"] = _("Write the name of the body outside this system.")
        if form.to != "outside" and form.unit_id is None:
            form.errors["to"] = _("Choose where the petition goes.")
        if len(form.reason) < 5:
            form.errors["reason"] = _("Write why it goes there; the sender is told these words.")
        return form

    @property
    def unit_id(self) -> UUID | None:
        return _uuid(self.to)

    @property
    def seen(self) -> Seen:
        return Seen(self.version)


@dataclass
class LinkForm:
    """On which case a petition hangs, how, and why."""

    kind: str = ""
    reason: str = ""
    other: UUID | None = None
    case_id: UUID | None = None
    code: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: Typed) -> LinkForm:
        form = cls(
            kind=data.get("kind", ""),
            reason=data.get("reason", "").strip()[:2000],
            other=_uuid(data.get("other", "")),
            case_id=_uuid(data.get("case", "")),
            code=data.get("code", "").strip()[:20],
        )
        if form.kind not in list(LinkKind):
            form.errors["kind"] = _("Choose how the petition belongs to the case.")
        if len(form.reason) < 5:
            form.errors["reason"] = _("Write what shows that the matter is the same or related.")
        if form.other is None and form.case_id is None and not form.code:
            form.errors["code"] = _("Enter the code of the case.")
        return form
