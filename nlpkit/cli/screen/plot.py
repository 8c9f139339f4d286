"""Plot score against speed for a few named points, on a terminal and as SVG.

No library is used because neither plotext nor matplotlib places labels without overlap, which is
most of this code.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, cycle

from nlpkit.svg import COLOURS, INK, document, line, shown, text

Box = tuple[float, float, float, float]  # left, top, right, bottom; y grows downwards

LEAST_COLUMNS, ROWS = 60, 14
DIGITS = "123456789abcdefghijklmnopqrstuvwxyz"
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 680, 400, 56, 34, 50  # of the SVG, in pixels
LETTER, LINE, GAP = 7.2, 17, 11


@dataclass(frozen=True)
class Point:
    """A model: its speed in documents a second, its score and the score's interval."""

    name: str
    speed: float
    score: float
    low: float
    high: float


LEAST = 0.01  # lowest speed on the logarithmic axis, in documents a second


class Frame:
    """The axes of a field of `width` by `height`: logarithmic speed to the right, score upwards."""

    def __init__(self, points: Sequence[Point], width: int, height: int) -> None:
        self.width, self.height = width, height
        speeds = [max(point.speed, LEAST) for point in points]
        self.slow, self.fast = min(speeds) / 2.25, max(speeds) * 2.25  # leaves room for two ticks
        low, high = min(point.low for point in points), max(point.high for point in points)
        edge = max(0.08 * (high - low), 0.02)
        self.low, self.high = low - edge, high + edge

    def across(self, speed: float) -> float:
        """Return the x of a speed."""
        share = math.log(max(speed, LEAST) / self.slow) / math.log(self.fast / self.slow)
        return self.width * share

    def down(self, score: float) -> float:
        """Return the y of a score, from the top."""
        return self.height * (self.high - score) / (self.high - self.low)

    def speeds(self) -> list[float]:
        """Return the ticks of speed: 1, 2 and 5 times powers of ten."""
        powers = range(math.floor(math.log10(self.slow)), math.ceil(math.log10(self.fast)))
        ticks = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
        return [tick for tick in ticks if self.slow < tick < self.fast]

    def scores(self) -> list[float]:
        """Return the ticks of score, at multiples of a round step."""
        rough = (self.high - self.low) / 8
        steps = (digit * 10.0**power for power in count(-2) for digit in (1, 2, 5))
        step = next(step for step in steps if step >= rough)
        return [n * step for n in range(math.ceil(self.low / step), int(self.high / step) + 1)]


@dataclass(frozen=True)
class Mark:
    """The position of a point in the field: its centre, and the ends of its interval bar."""

    x: float
    y: float
    top: float
    bottom: float


def placed(
    marks: Sequence[Mark], names: Sequence[float], line: float, gap: float, frame: Frame
) -> list[Box | None]:
    """Place the names, given their widths, so that none covers another name or a bar.

    Candidates lie to the right and left of the point, then up to 8 lines above and below.

    Args:
        marks: the points.
        names: width of each name.
        line: height of a line.
        gap: distance between a point and its name.
        frame: the field, which names must not leave.

    Returns:
        A box for each name, or None if there is no free one.
    """
    boxes: list[Box | None] = []
    taken = [(mark.x - gap / 3, mark.top, mark.x + gap / 3, mark.bottom) for mark in marks]
    for mark, name in zip(marks, names, strict=True):
        tried = [
            (left, mark.y + (lines - 0.5) * line, left + name, mark.y + (lines + 0.5) * line)
            for lines in sorted(range(-8, 9), key=abs)
            for left in (mark.x + gap, mark.x - gap - name)
        ]
        boxes.append(next((box for box in tried if _is_free(box, taken, frame)), None))
        taken += [box for box in boxes[-1:] if box]
    return boxes


def _is_free(box: Box, taken: Sequence[Box], frame: Frame) -> bool:
    left, top, right, bottom = box
    if left < 0 or top < 0 or right > frame.width or bottom > frame.height:
        return False
    return all(right <= a or left >= c or bottom <= b or top >= d for a, b, c, d in taken)


