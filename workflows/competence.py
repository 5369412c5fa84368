"""Who is competent: a proposal with its reason and article; an officer confirms it.

Two tiers since 01/07/2025: after a commune the next level is the province. Sources: Luật Khiếu nại
02/2011/QH13, Điều 17, 20, 21; Luật Tố cáo 25/2018/QH14, Điều 13; Luật Tiếp công dân 42/2013/QH13,
Điều 26, all as amended by Luật 136/2025/QH15.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from workflows.access import Role, UnitPath
from workflows.kinds import PetitionKind, Round


class Respondent(StrEnum):
    """Against whom or what the letter is."""

    COMMUNE = "commune"  # a decision or act of a commune, its chair or its staff
    DEPARTMENT = "department"  # of a provincial department, its head or its staff
    PROVINCE = "province"  # of the provincial People's Committee or its chair
    COMMUNE_STAFF = "commune_staff"  # a person managed by the commune chair
    COMMUNE_LEADER = "commune_leader"  # chair or vice-chair of a commune
    DEPARTMENT_STAFF = "department_staff"
    DEPARTMENT_LEADER = "department_leader"  # head or deputy head
    PROVINCE_LEADER = "province_leader"
    ELSEWHERE = "elsewhere"  # a court, the police, a company, another province


class Level(StrEnum):
    """Where the competent person sits."""

    COMMUNE = "commune"
    DEPARTMENT = "department"
    PROVINCE = "province"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of competence."""

    level: Level
    sentence: str
    source: str
    needs_confirmation: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """The body to which a letter belongs. `unit_path` is None when it lies outside the system."""

    level: Level
    unit_path: UnitPath | None
    role: Role | None
    sentence: str
    source: str
    needs_confirmation: bool


_HEADS: Mapping[Level, Role | None] = {
    Level.COMMUNE: Role.COMMUNE_CHAIR,
    Level.DEPARTMENT: Role.DEPARTMENT_HEAD,
    Level.PROVINCE: Role.PROVINCIAL_CHAIR,
    Level.OUTSIDE: None,
}

_KN = "Luật Khiếu nại 02/2011/QH13"
_TC = "Luật Tố cáo 25/2018/QH14"

_OF_COMMUNE = (Respondent.COMMUNE, Respondent.COMMUNE_STAFF, Respondent.COMMUNE_LEADER)
_OF_DEPARTMENT = (
    Respondent.DEPARTMENT,
    Respondent.DEPARTMENT_STAFF,
    Respondent.DEPARTMENT_LEADER,
)
_OF_PROVINCE = (Respondent.PROVINCE, Respondent.PROVINCE_LEADER)

_FIRST_COMPLAINT: Mapping[Level, Rule] = {
    Level.COMMUNE: Rule(
        Level.COMMUNE,
        "Khiếu nại lần đầu về việc của xã, phường thuộc thẩm quyền Chủ tịch UBND xã, phường đó.",
        f"{_KN}, Điều 17",
    ),
    Level.DEPARTMENT: Rule(
        Level.DEPARTMENT,
        "Khiếu nại lần đầu về việc của sở thuộc thẩm quyền giám đốc sở đó.",
        f"{_KN}, Điều 20",
        needs_confirmation=True,
    ),
    Level.PROVINCE: Rule(
        Level.PROVINCE,
        "Khiếu nại lần đầu về việc của cấp tỉnh thuộc thẩm quyền Chủ tịch UBND cấp tỉnh.",
        f"{_KN}, Điều 21",
    ),
}

_SECOND_COMPLAINT = Rule(
    Level.PROVINCE,
    "Khiếu nại lần hai, sau Chủ tịch UBND xã, phường hoặc giám đốc sở, "
    "thuộc thẩm quyền Chủ tịch UBND cấp tỉnh.",
    f"{_KN}, Điều 21.2, sửa đổi bởi Luật 136/2025/QH15",
)

_AFTER_PROVINCE = Rule(
    Level.OUTSIDE,
    "Sau quyết định lần đầu của Chủ tịch UBND cấp tỉnh: khiếu nại lên bộ quản lý ngành "
    "hoặc khởi kiện tại tòa án.",
    f"{_KN}, Điều 7, 23",
    needs_confirmation=True,
)

