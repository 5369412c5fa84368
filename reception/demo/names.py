"""Fictitious names and addresses: ordinary ones, and the awkward ones that break weak systems."""

from __future__ import annotations

import random

FAMILY = (
    "Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ",
    "Hồ", "Ngô", "Dương", "Lý", "Trương", "Đinh", "Mai", "Lâm", "Đoàn", "Thái", "Châu", "Tô",
)  # fmt: skip
MIDDLE_MALE = ("Văn", "Hữu", "Đức", "Minh", "Quốc", "Thanh", "Công", "Xuân", "Ngọc", "Trọng", "Anh")
MIDDLE_FEMALE = ("Thị", "Thị Kim", "Thị Ngọc", "Thị Thanh", "Ngọc", "Thị Mỹ", "Thị Hồng", "Kim")
GIVEN_MALE = (
    "Hùng", "Dũng", "Tuấn", "Sơn", "Hải", "Long", "Phúc", "Khoa", "Lợi", "Bình", "Đức", "Tài",
    "Thành", "Vinh", "Khánh", "Nghĩa", "Tâm", "Hiếu", "Toàn", "Đạt", "Quý", "Lộc", "Thắng", "Tín",
)  # fmt: skip
GIVEN_FEMALE = (
    "Lan", "Hương", "Hoa", "Mai", "Hạnh", "Liên", "Lựu", "Nga", "Thảo", "Trang", "Yến", "Phượng",
    "Diệp", "Hà", "Thu", "Xuân", "Loan", "Nhung", "Cúc", "Vân", "Tuyết", "Ánh", "Ngân", "Thủy",
)  # fmt: skip
AWKWARD = (
    "Công Tằng Tôn Nữ Thị Diệu Huyền Trân Bảo Ngọc",
    "Điểu K'Ré",
    "Thị B'Rin",
    "K'Brểu",
    "Lý A",
    "Nguyễn Hoàng Phúc Thịnh Vượng An Khang Quốc Bảo Trường Sơn Đại Nghĩa",
    "Maria Nguyễn Thị Têrêsa Hồng Ân",
    "Thạch Sa Mếch",
    "Trần O",
    "Lê Thị Út Mười Hai",
    "Phạm Ỷ Lan Y Ỷ",
    "Đỗ Thị Đầy Đủ",
)
STREETS = (
    "đường 30 tháng 4", "đường Nguyễn Ái Quốc", "đường Phan Đình Phùng", "quốc lộ 20", "hẻm 5",
    "đường tỉnh 768", "đường liên ấp 2-3", "tổ 14", "khu phố 4", "ấp Bàu Cá", "thôn 3", "ấp 1A",
)  # fmt: skip


def person_name(chance: random.Random) -> tuple[str, str]:
    """A name and a salutation; one in seventy is awkward."""
    if chance.random() < 1 / 70:
        return chance.choice(AWKWARD), "ông/bà"
    if chance.random() < 0.52:
        return (
            f"{chance.choice(FAMILY)} {chance.choice(MIDDLE_MALE)} {chance.choice(GIVEN_MALE)}",
            "ông",
        )
    return (
        f"{chance.choice(FAMILY)} {chance.choice(MIDDLE_FEMALE)} {chance.choice(GIVEN_FEMALE)}",
        "bà",
    )


def address(chance: random.Random, unit_name: str) -> str:
    """Two levels only, as since 01/07/2025."""
    return f"Số {chance.randint(1, 480)}, {chance.choice(STREETS)}, {unit_name}"


def citizen_id(chance: random.Random) -> str:
    """Twelve digits of a province code that is not in use, so that no real person is hit."""
    return f"099{chance.randint(0, 999_999_999):09d}"


def phone(chance: random.Random) -> str:
    """Ten digits that begin with a prefix no operator uses."""
    return f"0100{chance.randint(0, 999_999):06d}"
