"""Names inside cells: how wide a text is, how to break it, where it fits and how large.

Widths are advance widths of Be Vietnam Pro 600 in units of the font size. Other fonts of the
same kind are narrower, so a label computed here never overflows with them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot, inf, sqrt
from unicodedata import normalize

from workflows.datamap.plane import Point, Ring, area, centroid, contains, edges, resampled

LINE_HEIGHT = 1.16
ASCENT, DESCENT = 0.86, 0.24
WIDE_VALUE, NARROW_VALUE = 3.9, 2.1
"""Room under the name, in font sizes: for "dưới 3 vụ" a little smaller, or for "12,3"."""

WIDE_ENOUGH = 0.93
"""Share of the largest size from which the wide number is kept."""

MAX_LINES = 3
CHORDS = 7
ROOMY = 1.15
"""A name that would fit this much larger at the cell's centre of gravity stays there."""

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

    The line after the last one, at `value_y`, is kept free for a number up to `value_room` wide.
    Lengths in drawing units.
    """

    lines: tuple[str, ...]
    x: float
    y: float
    line_height: float
    font_size: float
    value_room: float

    @property
    def value_y(self) -> float:
        return round(self.y + len(self.lines) * self.line_height, 2)

    @property
    def takes_words(self) -> bool:
        """Whether "dưới 3 vụ", a little smaller, fits under the name; else write "< 3"."""
        return self.value_room > 3 * self.font_size


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


@dataclass(frozen=True)
class _Fit:
    """A breaking of the name with the size and place that suit it best."""

    size: float
    spot: Point
    lines: tuple[str, ...]

    def label(self, value_width: float) -> Label:
        block = len(self.lines) * LINE_HEIGHT + ASCENT + DESCENT
        return Label(
            lines=self.lines,
            x=round(self.spot[0], 2),
            y=round(self.spot[1] + (ASCENT - block / 2) * self.size, 2),
            line_height=round(LINE_HEIGHT * self.size, 2),
            font_size=round(self.size, 2),
            value_room=round(value_width * self.size, 1),
        )


def text_width(text: str) -> float:
    """Width of `text` in units of the font size."""
    return sum(_letter_width(letter) for letter in text)


def place_label(name: str, ring: Ring, *, largest: float) -> Label:
    """The breaking and place that let `name` and a number stand largest inside `ring`.

    A wide number gets its room as long as the name stays large enough.
    """
    wide = _best_label(name, ring, largest, WIDE_VALUE)
    if wide.font_size >= WIDE_ENOUGH * largest:
        return wide
    narrow = _best_label(name, ring, largest, NARROW_VALUE)
    return narrow if narrow.font_size > wide.font_size else wide


def _best_label(name: str, ring: Ring, largest: float, value_width: float) -> Label:
    """Fewer lines win unless more lines gain at least a twentieth of the size."""
    border = resampled(ring, max(3.0, sqrt(abs(area(ring))) / 24))
    starts = _starting_points(ring)
    best: _Fit | None = None
    for lines in breakings(name):
        strips = _strips(lines, value_width)
        size, spot = _size_at(strips, starts[0], border), starts[0]
        if size < ROOMY * largest:
            size, spot = _roomiest(strips, starts, border)
        fit = _Fit(min(size, largest), spot, lines)
        if best is None or fit.size > best.size * 1.05:
            best = fit
    if best is None:
        raise ValueError("a cell needs a name")
    return best.label(value_width)


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


def _strips(lines: Sequence[str], value_width: float) -> list[_Strip]:
    """The lines and the number under them, stacked around the middle of the block."""
    widths = [*map(text_width, lines), value_width]
    height = (len(widths) - 1) * LINE_HEIGHT + ASCENT + DESCENT
    baselines = [ASCENT - height / 2 + k * LINE_HEIGHT for k in range(len(widths))]
    return [
        _Strip(width / 2, baseline - ASCENT, baseline + DESCENT)
        for width, baseline in zip(widths, baselines, strict=True)
    ]


def _roomiest(
    strips: Sequence[_Strip], starts: Sequence[Point], border: Sequence[Point]
) -> tuple[float, Point]:
    """Size and place of the largest text: try the starts, climb from the best by halving steps."""
    best = max((_size_at(strips, spot, border), spot) for spot in starts)
    step = max(4.0, hypot(*_extent(border)) / 24)
    while step > 0.2:
        around = max((_size_at(strips, spot, border), spot) for spot in _around(best[1], step))
        if around[0] > best[0]:
            best = around
        else:
            step /= 2
    return best


def _size_at(strips: Sequence[_Strip], spot: Point, border: Sequence[Point]) -> float:
    """The font size at which the text, centred on `spot`, touches the border; 0 outside."""
    if not contains(border, spot):
        return 0.0
    return min(strip.size_until(x - spot[0], y - spot[1]) for x, y in border for strip in strips)


def _around(spot: Point, step: float) -> list[Point]:
    x, y = spot
    return [(x + step, y), (x - step, y), (x, y + step), (x, y - step)]


def _starting_points(ring: Ring) -> list[Point]:
    """The centroid, and the middle of the widest chord at several heights: always inside."""
    top, height = min(y for _, y in ring), _extent(ring)[1]
    heights = [top + height * (k + 0.5) / CHORDS for k in range(CHORDS)]
    return [centroid(ring), *(_middle_of_chord(ring, y) for y in heights)]


def _middle_of_chord(ring: Ring, y: float) -> Point:
    crossings = sorted(
        x0 + (x1 - x0) * (y - y0) / (y1 - y0)
        for (x0, y0), (x1, y1) in edges(ring)
        if (y0 > y) != (y1 > y)
    )
    pairs = zip(crossings[::2], crossings[1::2], strict=True)
    west, east = max(pairs, key=lambda pair: pair[1] - pair[0])
    return (west + east) / 2, y


def _extent(points: Ring) -> Point:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return max(xs) - min(xs), max(ys) - min(ys)


def _letter_width(letter: str) -> float:
    if letter == " ":
        return _SPACE
    plain = normalize("NFD", letter)[0]
    return _WIDTH_OF.get(letter, _WIDTH_OF.get(plain, _OTHER))
