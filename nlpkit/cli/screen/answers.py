"""What a person sees on a terminal: a table that grows as answers come, and a summary."""

from __future__ import annotations

import time
from collections import Counter
from itertools import cycle
from typing import TYPE_CHECKING

from rich.text import Text

from nlpkit.cli.screen.console import Console

if TYPE_CHECKING:
    from nlpkit.jobs.predict import Answer, Reading
    from nlpkit.runtime.model import Model

# The three of sentiment have the colours everybody expects; other labels take turns.
COLOURS = {"negative": "red", "neutral": "yellow", "positive": "green"}
OTHERS = ("cyan", "magenta", "blue", "bright_cyan", "bright_magenta", "bright_blue")
BAR = 30


def show(model: Model, reading: Reading, *, quiet: bool, min_confidence: float) -> None:
    """Print a row for each answer as it comes, then counts, bars and speed."""
    from nlpkit.jobs.predict import UNCERTAIN, predictions

    console = Console(highlight=False)
    colours = _colours(model.task.labels)
    if min_confidence:
        colours[UNCERTAIN] = "dim"
    width = max(len(label) for label in (*colours, "label"))
    counts: Counter[str] = Counter()
    started = time.perf_counter()
    head = f"{'label':<{width}}  {'score':>6}  text"
    for item in predictions(model, reading, min_confidence=min_confidence):
        if not counts:
            console.print(Text(head, style="bold"))
            console.print(Text("─" * min(console.width, 100), style="dim"))
        counts[item.prediction.label if item.prediction else ""] += 1
        console.print(_row(item, width, colours, console.width), soft_wrap=True)
    if not quiet:
        _summary(console, counts, colours, time.perf_counter() - started, model)


def _colours(labels: tuple[str, ...]) -> dict[str, str]:
    others = cycle(OTHERS)
    return {label: COLOURS.get(label) or next(others) for label in labels}


def _row(item: Answer, width: int, colours: dict[str, str], columns: int) -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    if item.prediction is None:
        line.append(f"{'-':<{width}}  {'':>6}  ", style="dim")
    else:
        colour = colours[item.prediction.label]
        line.append(f"{item.prediction.label:<{width}}", style=colour)
        line.append(f"  {item.prediction.score:6.1%}  ", style="dim")
    # Controls in a text must not move the cursor or change the terminal.
    line.append("".join(char if char.isprintable() else " " for char in item.text[: columns * 2]))
    line.truncate(columns, overflow="ellipsis")
    return line


def _summary(
    console: Console, counts: Counter[str], colours: dict[str, str], seconds: float, model: Model
) -> None:
    total = sum(counts.values())
    if not total:
        console.print(Text("nothing to read: the input has no lines", style="dim"))
        return
    console.print()
    most = max(counts.values())
    width = max(len(label) for label in (*colours, "(empty)"))
    for label, colour in [*colours.items(), ("", "dim")]:
        if label or counts[label]:
            bar = "█" * round(BAR * counts[label] / most) or ("▏" if counts[label] else "")
            line = Text(f"{label or '(empty)':<{width}} {counts[label]:>8,} ", style=colour)
            line.append(f"{counts[label] / total:>6.1%}  ", style="dim")
            console.print(line.append(bar, style=colour))
    speed = f"{total:,} documents in {seconds:.2f} s, {total / max(seconds, 1e-9):,.0f} a second"
    console.print(Text(f"\n{speed} ({model.name} on {model.provider})", style="dim"))
