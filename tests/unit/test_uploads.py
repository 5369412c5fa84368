"""Files that are sent: what they are, what is taken out of them, what is refused and how."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image, ImageDraw
from weasyprint import HTML

from reception.petitions.uploads import BadFile, TooLarge, WrongType, check_file, clean_name

MB = 1024 * 1024


def photo(*, size: tuple[int, int] = (640, 480), turned: int = 1, kind: str = "JPEG") -> bytes:
    """A photograph with lines, as a phone writes it: place, device and a comment inside."""
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for x in range(0, size[0], 7):
        draw.line((x, 0, x, size[1]), fill="black")
    exif = Image.Exif()
    exif[0x0112] = turned
    exif[0x010F] = "DienThoaiCuaBaHuynh"
    exif.get_ifd(0x8825)[1] = "N"
    out = BytesIO()
    if kind == "JPEG":
        picture.save(out, "JPEG", exif=exif, comment=b"bi mat")
    else:
        picture.save(out, "PNG", exif=exif)
    return out.getvalue()


def check(data: bytes, name: str, limit: int = 25 * MB):
    return check_file(BytesIO(data), name, limit=limit)


@pytest.mark.parametrize(("kind", "name"), [("JPEG", "anh.jpg"), ("PNG", "anh.png")])
def test_picture_loses_what_tells_of_place_and_phone(kind: str, name: str) -> None:
    data = photo(kind=kind, turned=6)
    assert b"DienThoaiCuaBaHuynh" in data
    done = check(data, name)
    assert b"DienThoaiCuaBaHuynh" not in done.data
    assert b"bi mat" not in done.data
    with Image.open(BytesIO(data)) as before, Image.open(BytesIO(done.data)) as after:
        assert after.tobytes() == before.tobytes()


def test_picture_taken_upright_stays_upright() -> None:
    done = check(photo(turned=6), "anh.jpg")
    with Image.open(BytesIO(done.data)) as picture:
        assert picture.getexif()[0x0112] == 6
        assert len(picture.getexif()) == 1


def test_what_a_phone_appends_behind_the_picture_is_dropped() -> None:
    done = check(photo() + b"MotionPhoto" * 50, "anh.jpg")
    assert b"MotionPhoto" not in done.data


def test_pdf_is_counted_and_kept_byte_for_byte() -> None:
    data = HTML(string="<p>Một</p><p style='break-before:page'>Hai</p>").write_pdf()
    done = check(data, "don.pdf")
    assert (done.media_type, done.pages, done.signed) == ("application/pdf", 2, False)
    assert done.data == data


def test_file_over_the_limit_says_the_limit() -> None:
    with pytest.raises(TooLarge, match="25 MB"):
        check(photo() + b"\0" * (25 * MB), "anh.jpg")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"MZ\x90\x00" + b"\0" * 300, "don.jpg"),
        (b"PK\x03\x04" + b"\0" * 300, "don.docx"),
        (b"<html><script>alert(1)</script>", "don.pdf"),
        (photo(), "don.exe"),
        (photo(), "don.html"),
    ],
)
def test_other_kinds_are_refused_whatever_the_name(data: bytes, name: str) -> None:
    with pytest.raises(WrongType):
        check(data, name)


def test_photo_in_apples_format_is_told_how_to_send() -> None:
    with pytest.raises(WrongType, match="Chụp màn hình"):
        check(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 80, "IMG_1.HEIC")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (photo()[:2000], "anh.jpg"),
        (b"%PDF-1.7\nrac\n%%EOF", "don.pdf"),
        (b"", "anh.jpg"),
    ],
)
def test_broken_file_is_refused_with_a_sentence(data: bytes, name: str) -> None:
    with pytest.raises(BadFile) as refused:
        check(data, name)
    assert refused.value.message.startswith(name)


def test_picture_that_would_flood_the_memory_is_refused() -> None:
    out = BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    with pytest.raises(BadFile, match="điểm ảnh"):
        check(out.getvalue(), "anh.png")


def test_blurred_picture_is_only_hinted_at() -> None:
    out = BytesIO()
    Image.new("RGB", (800, 600), "grey").save(out, "JPEG")
    assert check(out.getvalue(), "anh.jpg").blurred
    assert not check(photo(), "anh.jpg").blurred


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("C:\\Users\\Ba\\đơn.pdf", "đơn.pdf"),
        ("../../etc/đơn\n1.jpg", "đơn1.jpg"),
        ("", "tep"),
        ("a" * 300 + ".pdf", "a" * 100 + ".pdf"),
    ],
)
def test_file_name_is_cleaned(given: str, kept: str) -> None:
    assert clean_name(given) == kept