def text_plot(
    points: Sequence[Point], columns: int, *, score: str = "macro-F1", ascii: bool = False
) -> str:
    """Return the plot as lines of `columns` characters; `ascii` draws without Unicode."""
    dot, side, tick, floor, notch, corner = "o||-++" if ascii else "●│┤─┬└"
    frame = Frame(points, columns - 8, ROWS)
    marks = [_cell(point, frame) for point in points]
    field = [[" "] * frame.width for _ in range(ROWS)]
    for mark in marks:
        for row in range(int(mark.top), int(mark.bottom)):
            field[row][int(mark.x)] = side
    names, dots = [shown(point.name) for point in points], [dot] * len(points)
    boxes = _text_boxes(marks, names, frame)
    if not all(box and int(box[1]) == int(mark.y) for mark, box in zip(marks, boxes, strict=True)):
        # A name away from its point needs a digit that links the two.
        dots = [digit for digit, _ in zip(cycle(DIGITS), points)]
        names = [f"{digit} {name}" for digit, name in zip(dots, names, strict=True)]
        boxes = _text_boxes(marks, names, frame)
    for name, box in zip(names, boxes, strict=True):
        if box:  # without a free box the name is only in the table
            _write(field[int(box[1])], int(box[0]) + 1, name)
    for mark, sign in zip(marks, dots, strict=True):
        field[int(mark.y)][int(mark.x)] = sign
    foot, labels = [floor] * frame.width, [" "] * frame.width
    for speed in frame.speeds():
        column, label = int(frame.across(speed)), number(speed)
        foot[column] = notch
        start = max(min(column - len(label) // 2, frame.width - len(label)), 0)
        if not "".join(labels[max(start - 1, 0) :]).strip():  # skip a label that touches the last
            _write(labels, start, label)
    scores = {int(frame.down(score)): f"{score:6.2f} {tick}" for score in frame.scores()}
    lines = [scores.get(row, f"{side:>8}") + "".join(cells) for row, cells in enumerate(field)]
    foot_lines = [f"{corner:>8}" + "".join(foot), " " * 8 + "".join(labels)]
    return "\n".join([score, *lines, *foot_lines, f"{'documents a second':>{columns}}"])


def _text_boxes(marks: Sequence[Mark], names: Sequence[str], frame: Frame) -> list[Box | None]:
    """Place names in whole characters, with a space on either side."""
    return placed(marks, [len(name) + 2 for name in names], 1, 0.5, frame)


def _cell(point: Point, frame: Frame) -> Mark:
    """Return the mark of a point in whole characters."""
    x, y = int(frame.across(point.speed)) + 0.5, int(frame.down(point.score)) + 0.5
    return Mark(x, y, int(frame.down(point.high)), int(frame.down(point.low)) + 1)


def _write(cells: list[str], start: int, text: str) -> None:
    for index, char in enumerate(text, start):
        if 0 <= index < len(cells):
            cells[index] = char


def svg_plot(points: Sequence[Point], score: str = "macro-F1") -> str:
    """Return the plot as an SVG document without a background, for light and dark pages."""
    frame = Frame(points, WIDTH - LEFT - 12, HEIGHT - TOP - BOTTOM)
    marks = [
        Mark(*(frame.across(point.speed), *map(frame.down, (point.score, point.high, point.low))))
        for point in points
    ]
    names = [shown(point.name) for point in points]
    boxes = placed(marks, [LETTER * len(name) for name in names], LINE, GAP, frame)
    parts = [*_grid(frame, score)]
    for mark, colour in zip(marks, cycle(COLOURS)):
        parts.append(line(mark.x, mark.top, mark.x, mark.bottom, colour, 2))
        parts.append(f'<circle cx="{mark.x:.1f}" cy="{mark.y:.1f}" r="5" fill="{colour}"/>')
    for name, box, colour in zip(names, boxes, cycle(COLOURS)):
        if box:
            parts.append(text((box[0] + box[2]) / 2, box[1] + 0.75 * LINE, name, colour))
    name = score[:1].upper() + score[1:]
    title = f"{name} against documents a second, with 95% intervals"
    return document(parts, title, (-LEFT, -TOP, WIDTH, HEIGHT))


def _grid(frame: Frame, score: str) -> Iterator[str]:
    for value in frame.scores():
        y = frame.down(value)
        yield line(0, y, frame.width, y, INK, 0.3)
        yield text(-8, y + 4, f"{value:.2f}", INK, "end")
    for speed in frame.speeds():
        x = frame.across(speed)
        yield line(x, 0, x, frame.height, INK, 0.3)
        yield text(x, frame.height + 18, number(speed), INK)
    yield text(-LEFT + 8, -14, f"{score} (95% interval)", INK, "start")
    yield text(frame.width, frame.height + 38, "documents a second", INK, "end")


def number(value: float) -> str:
    """Format the number of a tick, with commas."""
    return f"{value:,.10g}"
