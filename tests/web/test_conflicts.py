"""A conflict of interest counts once it is recorded, on every page, until it is lifted."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from reception.cases.steps import leave_case
from reception.desk.steps import NewLine, write_line
from storage.database import reading, unit_of_work
from storage.models import AuditLeaf, Case, Involvement, Petition
from storage.queries.cases import visible_cases
from storage.queries.inbox import visible_petitions
from storage.subjects import case_subject, petition_subject
from tests.support.factories import COMMUNE, OTHER_COMMUNE, PROVINCE, Factories, Officer
from tests.web.test_cases import World
from workflows.access import Permission, Role, decide

DAY = date(2026, 11, 23)
TITLE = "Bồi thường đường vành đai"


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (
        "petitions.inbox_views", "petitions.handling_views", "cases.views", "cases.conflict_views",
        "cases.track_views",
    ):  # fmt: skip
        monkeypatch.setattr(f"reception.{module}.legal_today", lambda: DAY)


@pytest.fixture
def world(client: FlaskClient, factories: Factories) -> World:
    return World(client, factories)


class Matter:
    """A complaint with a case at the commune, its chair, and an officer who has it in hand."""

    def __init__(self, world: World, kind: str = "complaint") -> None:
        self.world = world
        self.chair, self.head = world.at(Role.COMMUNE_CHAIR, COMMUNE)
        self.desk, self.officer = world.at(Role.COMMUNE_OFFICER, COMMUNE)
        self.petition_id = world.file(kind=kind, assigned_to=self.officer.person_id)
        assert self.chair.post(f"/hop-don/{self.petition_id}/vu-viec").status_code == 303
        case_id = world.petition(self.petition_id).case_id
        assert case_id is not None
        self.case_id = case_id
        self.url = f"/vu-viec/{case_id}/xung-dot"

    def record(self, who: FlaskClient, about: Officer, ground: str, document: str = "") -> int:
        data = {"person": str(about.person_id), "ground": ground, "document": document}
        return who.post(self.url, data=data).status_code

    def rows(self) -> list[Involvement]:
        with reading() as work:
            return list(
                work.db_session.scalars(
                    select(Involvement).where(Involvement.part.in_(("conflicted", "own_act",
                                                                    "identity")))
                )
            )  # fmt: skip

    def lift(self, who: FlaskClient, reason: str = "Không phải người thân") -> int:
        row = next(row for row in self.rows() if row.ended_at is None)
        return who.post(f"{self.url}/{row.id}/go", data={"reason": reason}).status_code


@pytest.fixture
def matter(world: World) -> Matter:
    return Matter(world)


def _pages(matter: Matter) -> list[str]:
    return [
        "/hop-don",
        f"/hop-don/{matter.petition_id}",
        "/vu-viec",
        f"/vu-viec/{matter.case_id}",
        "/tim?q=vanh+dai",
        "/so-tiep-dan",
    ]


def _line(matter: Matter) -> None:
    with unit_of_work() as work:
        petition = work.get(Petition, matter.petition_id)
        write_line(
            work,
            NewLine(
                unit_id=petition.receiving_unit_id,
                on=DAY,
                kind="complaint",
                outcome="petition",
                content=TITLE,
                visitor="Trương Văn Lợi",
                received_by=matter.officer.account_id,
                idempotency_key="line",
                petition_id=petition.id,
                person_id=petition.submitter_id,
            ),
            by=matter.officer.account_id,
        )


def test_officer_in_conflict_loses_every_page_at_once_and_the_work_falls_back(
    matter: Matter,
) -> None:
    _line(matter)
    before = [TITLE in matter.desk.get(page).get_data(as_text=True) for page in _pages(matter)]
    assert before == [True] * 6
    assert matter.record(matter.chair, matter.officer, "relative") == 303
    for page in _pages(matter):
        shown = matter.desk.get(page)
        assert TITLE not in shown.get_data(as_text=True), page
        assert "Trương Văn Lợi" not in shown.get_data(as_text=True), page
    assert matter.desk.get(f"/vu-viec/{matter.case_id}").status_code == 403
    assert "một bên" in matter.desk.get(f"/vu-viec/{matter.case_id}").get_data(as_text=True)
    assert "Bạn là một bên" in matter.desk.get("/so-tiep-dan").get_data(as_text=True)
    assert matter.world.petition(matter.petition_id).assigned_to is None
    form = {"kind": "note", "body": "Vẫn muốn ghi"}
    assert matter.desk.post(f"/vu-viec/{matter.case_id}/ghi-chu", data=form).status_code == 403


def test_lists_stay_exactly_what_the_rule_allows(matter: Matter) -> None:
    matter.record(matter.chair, matter.officer, "interest")
    with reading() as work:
        for who in (matter.officer, matter.head):
            cases = set(work.db_session.scalars(select(Case.id).where(visible_cases(who.actor))))
            case = work.get(Case, matter.case_id)
            allowed = decide(who.actor, Permission.CASE_SEE, case_subject(work.db_session, case))
            assert (matter.case_id in cases) == bool(allowed)
            letters = select(Petition.id).where(visible_petitions(who.actor))
            assert (matter.petition_id in set(work.db_session.scalars(letters))) == bool(allowed)


def test_lifting_opens_it_again_and_the_row_stays(matter: Matter) -> None:
    matter.record(matter.chair, matter.officer, "relative")
    assert matter.lift(matter.chair, reason="x") == 422
    assert matter.lift(matter.chair) == 303
    assert matter.desk.get(f"/vu-viec/{matter.case_id}").status_code == 200
    page = matter.chair.get(matter.url).get_data(as_text=True)
    assert "Đã gỡ" in page
    assert "người thân thích" in page
    [row] = matter.rows()
    gone = matter.chair.post(f"{matter.url}/{row.id}/go", data={"reason": "gỡ lần hai"})
    assert gone.status_code == 409


def test_recording_twice_keeps_one_row_and_both_doings_are_audited(matter: Matter) -> None:
    for _ in range(2):
        assert matter.record(matter.chair, matter.officer, "relative") == 303
    matter.lift(matter.chair)
    assert len(matter.rows()) == 1
    with reading() as work:
        leaves = work.db_session.scalars(
            select(AuditLeaf).where(AuditLeaf.action.like("involvement_%")).order_by(AuditLeaf.id)
        ).all()
    assert [leaf.action for leaf in leaves] == ["involvement_recorded", "involvement_lifted"]
    assert {leaf.actor_id for leaf in leaves} == {matter.head.account_id}
    assert str(matter.officer.person_id) in leaves[0].body


def test_officer_says_it_of_themself_and_cannot_take_it_back(matter: Matter) -> None:
    assert matter.desk.get(matter.url).status_code == 200
    assert matter.desk.post(f"{matter.url}/tu-khai", data={}).status_code == 422
    told = matter.desk.post(f"{matter.url}/tu-khai", data={"own_ground": "relative"})
    assert told.status_code == 303
    assert matter.desk.get(matter.url).status_code == 403
    assert matter.lift(matter.desk) == 403
    assert matter.lift(matter.chair) == 303


def test_head_who_declared_a_conflict_does_not_clear_themself(matter: Matter) -> None:
    matter.chair.post(f"{matter.url}/tu-khai", data={"own_ground": "interest"})
    assert matter.lift(matter.chair) == 403
    above, _ = matter.world.at(Role.BOARD_HEAD, PROVINCE)
    assert matter.lift(above) == 303


def test_whose_act_is_complained_of_decides_but_neither_verifies_nor_drafts(
    matter: Matter,
) -> None:
    assert matter.record(matter.chair, matter.head, "own_decision") == 303
    assert matter.chair.get(f"/vu-viec/{matter.case_id}").status_code == 200
    url = f"/vu-viec/{matter.case_id}/ghi-chu"
    for kind, status in (("verification", 403), ("draft", 403), ("opinion", 303)):
        answer = matter.chair.post(url, data={"kind": kind, "body": "Tôi làm đúng"})
        assert answer.status_code == status, kind
    assert "chính việc làm của bạn" in matter.chair.post(
        url, data={"kind": "draft", "body": "Tôi làm đúng"}
    ).get_data(as_text=True)
    assert matter.lift(matter.chair) == 409  # also one's own act is cleared by somebody else


@pytest.mark.parametrize(
    ("role", "unit", "status"),
    [
        (Role.COMMUNE_CHAIR, COMMUNE, 303),
        (Role.APPROVING_LEADER, COMMUNE, 303),
        (Role.BOARD_HEAD, PROVINCE, 303),
        (Role.PROVINCIAL_CHAIR, PROVINCE, 303),
        (Role.BOARD_OFFICER, PROVINCE, 403),
        (Role.COMMUNE_OFFICER, COMMUNE, 403),
        (Role.COMMUNE_ADVISORY, COMMUNE, 403),
        (Role.COMMUNE_CHAIR, OTHER_COMMUNE, 404),
        (Role.PROVINCIAL_INSPECTOR, PROVINCE, 403),
        (Role.CLERK, COMMUNE, 403),
        (Role.ADMINISTRATOR, PROVINCE, 403),
    ],
)
def test_who_records_a_conflict(matter: Matter, role: Role, unit: str, status: int) -> None:
    who, _ = matter.world.at(role, unit)
    assert matter.record(who, matter.officer, "relative") == status
    assert len(matter.rows()) == (1 if status == 303 else 0)


def test_commune_shuts_no_superior_out_and_lifts_nothing_a_superior_recorded(
    matter: Matter,
) -> None:
    province, superior = matter.world.at(Role.PROVINCIAL_CHAIR, PROVINCE)
    assert matter.record(matter.chair, superior, "relative") == 422
    assert matter.rows() == []
    assert matter.record(province, matter.head, "relative") == 303
    deputy, _ = matter.world.at(Role.APPROVING_LEADER, COMMUNE)
    assert matter.lift(deputy) == 409
    assert matter.lift(province) == 303


def test_side_in_a_case_stays_one_in_a_letter_taken_out_of_it(matter: Matter) -> None:
    assert matter.record(matter.chair, matter.officer, "relative") == 303
    with unit_of_work() as work:
        letter = work.get(Petition, matter.petition_id)
        leave_case(work, letter, by=None, reason="kiểm thử")
    with reading() as work:
        letter = work.get(Petition, matter.petition_id)
        assert letter.case_id is None
        subject = petition_subject(work.db_session, letter)
    assert matter.officer.person_id in subject.conflicted
    assert matter.desk.get(f"/hop-don/{matter.petition_id}").status_code == 403


def test_people_recorded_are_shown_to_those_who_may_record_alone(matter: Matter) -> None:
    advisory, person = matter.world.at(Role.COMMUNE_ADVISORY, COMMUNE)
    matter.record(matter.chair, matter.officer, "relative")
    name = f"{Role.COMMUNE_OFFICER.value} {COMMUNE}"
    assert name in matter.chair.get(matter.url).get_data(as_text=True)
    assert name not in advisory.get(matter.url).get_data(as_text=True)
    assert person is not None


def test_stranger_and_nonsense_are_refused_with_what_was_typed_kept(matter: Matter) -> None:
    _, stranger = matter.world.at(Role.COMMUNE_OFFICER, OTHER_COMMUNE)
    assert matter.record(matter.chair, stranger, "relative") == 422
    wrong = matter.chair.post(matter.url, data={"person": "x", "ground": "relative"})
    assert wrong.status_code == 422
    assert "Chọn một người" in wrong.get_data(as_text=True)
    assert matter.record(matter.chair, matter.officer, "decision", "12/QĐ") == 409
    assert matter.chair.post(f"{matter.url}/{UUID(int=7)}/go").status_code == 404


def test_leave_to_know_the_denouncer_opens_the_identity_and_ends_with_it(world: World) -> None:
    secret = Matter(world, kind="denunciation")
    helper, person = world.at(Role.COMMUNE_ADVISORY, COMMUNE)
    url = f"/hop-don/{secret.petition_id}/noi-dung?phan=nguoi-gui"
    asking = {"reason": "liên hệ người tố cáo"}
    assert helper.post(url, data=asking).status_code == 404
    assert secret.record(secret.chair, person, "decision") == 422
    leader, _ = world.at(Role.APPROVING_LEADER, COMMUNE)
    assert secret.record(leader, person, "decision", "12/QĐ-UBND") in (403, 404)
    assert secret.record(secret.chair, person, "decision", "12/QĐ-UBND") == 303
    assert "Trương Văn Lợi" in helper.post(url, data=asking).get_data(as_text=True)
    assert secret.lift(secret.chair) == 303
    assert helper.post(url, data=asking).status_code == 404
    secret.record(secret.chair, person, "decision", "12/QĐ-UBND")
    assert secret.record(secret.chair, person, "denounced") == 303  # the conflict is stronger
    assert helper.post(url, data=asking).status_code == 404
    assert secret.record(secret.chair, person, "decision", "12/QĐ-UBND") == 422
