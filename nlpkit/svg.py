"""Draw curves and matrices as SVG, and the lines and words that all plots share.

The pictures have no background, so that they suit light and dark pages.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import count, cycle

# Each colour has a contrast of at least 3 with white and with GitHub's dark grey.
INK = "#808080"
COLOURS = ("#2f81f7", "#d9622b", "#2e9a4e", "#b05fd0", "#c2464f", "#0f98a8", "#a17f1a", "#8a8f2a")
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 680, 400, 64, 34, 150, 50  # in pixels
LINE = 20  # height of a line of the legend
FEWEST = 4  # ticks of an axis, about
CELL = 20  # width and height of a cell of a matrix


@dataclass(frozen=True)
class Curve:
    """Points (x, y) in the order of x, and the name that the legend gives them."""

    name: str
    points: Sequence[tuple[float, float]]


class Axis:
    """Maps values to 0 ... 1, linearly or, with `log`, by their logarithm."""

    def __init__(self, values: Sequence[float], *, log: bool = False) -> None:
        """Create the axis; with `log` its ends are powers of ten, and values are above 0."""
        self.log = log
        self.low, self.high = min(values, default=1.0), max(values, default=1.0)
        if log:
            ends = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            self.low, self.high = map(float, ends)
        if self.low == self.high:
            self.high = self.low + 1

    def share(self, value: float) -> float:
        """Return the place of a value, 0 at the low end and 1 at the high end."""
        return ((math.log10(value) if self.log else value) - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Return round values between the ends: multiples of 1, 2 or 5 times a power of ten."""
        rough = (self.high - self.low) / (2 * FEWEST)
        first = math.floor(math.log10(rough))
        steps = (digit * 10.0**power for power in count(first) for digit in (1, 2, 5))
        step = next(step for step in steps if step >= rough and (not self.log or step >= 1))
        numbers = range(math.ceil(self.low / step), math.floor(self.high / step) + 1)
        return [10.0 ** (n * step) if self.log else n * step for n in numbers]


def curves(drawn: Sequence[Curve], *, title: str, across: str, up: str, log: bool = False) -> str:
    """Return a plot of curves as an SVG document.

    Args:
        drawn: the curves; with `log`, points that are not above 0 are left out.
        title: what a screen reader says.
        across: the name of the x axis.
        up: the name of the y axis.
        log: whether the y axis is logarithmic.
    """
    each = [[(x, y) for x, y in curve.points if y > 0 or not log] for curve in drawn]
    points = [point for curve in each for point in curve]
    x_axis = Axis([x for x, _ in points])
    y_axis = Axis([y for _, y in points] + ([] if log else [0.0]), log=log)
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    parts = [*_grid(x_axis, y_axis, width, height, across, up)]
    for row, (curve, kept, colour) in enumerate(zip(drawn, each, cycle(COLOURS))):
        places = [(width * x_axis.share(x), height * (1 - y_axis.share(y))) for x, y in kept]
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        parts.append(text(width + 16, 12 + row * LINE, shown(curve.name), colour, "start"))
    return document(parts, title, (-LEFT, -TOP, WIDTH, HEIGHT))


def _grid(
    x_axis: Axis, y_axis: Axis, width: float, height: float, across: str, up: str
) -> Iterator[str]:
    for value in y_axis.ticks():
        y = height * (1 - y_axis.share(value))
        yield line(0, y, width, y, INK, 0.3)
        yield text(-8, y + 4, f"{value:.0e}" if y_axis.log else f"{value:g}", INK, "end")
    for value in x_axis.ticks():
        x = width * x_axis.share(value)
        yield line(x, 0, x, height, INK, 0.3)
        yield text(x, height + 18, f"{value:g}", INK)
    yield text(-LEFT + 8, -14, up, INK, "start")
    yield text(width, height + 38, across, INK, "end")


def document(parts: Sequence[str], title: str, box: tuple[float, float, float, float]) -> str:
    """Return an SVG document; `box` is its left, top, width and height."""
    size = f'width="{box[2]:g}" height="{box[3]:g}" viewBox="{" ".join(f"{n:g}" for n in box)}"'
    font = 'font-family="system-ui, sans-serif" font-size="13"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>'
    return "\n".join([head, f"<title>{escape(title)}</title>", *parts, "</svg>\n"])


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float) -> str:
    """Return a straight line."""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"/>'


def text(x: float, y: float, words: str, colour: str, anchor: str = "middle") -> str:
    """Return words, whose start, middle or end is at x."""
    position = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {position} fill="{colour}">{escape(words)}</text>'


def shown(name: str) -> str:
    """Return a name with unprintable characters replaced by "?", for a terminal or XML."""
    return "".join(char if char.isprintable() else "?" for char in name)


def heat(
    rows: Sequence[str], columns: Sequence[str], weights: Sequence[Sequence[float]], *, title: str
) -> str:
    """Return a matrix as an SVG document: a square for each weight, darker for a larger one.

    The largest weight of the matrix is the darkest; a square says its row, column and weight.
    """
    left, top = (12 + 8 * max(map(len, names), default=0) for names in (rows, columns))
    largest = max((weight for row in weights for weight in row), default=0.0) or 1.0
    parts = []
    for index, name in enumerate(columns):
        x = (index + 0.5) * CELL + 4
        words = f'<text transform="translate({x:.0f} -6) rotate(-90)" fill="{INK}">'
        parts.append(f"{words}{escape(name)}</text>")
    for index, (name, row) in enumerate(zip(rows, weights, strict=True)):
        parts.append(text(-6, (index + 0.7) * CELL, name, INK, "end"))
        for place, weight in enumerate(row):
            about = escape(f"{name} / {columns[place]}: {weight:.3f}")
            corner = f'x="{place * CELL}" y="{index * CELL}" width="{CELL - 1}" height="{CELL - 1}"'
            shade = f'fill="{COLOURS[0]}" fill-opacity="{weight / largest:.2f}"'
            parts.append(f"<rect {corner} {shade}><title>{about}</title></rect>")
    size = left + CELL * len(columns) + 4, top + CELL * len(rows) + 4
    return document(parts, title, (-left, -top, *size))