_DENUNCIATION: Mapping[Respondent, Rule] = {
    Respondent.COMMUNE_STAFF: Rule(
        Level.COMMUNE,
        "Tố cáo người do xã, phường quản lý thuộc thẩm quyền Chủ tịch UBND xã, phường đó.",
        f"{_TC}, Điều 13.1",
    ),
    Respondent.COMMUNE_LEADER: Rule(
        Level.PROVINCE,
        "Tố cáo Chủ tịch, Phó Chủ tịch UBND xã, phường thuộc thẩm quyền Chủ tịch UBND cấp tỉnh.",
        f"{_TC}, Điều 13.4a, sửa đổi bởi Luật 136/2025/QH15",
    ),
    Respondent.DEPARTMENT_STAFF: Rule(
        Level.DEPARTMENT,
        "Tố cáo người của sở thuộc thẩm quyền giám đốc sở đó.",
        f"{_TC}, Điều 13.3",
    ),
    Respondent.DEPARTMENT_LEADER: Rule(
        Level.PROVINCE,
        "Tố cáo giám đốc, phó giám đốc sở thuộc thẩm quyền Chủ tịch UBND cấp tỉnh.",
        f"{_TC}, Điều 13.4a, sửa đổi bởi Luật 136/2025/QH15",
    ),
    Respondent.PROVINCE_LEADER: Rule(
        Level.OUTSIDE,
        "Tố cáo lãnh đạo cấp tỉnh thuộc thẩm quyền cấp trên. Lập phiếu chuyển.",
        f"{_TC}, Điều 13",
        needs_confirmation=True,
    ),
}
_SAME_AS: Mapping[Respondent, Respondent] = {
    Respondent.COMMUNE: Respondent.COMMUNE_STAFF,
    Respondent.DEPARTMENT: Respondent.DEPARTMENT_STAFF,
    Respondent.PROVINCE: Respondent.PROVINCE_LEADER,
}

_RECOMMENDATION = "Kiến nghị, phản ánh do cơ quan quản lý lĩnh vực, địa bàn trả lời."
_OUTSIDE = Rule(
    Level.OUTSIDE,
    "Việc này không thuộc cơ quan hành chính ở đây. Hướng dẫn hoặc chuyển đến đúng nơi.",
    "Luật Tiếp công dân 42/2013/QH13, Điều 26",
)


def propose_competence(
    kind: PetitionKind, respondent: Respondent, respondent_unit: UnitPath, *, round_: Round
) -> Proposal:
    """The competent body for a letter against `respondent` of `respondent_unit`.

    For a recommendation or feedback `respondent_unit` is the unit in charge of the matter. A mixed
    letter has no competent body: it is split first (ValueError).
    """
    if kind is PetitionKind.MIXED:
        raise ValueError("a mixed letter is split before competence is proposed")
    rule = _rule(kind, respondent, round_)
    return Proposal(
        level=rule.level,
        unit_path=_path(rule.level, respondent_unit),
        role=_HEADS[rule.level],
        sentence=rule.sentence,
        source=rule.source,
        needs_confirmation=rule.needs_confirmation,
    )


def _rule(kind: PetitionKind, respondent: Respondent, round_: Round) -> Rule:
    if respondent is Respondent.ELSEWHERE:
        return _OUTSIDE
    if kind is PetitionKind.DENUNCIATION:
        return _DENUNCIATION[_SAME_AS.get(respondent, respondent)]
    level = _level_of(respondent)
    if kind is not PetitionKind.COMPLAINT:
        return Rule(level, _RECOMMENDATION, "Luật Tiếp công dân 42/2013/QH13, Điều 26")
    if round_ is Round.FIRST:
        return _FIRST_COMPLAINT[level]
    return _AFTER_PROVINCE if level is Level.PROVINCE else _SECOND_COMPLAINT


def _level_of(respondent: Respondent) -> Level:
    if respondent in _OF_COMMUNE:
        return Level.COMMUNE
    return Level.DEPARTMENT if respondent in _OF_DEPARTMENT else Level.PROVINCE


def _path(level: Level, respondent_unit: UnitPath) -> UnitPath | None:
    if level is Level.OUTSIDE:
        return None
    return respondent_unit[:1] if level is Level.PROVINCE else respondent_unit


def is_competent(proposal: Proposal, unit_path: UnitPath) -> bool:
    """Whether `unit_path` is the body proposed."""
    return proposal.unit_path == unit_path
