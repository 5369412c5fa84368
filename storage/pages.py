"""One page of a paper as a picture, made in memory: for the viewer beside the faces of a session.

PDFs come from the public, so the program that draws them gets no environment of ours, no file on
disk, little memory and little time.
"""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from storage.media.processes import MediaToolFailed, run_tool
from workflows.errors import Unavailable

LONGEST_PX = 1800
TIMEOUT_S = 20.0
_LIMITS = ("prlimit", "--as=1073741824", "--cpu=15", "--nofile=64", "--")
_QUALITY = 82


class PageUnreadable(Unavailable):
    """The page could not be drawn; the file itself may still open elsewhere."""

    def __init__(self) -> None:
        super().__init__(
            "Không hiện được trang này. Mở tệp ở trang của đơn, hoặc xem trang khác; "
            "phiên vẫn tiếp tục bình thường."
        )


def page_picture(data: bytes, media_type: str, page: int, *, scratch: Path) -> bytes:
    """Page `page` (from 1) as a JPEG of at most LONGEST_PX. Raises PageUnreadable.

    `scratch` is a folder in memory, the drawing program's home; nothing is written there by us.
    """
    if media_type == "application/pdf":
        return _pdf_page(data, page, scratch)
    return _photograph(data)


def _photograph(data: bytes) -> bytes:
    try:
        with Image.open(BytesIO(data)) as picture:
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise PageUnreadable from error
    upright.thumbnail((LONGEST_PX, LONGEST_PX))
    made = BytesIO()
    upright.save(made, "JPEG", quality=_QUALITY)
    return made.getvalue()


def _pdf_page(data: bytes, page: int, scratch: Path) -> bytes:
    memory = os.memfd_create("page", 0)
    try:
        _write_all(memory, data)
        return _draw(memory, page, scratch)
    finally:
        os.close(memory)


def _write_all(descriptor: int, data: bytes) -> None:
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(data)


def _draw(descriptor: int, page: int, scratch: Path) -> bytes:
    number = str(page)
    command = [
        *_LIMITS, "pdftoppm", "-jpeg", "-jpegopt", f"quality={_QUALITY}", "-scale-to",
        str(LONGEST_PX), "-f", number, "-l", number, "-singlefile", f"/dev/fd/{descriptor}",
    ]  # fmt: skip
    try:
        drawn = run_tool(command, scratch=scratch, timeout_s=TIMEOUT_S, pass_fds=(descriptor,))
    except (OSError, MediaToolFailed) as error:
        raise PageUnreadable from error
    if not drawn.startswith(b"\xff\xd8"):
        raise PageUnreadable
    return drawn
