"""The staff of the demonstration: every role, at the province and at three communes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from storage.database import Work
from storage.identities import PersonData, keep_person
from storage.models import Account, Post, Unit
from workflows.access import Role

SINCE = date(2023, 1, 1)
WARD_A, WARD_B, COMMUNE_C = "25993", "26368", "25405"


@dataclass(frozen=True)
class Member:
    """One staff member: `login` ends the demo account's name."""

    login: str
    name: str
    title: str
    role: Role
    unit: str


PROVINCE_STAFF = (
    Member("ban-tcd", "Trần Thị Mai", "Công chức Ban Tiếp công dân", Role.BOARD_OFFICER, "75-BTCD"),
    Member("truong-ban", "Lê Minh Khôi", "Trưởng Ban Tiếp công dân", Role.BOARD_HEAD, "75-BTCD"),
    Member("chu-tich", "Phạm Quốc Hưng", "Chủ tịch UBND thành phố", Role.PROVINCIAL_CHAIR, "75"),
    Member("van-phong", "Đỗ Thu Hà", "Chuyên viên Văn phòng UBND", Role.PROVINCIAL_OFFICE, "75-VPUB"),
    Member("thanh-tra", "Nguyễn Hữu Phước", "Thanh tra viên", Role.PROVINCIAL_INSPECTOR, "75-TTRA"),
    Member("xac-minh", "Hồ Đức Anh", "Người xác minh", Role.VERIFIER, "75-TTRA"),
    Member(
        "so-nnmt",
        "Vũ Đình Hải",
        "Chuyên viên xử lý đơn, Sở Nông nghiệp và Môi trường",
        Role.PETITION_HANDLER,
        "75-SNNMT",
    ),
    Member(
        "gd-nnmt",
        "Bùi Xuân Trường",
        "Giám đốc Sở Nông nghiệp và Môi trường",
        Role.DEPARTMENT_HEAD,
        "75-SNNMT",
    ),
    Member("duyet-nnmt", "Cao Thị Lan", "Phó phòng, duyệt văn bản", Role.APPROVING_LEADER, "75-SNNMT"),
    Member("van-thu", "Ngô Thị Yến", "Văn thư", Role.CLERK, "75-BTCD"),
    Member("dai-dien", "Mai Văn Thành", "Đại diện Văn phòng Đoàn ĐBQH và HĐND",
           Role.OFFICE_REPRESENTATIVE, "75-VPHDND"),
    Member("quan-tri", "Lý Anh Tuấn", "Quản trị hệ thống", Role.ADMINISTRATOR, "75-VPUB"),
    Member("nhat-ky", "Thái Ngọc Vân", "Giám sát nhật ký", Role.LOG_AUDITOR, "75-TTRA"),
)  # fmt: skip


def _commune_staff(code: str, suffix: str, names: tuple[str, str, str, str]) -> tuple[Member, ...]:
    officer, advisory, chair, technician = names
    return (
        Member(
            f"tiep-dan-{suffix}", officer, "Công chức tiếp công dân", Role.COMMUNE_OFFICER, code
        ),
        Member(f"tham-muu-{suffix}", advisory, "Đơn vị tham mưu", Role.COMMUNE_ADVISORY, code),
        Member(f"chu-tich-{suffix}", chair, "Chủ tịch UBND", Role.COMMUNE_CHAIR, code),
        Member(f"ky-thuat-{suffix}", technician, "Kỹ thuật điểm cầu", Role.POINT_TECHNICIAN, code),
    )


COMMUNE_STAFF = (
    *_commune_staff(WARD_A, "a", ("Nguyễn Văn Phúc", "Trương Thị Kim Liên", "Đặng Quang Vinh",
                                  "Tô Minh Nhật")),
    *_commune_staff(WARD_B, "b", ("Hoàng Anh Dũng", "Phan Thị Diễm", "Võ Thành Nhân", "Lâm Gia Bảo")),
    *_commune_staff(COMMUNE_C, "c", ("Điểu Minh", "Thị Hương", "Trịnh Quốc Thắng", "K'Brểu")),
)  # fmt: skip


COMMUNE_CLERKS = (
    Member("van-thu-a", "Đinh Thị Mỹ Duyên", "Văn thư", Role.CLERK, WARD_A),
)  # fmt: skip


@dataclass(frozen=True)
class Hired:
    """A seeded staff member as the seed goes on using them."""

    member: Member
    account_id: UUID
    person_id: UUID
    unit_id: UUID


def hire(work: Work) -> dict[str, Hired]:
    """Make the accounts and posts; returns them by login."""
    units = {
        unit.code: unit
        for unit in work.db_session.scalars(select(Unit).where(Unit.valid_to_on.is_(None)))
    }
    hired: dict[str, Hired] = {}
    for member in (*COMMUNE_STAFF[:4], *COMMUNE_CLERKS, *PROVINCE_STAFF, *COMMUNE_STAFF[4:]):
        unit = units[member.unit]
        person = keep_person(work, PersonData(name=member.name, unit_id=unit.id), searchable=False)
        account = work.add(
            Account(
                kind="staff",
                person_id=person.id,
                login=f"demo.{member.login}",
                display_name=member.name,
            )
        )
        work.flush()
        work.add(
            Post(
                account_id=account.id,
                role=member.role.value,
                unit_id=unit.id,
                title=member.title,
                from_on=SINCE,
            )
        )
        hired[member.login] = Hired(member, account.id, person.id, unit.id)
    return hired
