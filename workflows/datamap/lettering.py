"""Names inside cells: how wide a text is, how to break it, where it fits and how large.

Widths are advance widths of Be Vietnam Pro 600 in units of the font size. Other fonts of the
same kind are narrower, so a label computed here never overflows with them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot, inf
from unicodedata import normalize

from workflows.datamap.plane import Point, Ring, centroid, resampled

LINE_HEIGHT = 1.16
ASCENT, DESCENT = 0.86, 0.24
VALUE_WIDTH = 2.1
MAX_LINES = 3

_WIDTHS = {
    0.29: "iljI'.,",
    0.42: "rtf1",
    0.52: "sJz",
    0.6: "hknuvxyec",
    0.66: "abdgopqELFZ",
    0.72: "BPRSTVHYKNXDUA0123456789",
    0.82: "CGOQĐ",
    0.9: "mwMW%",
}
_WIDTH_OF = {letter: width for width, letters in reversed(_WIDTHS.items()) for letter in letters}
_SPACE = 0.23
_OTHER = 0.7


@dataclass(frozen=True)
class Label:
    """A name broken into lines, centred on `x`; baselines run down from `y`.

    The line after the last one, at `value_y`, is kept free for the number. Lengths in drawing
    units.
    """

    lines: tuple[str, ...]
    x: float
    y: float
    line_height: float
    font_size: float

    @property
    def value_y(self) -> float:
        return round(self.y + len(self.lines) * self.line_height, 2)


@dataclass(frozen=True)
class _Strip:
    """One line of text around the label's centre, in units of the font size."""

    half_width: float
    top: float
    bottom: float

    def size_until(self, dx: float, dy: float) -> float:
        """Font size at which this strip would touch a point that far from the centre."""
        reach = self.bottom if dy > 0 else -self.top
        if reach <= 0:
            return inf
        return max(abs(dx) / self.half_width, abs(dy) / reach)


def text_width(text: str) -> float:
    """Width of `text` in units of the font size."""
    return sum(_letter_width(letter) for letter in text)


def place_label(name: str, ring: Ring, *, largest: float) -> Label:
    """The breaking and place that let `name` and a number stand largest inside `ring`.

    Fewer lines win unless more lines gain at least a twentieth of the size.
    """
    border = resampled(ring, 3.0)
    starts = _starting_points(ring)
    best: tuple[float, Point, tuple[str, ...]] = (0.0, starts[0], (name,))
    for lines in breakings(name):
        size, spot = _largest_at(_strips(lines), starts, border, largest)
        if size > best[0] * 1.05:
            best = size, spot, lines
    return _label(*best)


def breakings(name: str) -> Iterator[tuple[str, ...]]:
    """Ways to set a name on one to three lines, breaking between words only."""
    words = name.split()
    for count in range(1, min(MAX_LINES, len(words)) + 1):
        yield min(_splits(words, count), key=lambda lines: max(map(text_width, lines)))


def _splits(words: Sequence[str], count: int) -> Iterator[tuple[str, ...]]:
    if count == 1:
        yield (" ".join(words),)
        return
    for cut in range(1, len(words) - count + 2):
        for rest in _splits(words[cut:], count - 1):
            yield (" ".join(words[:cut]), *rest)


def _strips(lines: Sequence[str]) -> list[_Strip]:
    """The lines and the number under them, stacked around the middle of the block."""
    widths = [*map(text_width, lines), VALUE_WIDTH]
    height = (len(widths) - 1) * LINE_HEIGHT + ASCENT + DESCENT
    baselines = [ASCENT - height / 2 + k * LINE_HEIGHT for k in range(len(widths))]
    return [
        _Strip(width / 2, baseline - ASCENT, baseline + DESCENT)
        for width, baseline in zip(widths, baselines, strict=True)
    ]


def _label(size: float, spot: Point, lines: tuple[str, ...]) -> Label:
    first = ASCENT - (len(lines) * LINE_HEIGHT + ASCENT + DESCENT) / 2
    return Label(
        lines=lines,
        x=round(spot[0], 2),
        y=round(spot[1] + first * size, 2),
        line_height=round(LINE_HEIGHT * size, 2),
        font_size=round(size, 2),
    )


def _largest_at(
    strips: Sequence[_Strip], starts: Sequence[Point], border: Sequence[Point], largest: float
) -> tuple[float, Point]:
    """Try the starting points, then climb from the best one with halving steps."""
    best_size, best_spot = 0.0, starts[0]
    for spot in starts:
        size = _size_at(strips, spot, border, best_size, largest)
        if size > best_size:
            best_size, best_spot = size, spot
    step = 4.0
    while step > 0.2 and best_size < largest:
        better = False
        for spot in _around(best_spot, step):
            size = _size_at(strips, spot, border, best_size, largest)
            if size > best_size:
                best_size, best_spot, better = size, spot, True
        step = step if better else step / 2
    return best_size, best_spot


def _size_at(
    strips: Sequence[_Strip],
    spot: Point,
    border: Sequence[Point],
    at_least: float,
    largest: float,
) -> float:
    """Font size that fits at `spot`, or less than `at_least` as soon as that cannot be reached."""
    size = largest
    for x, y in border:
        for strip in strips:
            size = min(size, strip.size_until(x - spot[0], y - spot[1]))
        if size <= at_least:
            break
    return size


def _around(spot: Point, step: float) -> list[Point]:
    x, y = spot
    return [(x + step, y), (x - step, y), (x, y + step), (x, y - step)]


def _starting_points(ring: Ring) -> list[Point]:
    """The centroid first, then points half way out to the corners that are not close to it."""
    middle = centroid(ring)
    halfway = [((x + middle[0]) / 2, (y + middle[1]) / 2) for x, y in ring]
    return [middle, *(p for p in halfway if hypot(p[0] - middle[0], p[1] - middle[1]) > 4)]


def _letter_width(letter: str) -> float:
    if letter == " ":
        return _SPACE
    plain = normalize("NFD", letter)[0]
    return _WIDTH_OF.get(letter, _WIDTH_OF.get(plain, _OTHER))
