"""Files that citizens and officers send: looked at, cleaned and sealed without touching a disk.

Public names: CheckedFile, BadFile, TooLarge, WrongType, check_file, seal_file, add_attachment,
seal_as_denunciation, ACCEPT. The content decides what a file is; the name only has to agree.
Photographs lose the place, time and device they carry, but not one pixel is compressed again.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import PurePosixPath
from typing import IO
from uuid import UUID

import puremagic
from PIL import Image, ImageFilter, ImageStat, UnidentifiedImageError
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader

from storage.database import Work
from storage.identities import seal_field
from storage.keyring import Family, KeyContext, WrappedKey
from storage.models import Attachment, SealedObject
from storage.models.base import new_id
from storage.objects import Bucket
from storage.runtime import runtime
from storage.sealed import OPEN_CLASS, seal_object
from workflows.errors import BadInput

ACCEPT = "image/jpeg,image/png,application/pdf"
PURPOSE = "attachment"
MOST_PIXELS = 60_000_000
MOST_PAGES = 500
MOST_FILES = 40
_ORIENTATION = 0x0112
_BLURRED_BELOW = 18.0  # variance of the Laplacian of the picture at about 800 pixels
_EXTENSIONS = {
    "image/jpeg": (".jpg", ".jpeg", ".jfif", ".jpe"),
    "image/png": (".png",),
    "application/pdf": (".pdf",),
}
_KNOWN = {extension for names in _EXTENSIONS.values() for extension in names}
_LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)


class BadFile(BadInput):
    """A file that cannot be taken; everything else that was sent stays."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__({"files": f"{name}: {sentence}"}, f"{name}: {sentence}")
        self.name = name


class TooLarge(BadFile):
    """More bytes than one file may have."""


class WrongType(BadFile):
    """Neither picture nor PDF, whatever its name says."""


@dataclass(frozen=True)
class CheckedFile:
    """A file ready to be sealed. `blurred` is a hint, never a refusal."""

    name: str
    media_type: str
    data: bytes
    pages: int | None = None
    blurred: bool = False
    signed: bool = False


def check_file(stream: IO[bytes], name: str, *, limit: int) -> CheckedFile:
    """Read, recognise and clean one file of at most `limit` bytes.

    Raises TooLarge, WrongType, BadFile, each with a sentence that says what to do.
    """
    name = clean_name(name)
    data = stream.read(limit + 1)
    if not data:
        raise BadFile(name, "tệp rỗng. Chọn lại tệp rồi gửi.")
    if len(data) > limit:
        raise TooLarge(
            name,
            f"lớn hơn {limit // 1024 // 1024} MB. Chụp lại ở chất lượng thấp hơn "
            "hoặc tách thành nhiều tệp nhỏ.",
        )
    media_type = _recognise(name, data)
    if media_type == "application/pdf":
        return _check_pdf(name, data)
    return _check_picture(name, data, media_type)


def clean_name(name: str) -> str:
    """A file name without folders, control characters or excess length."""
    base = PurePosixPath(name.replace("\\", "/")).name
    base = re.sub(r"[\x00-\x1f\x7f<>:\"|?*]", "", base).strip(" .")
    stem, dot, extension = base.rpartition(".")
    if not dot:
        return base[:100] or "tep"
    return f"{stem[:100]}.{extension[:10]}"


def _recognise(name: str, data: bytes) -> str:
    found = _by_content(data)
    if found is None or found not in _EXTENSIONS:
        if found in ("image/heif", "image/heic"):
            raise WrongType(
                name,
                "ảnh HEIC chưa mở được ở đây. Chụp màn hình tấm ảnh đó rồi gửi ảnh chụp màn hình.",
            )
        raise WrongType(name, "chỉ nhận ảnh JPG, PNG và tệp PDF. Chụp ảnh giấy tờ rồi gửi lại.")
    extension = PurePosixPath(name).suffix.lower()
    if extension and extension not in _KNOWN:
        raise WrongType(
            name, "tên tệp không khớp nội dung. Chụp ảnh giấy tờ hoặc lưu lại thành PDF rồi gửi."
        )
    return found


def _by_content(data: bytes) -> str | None:
    try:
        matches = puremagic.magic_string(data)
    except (puremagic.PureError, ValueError):
        return None
    kinds = [match.mime_type for match in matches]
    return next((kind for kind in kinds if kind in _EXTENSIONS), kinds[0] if kinds else None)


# --- pictures ------------------------------------------------------------------------------------


def _check_picture(name: str, data: bytes, media_type: str) -> CheckedFile:
    try:
        with Image.open(BytesIO(data)) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise BadFile(name, "ảnh quá nhiều điểm ảnh. Chụp lại ở chất lượng thấp hơn.")
            turned = int(picture.getexif().get(_ORIENTATION, 1))
            picture.draft("L", (800, 800))
            picture.load()
            blurred = _is_blurred(picture)
        clean = strip_jpeg(data, turned) if media_type == "image/jpeg" else strip_png(data)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadFile(name, "ảnh quá nhiều điểm ảnh. Chụp lại ở chất lượng thấp hơn.") from None
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, struct.error):
        raise BadFile(name, "ảnh bị hỏng hoặc gửi chưa hết. Chụp lại rồi gửi lại.") from None
    return CheckedFile(name, media_type, clean, pages=1, blurred=blurred)


