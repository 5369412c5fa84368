"""What the fictitious letters are about: by field, with facts that tell two matters apart."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

PROJECTS = (
    "đường vành đai 3", "khu tái định cư Lộc An", "cụm công nghiệp Phước Bình", "hồ Cầu Mới",
    "mở rộng quốc lộ 51", "đường ven sông Cái", "khu đô thị Long Hưng", "tuyến ống cấp nước thô",
    "trường trung học cơ sở mới", "cao tốc Dầu Giây nối dài",
)  # fmt: skip


@dataclass(frozen=True)
class Matter:
    """One matter: several letters may be about it."""

    kind: str
    field: str
    title: str
    story: str
    wish: str
    respondent: str
    decision: dict[str, str] | None
    group: int = 1
    anonymous: bool = False


TEMPLATES: dict[str, tuple[str, ...]] = {
    "land-compensation": (
        "Bồi thường {thing} khi làm dự án {project}",
        "Đơn giá bồi thường cây {tree} thuộc dự án {project}",
        "Kiểm đếm thiếu {thing} tại thửa {plot}, tờ bản đồ {sheet}",
    ),
    "land-certificate": (
        "Chậm cấp giấy chứng nhận thửa {plot}, tờ bản đồ {sheet}",
        "Cấp giấy chứng nhận chồng lấn thửa {plot}, tờ {sheet}",
    ),
    "land-dispute": (
        "Tranh chấp lối đi chung giữa thửa {plot} và thửa liền kề",
        "Tranh chấp ranh đất thửa {plot}, tờ bản đồ {sheet}",
    ),
    "land-subdivision": ("Không được tách thửa {plot}, hồ sơ nộp từ tháng {month}",),
    "land-resettlement": ("Chưa được bố trí tái định cư dự án {project}",),
    "environment-smell": ("Mùi hôi từ trại heo cạnh khu dân cư",),
    "environment-water": ("Nước thải chảy ra suối làm chết cá",),
    "environment-noise": ("Tiếng ồn xưởng cưa vào ban đêm",),
    "environment-waste": ("Bãi rác tự phát cạnh trường học",),
    "construction-violation": ("Nhà bên cạnh xây lấn khoảng lùi", "Xây dựng không phép tại thửa {plot}"),
    "transport": ("Xe ben chở đá chạy qua khu dân cư giờ học sinh tan trường",),
    "policy-merit": ("Chế độ trợ cấp người có công của {relative} bị cắt từ tháng {month}",),
    "policy-social": ("Trợ cấp người khuyết tật nặng bị từ chối",),
    "policy-insurance": ("Chưa được cộng thời gian đóng bảo hiểm xã hội",),
    "administration-procedure": ("Hồ sơ hộ tịch trễ hẹn ba lần không có giấy xin lỗi",),
    "administration-sanction": ("Quyết định xử phạt xây dựng tường rào",),
    "labour": ("Công ty nợ lương ba tháng của {group} công nhân",),
    "education": ("Thu tiền đầu năm ngoài quy định",),
}  # fmt: skip
COMPLAINT_FIELDS = (
    ("land-compensation", 30), ("land-certificate", 16), ("land-dispute", 14),
    ("land-subdivision", 8), ("land-resettlement", 7), ("construction-violation", 6),
    ("administration-sanction", 5), ("policy-merit", 6), ("policy-social", 4),
    ("policy-insurance", 4),
)  # fmt: skip
FEEDBACK_FIELDS = (
    ("environment-smell", 18), ("environment-water", 12), ("environment-noise", 9),
    ("environment-waste", 12), ("transport", 14), ("administration-procedure", 10),
    ("education", 6), ("labour", 7), ("construction-violation", 8), ("land-subdivision", 4),
)  # fmt: skip


def _pick(chance: random.Random, weighted: tuple[tuple[str, int], ...]) -> str:
    return chance.choices([w[0] for w in weighted], [w[1] for w in weighted])[0]


def _facts(chance: random.Random) -> dict[str, str]:
    return {
        "project": chance.choice(PROJECTS),
        "thing": chance.choice(
            ("nhà kho 86 m²", "chuồng trại", "giếng khoan", "nhà cấp 4", "ao cá")
        ),
        "tree": chance.choice(("cao su", "điều", "sầu riêng", "tiêu", "bưởi", "chôm chôm")),
        "plot": str(chance.randint(3, 980)),
        "sheet": str(chance.randint(1, 96)),
        "month": str(chance.randint(1, 12)),
        "relative": chance.choice(("cha tôi", "mẹ tôi", "chồng tôi", "bà ngoại tôi")),
        "group": str(chance.choice((12, 23, 57, 104))),
        "money": f"{chance.randint(18, 960)}",
        "area": str(chance.randint(40, 5200)),
    }


def new_matter(chance: random.Random, *, on: date, unit_name: str, hot: bool) -> Matter:
    """A matter that began on a day at a place. `hot` is the one place where a project stirs people."""
    roll = 0.2 if hot else chance.random()
    if roll < 0.60:
        return _complaint(chance, on, unit_name, hot)
    if roll < 0.93:
        return _feedback(chance, on, unit_name)
    return _denunciation(chance, on, unit_name)


def _decision(chance: random.Random, on: date, unit_name: str) -> dict[str, str]:
    signed = on - timedelta(days=chance.randint(8, 80))
    return {
        "number": f"{chance.randint(101, 4999)}/QĐ-UBND",
        "date": signed.isoformat(),
        "body": f"Ủy ban nhân dân {unit_name}",
    }


def _complaint(chance: random.Random, on: date, unit_name: str, hot: bool) -> Matter:
    field = "land-compensation" if hot else _pick(chance, COMPLAINT_FIELDS)
    facts = _facts(chance)
    if hot:
        facts["project"] = "khu tái định cư Lộc An"
    decision = _decision(chance, on, unit_name)
    title = chance.choice(TEMPLATES[field]).format(**facts)
    story = (
        f"{title}. Ngày {date.fromisoformat(decision['date']):%d/%m/%Y} tôi nhận Quyết định "
        f"{decision['number']}. Thửa đất số {facts['plot']}, tờ bản đồ số {facts['sheet']}, diện "
        f"tích {facts['area']} m² tại {unit_name}. Tôi cho rằng quyết định này tính thiếu khoảng "
        f"{facts['money']} triệu đồng và chưa xét giấy tờ gia đình tôi đã nộp."
    )
    group = chance.choices((1, 1, 3, 7, 14, 62), (70, 12, 8, 5, 4, 1))[0]
    return Matter(
        "complaint",
        field,
        title,
        story,
        "Xem xét lại quyết định, kiểm đếm lại có mặt gia đình tôi và trả lời bằng văn bản.",
        f"Ủy ban nhân dân {unit_name}",
        decision,
        group,
    )


def _feedback(chance: random.Random, on: date, unit_name: str) -> Matter:
    field = _pick(chance, FEEDBACK_FIELDS)
    facts = _facts(chance)
    title = chance.choice(TEMPLATES[field]).format(**facts)
    story = (
        f"{title} tại {chance.choice(('tổ 4', 'ấp 2', 'khu phố 3', 'thôn 5'))}, {unit_name}, kéo dài "
        f"từ tháng {facts['month']}. Bà con đã nói với ấp nhưng chưa thấy chuyển biến."
    )
    kind = "recommendation" if chance.random() < 0.45 else "feedback"
    anonymous = kind == "feedback" and chance.random() < 0.12
    return Matter(
        kind,
        field,
        title,
        story,
        "Kiểm tra thực tế và cho bà con biết kết quả.",
        "",
        None,
        chance.choice((1, 1, 1, 6, 12)),
        anonymous,
    )


def _denunciation(chance: random.Random, on: date, unit_name: str) -> Matter:
    story = (
        f"Người có trách nhiệm ở {unit_name} nhận tiền để xác nhận hồ sơ đất, lần gần nhất vào "
        f"ngày {on - timedelta(days=chance.randint(5, 60)):%d/%m/%Y}. Tôi có ghi chép kèm theo."
    )
    return Matter(
        "denunciation",
        "corruption",
        "",
        story,
        "Xác minh và xử lý, giữ kín tên tôi.",
        "Người có chức vụ tại xã, phường",
        None,
        anonymous=chance.random() < 0.3,
    )


def second_voice(chance: random.Random, matter: Matter) -> str:
    """How another letter about the same matter tells it."""
    opening = chance.choice(
        (
            "Tôi gửi lại đơn lần nữa.",
            "Gia đình tôi cùng bị ảnh hưởng.",
            "Tôi ở sát bên nên cũng bị.",
        )
    )
    return f"{opening} {matter.story}"


MONTH_WEIGHT = (0.9, 0.55, 1.25, 1.2, 1.1, 1.0, 1.15, 1.05, 1.1, 1.2, 1.15, 0.95)
"""Seasons: quiet at Tết, busy after it and when land decisions come out in autumn."""
