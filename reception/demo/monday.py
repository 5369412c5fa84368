"""A working Monday for whoever tries the demonstration: letters of every channel and state.

What lies in the inboxes of one ward, one department and the province: late, due today, this week;
two letters about one decision, one on its way up, an anonymous one, a group, a sealed
denunciation, a decision waiting to be sent; people in the queue, and a visitor who came before.
Written through the same steps as everything else; dates are legal local dates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid5

from sqlalchemy import select

from reception.cases.steps import open_case
from reception.demo.staff import WARD_A, WARD_B, Hired
from reception.desk.steps import NewLine, write_line
from reception.petitions import handling_steps as steps
from reception.petitions.facts import Said, dossier_of
from reception.petitions.handling_steps import Doer, Finding
from reception.petitions.steps import NewPetition, register_petition
from storage.database import Work, unit_of_work
from storage.identities import PersonData
from storage.models import Decision, IssuedDocument, Petition, Ticket, Unit
from storage.queries.calendar import holiday_table
from storage.steps import record, run_of
from workflows.calendar import HolidayTable, working_days_before
from workflows.competence import Respondent
from workflows.kinds import PetitionKind
from workflows.procedures.guards import Facts

PROVINCE, DEPARTMENT = "75", "75-SNNMT"
DECISION = {"number": "2318/QĐ-UBND", "date": "14/05/2026", "body": "UBND phường Trảng Dài"}
VISITOR = PersonData(
    name="Trương Văn Lợi",
    salutation="ông",
    birth_year="1968",
    citizen_id="099068004821",
    phone="0100913206",
    address="Khu phố 4, Phường Trảng Dài",
)
NEEDS = ("elderly", "", "", "")
_NAMESPACE = UUID("0f0a3d0e-5d0b-4f0e-9d6e-2c8c3f6b7a11")


@dataclass(frozen=True)
class Letter:
    """One letter: who wrote it where about what, and how many working days ago it came."""

    key: str
    unit: str
    title: str
    story: str
    sender: str
    ago: int
    kind: str = "complaint"
    field: str = "land-compensation"
    channel: str = "post"
    wish: str = "Đề nghị xem xét lại và trả lời bằng văn bản."
    place: str = WARD_A
    group: int = 1
    round: int = 1
    decision: bool = False
    anonymous: bool = False
    signing: str = "paper"
    handler: str = ""
    then: tuple[str, ...] = ()


LETTERS = (
    Letter(
        "wall", WARD_A, "Quyết định xử phạt xây dựng tường rào",
        "Tôi xây tường rào trên đất của mình, phường xử phạt mà không đo lại ranh. "
        "Tôi không đồng ý Quyết định 1107/QĐ-XPHC ngày 02/10/2026.",
        "Vũ Đình Khoa", 11, field="administration-sanction", handler="tiep-dan-a",
    ),
    Letter(
        "pigs", WARD_A, "Mùi hôi trại heo cạnh Trường tiểu học Xuân Bắc",
        "Trại heo cách trường 80 mét, mùi hôi cả ngày, học sinh phải đeo khẩu trang trong lớp.",
        "Hoàng Thị Lựu", 10, kind="feedback", field="environment-smell", channel="desk",
        group=7, handler="tiep-dan-a", then=("classify",),
    ),
    Letter(
        "huynh", WARD_A, "Bồi thường khi thu hồi đất làm đường vành đai, khu phố 4",
        "Gia đình tôi bị thu hồi 1.240 m² tại thửa 118, tờ bản đồ 42. Tôi không đồng ý đơn giá "
        "tại Quyết định 2318/QĐ-UBND ngày 14/05/2026 và đề nghị tính thêm 622 triệu đồng.",
        "Nguyễn Thị Ngọc Huỳnh", 9, channel="desk", decision=True, handler="tham-muu-a",
        then=("classify", "case"),
    ),
    Letter(
        "loi", WARD_A, "Bồi thường nhà kho, dự án đường vành đai",
        "Nhà kho 86 m² xây năm 2009 của tôi bị bỏ sót khi kiểm đếm tại thửa 119, tờ bản đồ 42, "
        "nên tiền bồi thường theo Quyết định 2318/QĐ-UBND thiếu khoảng 214 triệu đồng. "
        "Tôi đề nghị kiểm đếm lại trước khi bàn giao mặt bằng.",
        "", 5, decision=True, handler="tiep-dan-a",
    ),
    Letter(
        "trucks", WARD_A, "Xe ben chở đá chạy giờ học sinh tan trường",
        "Xe ben chở đá chạy qua cổng trường lúc 11 giờ và 17 giờ, bụi và rất nguy hiểm. "
        "Xin giấu tên tôi.",
        "Phan Thị Cúc", 2, kind="feedback", field="transport", channel="online", signing="photo",
    ),
    Letter(
        "anonymous", WARD_A, "Đơn không ghi tên về bãi rác cạnh chợ",
        "Bãi rác sau chợ đầy lên từng ngày, không ai dọn.", "", 1, kind="unclassified",
        anonymous=True, signing="none",
    ),
    Letter(
        "unsigned", WARD_A, "Không được tách thửa, hồ sơ nộp từ tháng 8",
        "Hồ sơ tách thửa 77 của tôi nộp từ tháng 8 đến nay chưa có trả lời.",
        "Trần Ngọc Diệp", 0, field="land-subdivision", channel="online", signing="at_unit",
    ),
    Letter(
        "secret", WARD_A, "", "Người tố cáo trình bày một cán bộ nhận tiền để bỏ qua vi phạm.",
        "Người tố cáo", 3, kind="denunciation", field="administration-sanction",
        channel="desk", handler="chu-tich-a",
    ),
    Letter(
        "second", WARD_B, "Khiếu nại lần hai về giá đất nông nghiệp, hồ Cầu Mới",
        "Tôi không đồng ý quyết định giải quyết lần đầu số 88/QĐ-UBND của phường, "
        "đề nghị Chủ tịch UBND thành phố giải quyết.",
        "Lê Phước", 4, place=WARD_B, channel="desk", round=2, handler="tiep-dan-b",
        then=("classify", "forward-up"),
    ),
    Letter(
        "wrong-place", PROVINCE, "Cấp giấy chứng nhận thửa 305, ấp 2",
        "Phường Trảng Dài trả hồ sơ cấp giấy chứng nhận thửa 305 hai lần không nêu lý do.",
        "Lê Văn Đức", 6, field="land-certificate", handler="ban-tcd", then=("classify-ward",),
    ),
    Letter(
        "province-second", PROVINCE, "Khiếu nại lần hai về đơn giá cây cao su",
        "Quyết định lần đầu chưa tính 11 năm tuổi cây. Đề nghị thành phố xem xét lại.",
        "Thạch Sa Mếch", 3, round=2, place=WARD_B, group=12, channel="desk",
        handler="ban-tcd", then=("classify",),
    ),
    Letter(
        "province-late", PROVINCE, "Chậm trả tiền hỗ trợ tái định cư",
        "Đã bốn tháng chúng tôi chưa nhận đủ tiền hỗ trợ.",
        "Công Tằng Tôn Nữ Thị Diệu Huyền Trân Bảo Ngọc", 14, kind="recommendation",
        field="land-resettlement", handler="ban-tcd", then=("classify",),
    ),
    Letter(
        "province-today", PROVINCE, "Nước thải chảy ra suối làm chết cá",
        "Suối đổi màu từ tuần trước, cá chết nổi trắng.", "Điểu K'Ré", 10, kind="feedback",
        field="environment-water", channel="online", signing="photo", then=("classify",),
    ),
    Letter(
        "province-post", PROVINCE, "Đơn do Đoàn đại biểu Quốc hội chuyển đến",
        "Đề nghị xem xét chế độ trợ cấp người có công của cha tôi bị cắt từ tháng 3.",
        "Đỗ Thị Đầy Đủ", 0, kind="unclassified", field="policy-merit",
    ),
    Letter(
        "to-department", PROVINCE, "Đo đạc lại ranh rừng phòng hộ",
        "Ranh rừng trên bản đồ chồng lên rẫy của gia đình tôi từ năm 1998.",
        "K'Brểu", 7, kind="recommendation", field="land-dispute", handler="ban-tcd",
        then=("classify-department", "forward-department"),
    ),
    Letter(
        "decided", WARD_A, "Kiểm đếm thiếu giếng khoan, thửa 64",
        "Giếng khoan 60 m của gia đình tôi không có trong biên bản kiểm đếm.",
        "Mai Thị Kim Ngân", 20, channel="desk", handler="tham-muu-a",
        then=("classify", "accept", "decide"),
    ),
)  # fmt: skip


def fill_monday(staff: dict[str, Hired], today: date) -> None:
    """Write the Monday; each letter in a transaction of its own."""
    for letter in LETTERS:
        with unit_of_work() as work:
            _Day(work, staff, today).write(letter)
    with unit_of_work() as work:
        _Day(work, staff, today).open_the_desk()


class _Day:
    """Writes letters and people in the queue as of one day."""

    def __init__(self, work: Work, staff: dict[str, Hired], today: date) -> None:
        self.work, self.staff, self.today = work, staff, today
        self.holidays: HolidayTable = holiday_table(work.db_session)

    def write(self, letter: Letter) -> None:
        """Keep the letter, then do with it what its officer has done so far."""
        on = self._before(letter.ago)
        petition = self._register(letter, on)
        acts: dict[str, Callable[[Petition, Letter], None]] = {
            "classify": self._classify,
            "classify-ward": self._classify,
            "classify-department": self._classify,
            "case": self._case,
            "forward-up": lambda one, said: self._forward(one, said, PROVINCE),
            "forward-department": lambda one, said: self._forward(one, said, DEPARTMENT),
            "accept": self._accept,
            "decide": self._decide,
        }
        for act in letter.then:
            acts[act](petition, letter)

    def _before(self, working_days: int) -> date:
        """The day that lies so many working days back."""
        if not working_days:
            return self.today
        return working_days_before(self.today, working_days, self.holidays)

    def _unit(self, code: str) -> Unit:
        wanted = select(Unit).where(Unit.code == code, Unit.valid_to_on.is_(None))
        return self.work.db_session.scalars(wanted).one()

    def _person(self, login: str) -> UUID | None:
        return self.staff[login].person_id if login else None

    def _sender(self, letter: Letter) -> PersonData | None:
        if letter.anonymous:
            return None
        if not letter.sender:
            return VISITOR
        place = self._unit(letter.place).full_name
        return PersonData(name=letter.sender, salutation="ông/bà", address=f"Tổ 14, {place}")

    def _register(self, letter: Letter, on: date) -> Petition:
        place = self._unit(letter.place)
        new = NewPetition(
            kind=letter.kind,
            round=letter.round,
            title=letter.title,
            content=letter.story,
            wish=letter.wish,
            field_code=letter.field,
            respondent=f"Ủy ban nhân dân {place.full_name}",
            respondent_unit_id=place.id,
            earlier_decisions=(DECISION,) if letter.decision else (),
            place_unit_id=place.id,
            place_text=place.full_name,
            channel=letter.channel,
            receiving_unit_id=self._unit(letter.unit).id,
            received_on=on,
            signing=letter.signing,
            signed_on=on if letter.signing in ("paper", "photo") else None,
            submitter=self._sender(letter),
            anonymous=letter.anonymous,
            group_size=letter.group,
            assigned_to=self._person(letter.handler),
            idempotency_key=str(uuid5(_NAMESPACE, letter.key)),
        )
        return register_petition(self.work, new, by=None).petition

    # --- what officers did ----------------------------------------------------------------------

    def _classify(self, petition: Petition, letter: Letter) -> None:
        away = {
            "classify-ward": self._unit(WARD_A).id,
            "classify-department": self._unit(DEPARTMENT).id,
        }
        upward = self._unit(PROVINCE).id if letter.round == 2 else petition.holder_unit_id
        competent = next((away[act] for act in letter.then if act in away), upward)
        found = Finding(
            kind=PetitionKind(letter.kind),
            round=letter.round,
            field_code=letter.field,
            respondent=Respondent.COMMUNE.value,
            respondent_unit_id=petition.respondent_unit_id,
            competent_unit_id=competent,
        )
        steps.classify(self.work, petition, found, by=Doer(None), on=self._soon(letter))

    def _soon(self, letter: Letter, after: int = 1) -> date:
        return self._before(max(0, letter.ago - after))

    def _case(self, petition: Petition, letter: Letter) -> None:
        open_case(self.work, petition, on=self._soon(letter), by=None)

    def _forward(self, petition: Petition, letter: Letter, to: str) -> None:
        steps.hand_over(
            self.work,
            petition,
            to_unit_id=self._unit(to).id,
            reason="Thuộc thẩm quyền nơi nhận",
            by=Doer(None),
            on=self._soon(letter, after=2),
        )

    def _accept(self, petition: Petition, letter: Letter) -> None:
        for event, after in (("check_identity", 2), ("propose", 3)):
            dossier = dossier_of(self.work, petition)
            steps.check_and_record(
                self.work, dossier, event, by=Doer(None), on=self._soon(letter, after=after),
                said=Said(reason="Đủ điều kiện"),
            )  # fmt: skip
        steps.accept(self.work, petition, by=Doer(None), on=self._soon(letter, after=4))

    def _decide(self, petition: Petition, letter: Letter) -> None:
        """The settlement up to a signed decision that nobody has sent yet."""
        case = open_case(self.work, petition, on=self.today, by=None)
        run = run_of(self.work, "KN1", case_id=case.id)
        facts = Facts(kind=PetitionKind.COMPLAINT, competent=True, report_filed=True)
        for event, after in (("assign", 5), ("report", 16), ("decide", 18)):
            record(self.work, run, event, on=self._soon(letter, after=after), facts=facts, by=None)
        on = self._soon(letter, after=18)
        paper = self.work.add(
            IssuedDocument(
                case_id=case.id,
                unit_id=run.unit_id,
                form="ND124-15",
                title="Quyết định giải quyết khiếu nại lần đầu",
                number="3127/QĐ-UBND",
                state="issued",
                issued_on=on,
            )
        )
        self.work.flush()
        self.work.add(
            Decision(
                case_id=case.id, unit_id=run.unit_id, round=1, number=paper.number, on=on,
                outcome="partly", document_id=paper.id,
            )
        )  # fmt: skip

    # --- the desk -------------------------------------------------------------------------------

    def open_the_desk(self) -> None:
        """People wait in two places; one of them came before and was told what to do."""
        known = uuid5(_NAMESPACE, "loi")
        petition = self.work.db_session.scalars(
            select(Petition).where(Petition.idempotency_key == str(known))
        ).one()
        officer = self.staff["tiep-dan-a"]
        line = NewLine(
            unit_id=officer.unit_id,
            on=self._before(4),
            kind="information",
            outcome="oral_guidance",
            content="Hỏi cách khiếu nại việc bỏ sót nhà kho khi kiểm đếm",
            visitor=f"{VISITOR.name}, {VISITOR.address}",
            identity_paper=VISITOR.citizen_id,
            answer="Bác còn quyền khiếu nại. Đơn gửi Chủ tịch UBND phường, kèm giấy tờ nhà kho.",
            received_by=officer.account_id,
            person_id=petition.submitter_id,
            idempotency_key="monday-visit",
        )
        write_line(self.work, line, by=officer.account_id)
        for unit_id in (officer.unit_id, self._unit(PROVINCE).id):
            for number, need in enumerate(NEEDS, start=1):
                self.work.add(
                    Ticket(
                        unit_id=unit_id, on=self.today, number=number, need=need,
                        priority=bool(need),
                    )
                )  # fmt: skip


__all__ = ["LETTERS", "fill_monday"]