def _is_blurred(picture: Image.Image) -> bool:
    grey = picture.convert("L")
    grey.thumbnail((800, 800))
    if min(grey.size) < 200:
        return False
    return bool(ImageStat.Stat(grey.filter(_LAPLACIAN)).var[0] < _BLURRED_BELOW)


def strip_jpeg(data: bytes, turned: int) -> bytes:
    """The JPEG without EXIF, XMP, IPTC and comments; which way is up stays. Lossless.

    Raises ValueError for one that was cut off: the decoder alone may be told to overlook that.
    """
    out = [data[:2], _orientation(turned)]
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xDA:
            break
        length = 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        # APP0 (JFIF), APP2 (colour profile) and APP14 (Adobe colours) say how to show the picture.
        keeps = not 0xE0 <= marker <= 0xEF and marker != 0xFE
        if keeps or marker in (0xE0, 0xE2, 0xEE):
            out.append(data[place : place + length])
        place += length
    out.append(_without_tail(data[place:]))
    return b"".join(out)


def _without_tail(scan: bytes) -> bytes:
    """Up to the end marker: phones append previews and films behind it."""
    return scan[: scan.rindex(b"\xff\xd9") + 2]


def _orientation(turned: int) -> bytes:
    if turned not in range(2, 9):
        return b""
    entry = struct.pack(">HHIHH", _ORIENTATION, 3, 1, turned, 0)
    exif = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + entry + b"\0\0\0\0"
    return b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif


_PNG_KEPT = {
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT",
    b"pHYs",
}  # fmt: skip


def strip_png(data: bytes) -> bytes:
    """The PNG with only the chunks that draw it. Lossless. Raises ValueError when cut off."""
    out, place = [data[:8]], 8
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        kind = data[place + 4 : place + 8]
        if kind in _PNG_KEPT:
            out.append(data[place : place + 12 + length])
        place += 12 + length
        if kind == b"IEND":
            return b"".join(out)
    raise ValueError("no IEND chunk")


# --- PDF -----------------------------------------------------------------------------------------


def _check_pdf(name: str, data: bytes) -> CheckedFile:
    try:
        reader = PdfFileReader(BytesIO(data), strict=False)
        if reader.encrypted:
            raise BadFile(name, "tệp PDF có mật khẩu. Bỏ mật khẩu rồi gửi lại.")
        pages = int(reader.root["/Pages"]["/Count"])
        signatures = list(reader.embedded_signatures)
    except BadFile:
        raise
    except (PdfError, ValueError, KeyError, TypeError, IndexError, AttributeError, OSError):
        raise BadFile(name, "tệp PDF bị hỏng hoặc gửi chưa hết. Lưu lại rồi gửi lại.") from None
    if not 0 < pages <= MOST_PAGES:
        raise BadFile(name, f"tệp PDF phải có từ 1 đến {MOST_PAGES} trang. Tách nhỏ rồi gửi lại.")
    return CheckedFile(name, "application/pdf", data, pages=pages, signed=bool(signatures))


# --- keeping -------------------------------------------------------------------------------------


def seal_file(file: CheckedFile, *, locked_away: bool = False) -> SealedObject:
    """Encrypt into the store, outside any transaction. Raises StoreUnavailable."""
    return seal_object(
        file.data,
        bucket=Bucket.FILES,
        family=Family.DENUNCIATIONS if locked_away else Family.PETITIONS,
        purpose=PURPOSE,
        media_type=file.media_type,
    )


def add_attachment(
    work: Work,
    sealed: SealedObject,
    file: CheckedFile,
    *,
    part: str,
    draft_id: UUID | None = None,
    petition_id: UUID | None = None,
    position: int = 0,
) -> Attachment:
    """Keep the row of a sealed file with the draft or petition it belongs to."""
    work.add(sealed)
    work.flush()
    row_id = new_id()
    attachment = work.add(
        Attachment(
            id=row_id,
            draft_id=draft_id,
            petition_id=petition_id,
            part=part,
            file_name_sealed=seal_field("attachment", "file_name", row_id, file.name),
            media_type=file.media_type,
            size_bytes=len(file.data),
            pages=file.pages,
            sealed_object_id=sealed.id,
            position=position,
        )
    )
    work.flush()
    return attachment


def seal_as_denunciation(sealed: SealedObject, *, now: datetime) -> None:
    """Put a file's key under the keys of denunciations; the stored bytes stay as they are."""
    wrapped = runtime().keyring.rewrap(
        WrappedKey(sealed.kid, sealed.wrapped_key),
        KeyContext(sealed.associated_data.split("|")[2], str(sealed.id)),
        family=Family.DENUNCIATIONS,
        klass=OPEN_CLASS,
        year=now.year,
    )
    sealed.kid, sealed.wrapped_key = wrapped.kid, wrapped.blob


def forget_stored(sealed: SealedObject) -> None:
    """Remove the sealed bytes of a file that belongs to nothing any more."""
    runtime().store.delete(Bucket(sealed.bucket), sealed.name, sealed.version_id)
