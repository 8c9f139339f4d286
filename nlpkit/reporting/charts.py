"""Charts of a report as SVG inside its page: the colours are those of the page.

Each chart has a role and a label for screen readers; the numbers stand in a table beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

# Colours of polarities: blue and orange, which colour-blind readers tell apart, and a grey.
POLARITY = {"negative": "var(--bad)", "neutral": "var(--mid)", "positive": "var(--good)"}
OTHERS = ("var(--good)", "var(--bad)", "var(--mid)", "var(--fourth)", "var(--fifth)")
STYLE = """
:root { --bad: #c65a00; --mid: #8b8f94; --good: #2468c4; --fourth: #6b4fa0; --fifth: #0e7c7b; }
@media (prefers-color-scheme: dark) { :root { --bad: #f08a3c; --mid: #8b9097; --good: #5c9df0;
  --fourth: #b09ae0; --fifth: #45b8b0; } }
.chart { min-width: 34rem; width: 100%; }
svg text { fill: var(--faint); font: 12px system-ui, sans-serif; }
.bar { display: flex; height: 1.1rem; min-width: 5rem; border-radius: .2rem; overflow: hidden; }
.bar span { display: block; }
.dot { display: inline-block; width: .8em; height: .8em; border-radius: .2em; margin-right: .35em; }
"""
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 240, 40, 12, 12, 28
LABELS = 8  # most names of periods on an axis


def colours(labels: Sequence[str]) -> dict[str, str]:
    """Return the colour of each label: those of polarities, others in turn."""
    if set(labels) <= POLARITY.keys():
        return {label: POLARITY[label] for label in labels}
    return {label: OTHERS[index % len(OTHERS)] for index, label in enumerate(labels)}


def dot(colour: str) -> str:
    """Return a square in a colour, for legends."""
    return f'<span class="dot" style="background:{colour}" aria-hidden="true"></span>'


def bar(shares: Mapping[str, float], shades: Mapping[str, str], about: str) -> str:
    """Return a bar that is parted by shares; `about` is what a screen reader says."""
    parts = "".join(
        f'<span style="width:{100 * share:.1f}%;background:{shades[label]}"></span>'
        for label, share in shares.items()
        if share > 0
    )
    return f'<div class="bar" role="img" aria-label="{escape(about)}">{parts}</div>'


def lines(
    periods: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    shades: Mapping[str, str],
    about: str,
    marks: Mapping[str, Sequence[bool]] | None = None,
) -> str:
    """Return shares over periods as lines, with a ring around each point that is marked.

    A share is None where there are no texts: the line is broken there.
    """
    inner, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    step = inner / max(len(periods) - 1, 1)
    top = max((v for row in series.values() for v in row if v is not None), default=1.0) or 1.0
    parts = []
    for share in (0.0, top / 2, top):
        y = TOP + tall * (1 - share / top)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
            'stroke="var(--line)"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{share:.0%}</text>'
        )
    every = -(-len(periods) // LABELS)
    for index in range(0, len(periods), every):
        last = index + every >= len(periods)
        anchor = "end" if last and index else "start" if index == 0 else "middle"
        parts.append(
            f'<text x="{LEFT + index * step:.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">'
            f"{escape(periods[index])}</text>"
        )
    for label, row in series.items():
        points = [
            None if v is None else (LEFT + i * step, TOP + tall * (1 - v / top))
            for i, v in enumerate(row)
        ]
        parts += _line(points, shades[label], (marks or {}).get(label, ()))
    box = f'class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(about)}"'
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(about)}">'
        f"<svg {box}>{''.join(parts)}</svg></div>\n"
    )


def _line(
    points: Sequence[tuple[float, float] | None], colour: str, marks: Sequence[bool]
) -> list[str]:
    way, pen, parts = "", "M", []
    for index, point in enumerate(points):
        if point is None:
            pen = "M"
            continue
        x, y = point
        way, pen = f"{way}{pen}{x:.1f} {y:.1f}", "L"
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>')
        if index < len(marks) and marks[index]:
            ring = f'r="7" fill="none" stroke="{colour}" stroke-width="2"'
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" {ring}/>')
    return [f'<path d="{way}" fill="none" stroke="{colour}" stroke-width="2"/>', *parts]


def spark(counts: Sequence[float], about: str) -> str:
    """Return a small line of counts."""
    if len(counts) < 2:
        return ""
    top = max(counts) or 1
    way = " ".join(
        f"{80 * index / (len(counts) - 1):.0f},{18 - 16 * count / top:.0f}"
        for index, count in enumerate(counts)
    )
    return (
        f'<svg viewBox="0 0 80 20" width="80" height="20" role="img" aria-label="{escape(about)}">'
        f'<polyline points="{way}" fill="none" stroke="var(--ink)" stroke-width="1.5"/></svg>'
    )
