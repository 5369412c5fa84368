"""One way to fold Vietnamese for search: the same function serves the index and the query."""

import re
import unicodedata

_D_BAR = str.maketrans({"đ": "d", "Đ": "d", "ð": "d", "Ð": "d"})
_WORD = re.compile(r"[0-9a-z]+")


def fold(text: str) -> str:
    """`text` without case, tone or diacritic marks: "Đường Hoà Bình" → "duong hoa binh".

    Each letter of the NFC form gives one letter, so a place found in the folded text is the same
    place in `unicodedata.normalize("NFC", text)` (for Vietnamese and Latin letters).
    """
    bare = unicodedata.normalize("NFC", text).translate(_D_BAR)
    marks_apart = unicodedata.normalize("NFD", bare)
    return unicodedata.normalize(
        "NFC", "".join(c for c in marks_apart if not unicodedata.combining(c)).lower()
    )


def words(text: str) -> tuple[str, ...]:
    """The folded words and numbers of `text`, in order."""
    return tuple(_WORD.findall(fold(text)))


def fold_key(text: str) -> str:
    """A key for comparing names: folded words joined by one space, punctuation dropped."""
    return " ".join(words(text))
