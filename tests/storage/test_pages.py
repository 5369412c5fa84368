"""Pages of papers as pictures: photographs, PDFs, and what is neither."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from weasyprint import HTML

from storage.pages import LONGEST_PX, PageUnreadable, page_picture

TMPFS = "/dev/shm"  # noqa: S108  # drawn in memory, as in production
TWO_PAGES = (
    "<style>@page { margin: 0 } div { height: 297mm }</style>"
    '<div style="background: red"></div><div style="background: blue"></div>'
)


@pytest.fixture
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=TMPFS) as place:
        yield Path(place)


def _pdf() -> bytes:
    written: bytes = HTML(string=TWO_PAGES).write_pdf()
    return written


def _middle(jpeg: bytes) -> tuple[int, int, int]:
    picture = Image.open(BytesIO(jpeg)).convert("RGB")
    red, green, blue = picture.getpixel((picture.width // 2, picture.height // 2))  # type: ignore[misc]  # three bands
    return red, green, blue


def test_asked_page_of_a_pdf_is_drawn_and_no_other(scratch: Path) -> None:
    red, _, blue = _middle(page_picture(_pdf(), "application/pdf", 1, scratch=scratch))
    assert red > 200 > blue
    red, _, blue = _middle(page_picture(_pdf(), "application/pdf", 2, scratch=scratch))
    assert blue > 200 > red


def test_photograph_is_made_small_enough_for_a_weak_line(scratch: Path) -> None:
    large = BytesIO()
    Image.new("RGB", (4000, 3000), "green").save(large, "PNG")
    made = Image.open(BytesIO(page_picture(large.getvalue(), "image/png", 1, scratch=scratch)))
    assert (made.width, made.format) == (LONGEST_PX, "JPEG")


@pytest.mark.parametrize(
    ("data", "media_type"), [(b"%PDF-1.7 broken", "application/pdf"), (b"none", "image/png")]
)
def test_broken_paper_says_so_and_stops_nothing(
    data: bytes, media_type: str, scratch: Path
) -> None:
    with pytest.raises(PageUnreadable):
        page_picture(data, media_type, 1, scratch=scratch)


def test_page_behind_the_last_is_refused(scratch: Path) -> None:
    with pytest.raises(PageUnreadable):
        page_picture(_pdf(), "application/pdf", 9, scratch=scratch)
