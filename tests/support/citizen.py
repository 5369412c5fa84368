"""A citizen at the wizard, without scripts: short words for what a test types page by page."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from PIL import Image, ImageDraw
from werkzeug.test import TestResponse

COMPLAINT = {
    "nguoi-gui": {"for_whom": "self"},
    "lien-lac": {
        "salutation": "Bà",
        "name": "Nguyễn Thị Ngọc Huỳnh",
        "birth_year": "1958",
        "citizen_id": "075158000417",
        "phone": "090 000 2417",
        "address": "Tổ 6, ấp An Lâm",
        "unit_text": "Phường Long Thành",
    },
    "loai-don": {"kind": "complaint", "round": "1"},
    "cach-viet": {"way": "type"},
    "gui-ve-ai": {"respondent": "UBND phường Long Thành", "unit_text": "Phường Long Thành"},
    "chuyen-gi": {
        "content": "Phường thu hồi 212 m² đất, thửa đất số 105, tờ bản đồ số 12, tính giá thấp.",
        "wish": "Tính 42 m² theo giá đất ở",
    },
    "o-dau": {"unit_text": "Phường Long Thành", "place_text": "Tổ 6", "happened_on": "28/10/2026"},
    "quyet-dinh": {
        "any": "yes",
        "paper_number": "418/QĐ-UBND",
        "paper_date": "28/10/2026",
        "paper_body": "UBND phường Long Thành",
        "got_on": "03/11/2026",
    },
    "ho-tro": {"online": "yes", "support": "walking"},
}
DENUNCIATION = {
    "nguoi-gui": {"for_whom": "self"},
    "lien-lac": {
        "name": "Đinh Khắc Khoan",
        "citizen_id": "075180007788",
        "phone": "0977 111 333",
        "address": "Hẻm Bồ Đề 9",
        "unit_text": "Phường Long Thành",
    },
    "loai-don": {"kind": "denunciation"},
    "cach-viet": {"way": "type"},
    "gui-ve-ai": {"respondent": "Quách Văn Đoạt", "leader": "no", "unit_text": "phường Long Thành"},
    "chuyen-gi": {"content": "Ông Đoạt vòi vĩnh phong bì khi làm sổ hồng.", "wish": "Xử nghiêm"},
    "o-dau": {"unit_text": "Phường Long Thành", "place_text": "quán bà Xuyến"},
    "ho-tro": {"online": "no", "protection": "no", "support_text": "nói tiếng S’tiêng"},
}


def photo(size: tuple[int, int] = (400, 300)) -> bytes:
    """A small photograph of a written page."""
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for y in range(10, size[1], 9):
        draw.line((10, y, size[0] - 10, y), fill="black")
    out = BytesIO()
    picture.save(out, "JPEG")
    return out.getvalue()


def multipart(fields: Mapping[str, str], *, file: tuple[str, str, bytes]) -> dict[str, Any]:
    """A form with one big file as bytes: the test client would put it into a temporary file."""
    field, name, data = file
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    body = b"".join([*parts, head.encode(), data, b"\r\n--x--\r\n"])
    return {"data": body, "content_type": "multipart/form-data; boundary=x"}


class Citizen:
    """Walks through the wizard with one browser."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.token = ""

    def begin(self, kind: str = "complaint", round: str = "1") -> Citizen:
        """Start a petition."""
        answer = self.client.post("/don/moi", data={"kind": kind, "round": round})
        assert answer.status_code == 303
        self.token = answer.headers["Location"].split("/")[3]
        return self

    def at(self, page: str) -> str:
        """The address of a page."""
        return f"/don/moi/{self.token}/{page}"

    def seen(self, page: str) -> str:
        """The mark the page carries."""
        text = self.client.get(self.at(page)).get_data(as_text=True)
        return text.split('name="seen" value="')[1].split('"')[0]

    def fill(self, page: str, **typed: Any) -> TestResponse:
        """Send one page."""
        return self.client.post(self.at(page), data=typed)

    def fill_all(self, pages: Mapping[str, Mapping[str, Any]]) -> Citizen:
        """Send every page; each must be taken."""
        for page, typed in pages.items():
            answer = self.fill(page, **typed)
            assert answer.status_code == 303, (page, answer.get_data(as_text=True))
        return self

    def send(self, **typed: Any) -> TestResponse:
        """Sign at the commune and send, unless told otherwise."""
        return self.fill("xem-lai", **({"signing": "at_unit", "truthful": "1"} | typed))

    def upload(
        self, data: bytes, name: str = "anh.jpg", part: str = "evidence", **headers: str
    ) -> TestResponse:
        """Send one file the way the script does."""
        return self.client.post(
            self.at("tep"),
            data={"part": part, "file": (BytesIO(data), name)},
            headers={"Accept": "application/json", **headers},
        )

    def page(self, name: str) -> str:
        """The words of a page."""
        return self.client.get(self.at(name)).get_data(as_text=True)


def path_of(answer: TestResponse) -> str:
    """Where a redirect leads."""
    return urlsplit(answer.headers["Location"]).path
