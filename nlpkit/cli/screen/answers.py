"""Show answers on a terminal: rows as they arrive, then a summary, in a look for each kind."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from itertools import cycle
from typing import TYPE_CHECKING, Any, Protocol

from rich.text import Text

from nlpkit.answers import UNCERTAIN, Label, Spans
from nlpkit.answers.entities import Entities
from nlpkit.answers.explanation import Explanations
from nlpkit.answers.surprise import Surprise
from nlpkit.answers.written import Written
from nlpkit.cli.screen.console import Console, printable
from nlpkit.cli.screen.explanation import ExplanationsLook
from nlpkit.cli.screen.surprise import SurpriseLook
from nlpkit.wording import plural

if TYPE_CHECKING:
    from nlpkit.records.answered import Answered
    from nlpkit.records.reading import Reading
    from nlpkit.runtime.model import Answerer

# Colours of the sentiment labels; other labels take those of OTHERS in turn.
COLOURS = {"negative": "red", "neutral": "yellow", "positive": "green"}
OTHERS = ("cyan", "magenta", "blue", "bright_cyan", "bright_magenta", "bright_blue", "yellow")
BAR = 30
LONGEST = 1000  # characters of a text with entities that are shown


class Look(Protocol):
    """The display of one kind of answer; `head` is the line above the rows, or ""."""

    head: str

    def __init__(self, model: Answerer, uncertain: bool) -> None: ...
    def rows(self, item: Answered, columns: int) -> Iterable[Text]:
        """Return the lines of one answer."""

    def summary(self, columns: int) -> Iterable[Text]:
        """Return the lines below the rows."""


def show(model: Answerer, reading: Reading, *, quiet: bool, min_confidence: float) -> None:
    """Print the rows of each answer as it arrives, then a summary and the speed.

    Raises as `nlpkit.jobs.predict.answers`.
    """
    from nlpkit.jobs.predict import answers

    console = Console(highlight=False)
    look = _look_of(model.task.answers)(model, bool(min_confidence))
    total, started = 0, time.perf_counter()
    for item in answers(model, reading, min_confidence=min_confidence):
        if not total and look.head:
            console.print(Text(look.head, style="bold"))
            console.print(Text("─" * min(console.width, 100), style="dim"))
        total += 1
        for line in look.rows(item, console.width):
            line.truncate(console.width, overflow="ellipsis")
            console.print(line, soft_wrap=True)
    if quiet:
        return
    if not total:
        console.print(Text("no documents: the input is empty", style="dim"))
        return
    seconds = max(time.perf_counter() - started, 1e-9)
    for line in (*look.summary(console.width), Text()):
        console.print(line)
    speed = f"{plural(total, 'document')} in {seconds:.2f} s, {total / seconds:,.0f} a second"
    console.print(Text(f"{speed} ({model.name} on {model.provider})", style="dim"))


def _look_of(kind: Any) -> type[Look]:
    for known, look in LOOKS:
        if issubclass(kind, known):
            return look
    return CellsLook


class LabelLook:
    """A coloured label, its score and the text; the summary is a bar for each label."""

    def __init__(self, model: Answerer, uncertain: bool) -> None:
        self.colours = _colours(model.task.shown)
        if uncertain:
            self.colours[UNCERTAIN] = "dim"
        self.width = max(len(label) for label in (*self.colours, "label"))
        self.counts: Counter[str] = Counter()
        self.head = f"{'label':<{self.width}}  {'score':>6}  text"

    def rows(self, item: Answered, columns: int) -> Iterable[Text]:
        """Yield one line with the label, the score and the text."""
        line = Text(no_wrap=True, overflow="ellipsis")
        self.counts[item.answer.label if item.answer else ""] += 1
        if item.answer is None:
            line.append(f"{'-':<{self.width}}  {'':>6}  ", style="dim")
        else:
            colour = self.colours.get(item.answer.label, "")
            line.append(f"{item.answer.label:<{self.width}}", style=colour)
            line.append(f"  {item.answer.score:6.1%}  ", style="dim")
        yield line.append(printable(item.text, columns))

    def summary(self, columns: int) -> Iterable[Text]:
        """Yield a bar for each label, if there are several answers and labels."""
        if sum(self.counts.values()) - self.counts[""] > 1 and len(self.colours) > 1:
            yield Text()
            yield from _bars(self.counts, self.colours, columns)


class SpansLook:
    """The text with its spans in colour, and a line with their labels."""

    head = ""

    def __init__(self, model: Answerer, uncertain: bool) -> None:
        self.colours = _colours(model.task.shown)
        self.counts: Counter[str] = Counter()
        self.documents = 0  # documents with an answer

    def rows(self, item: Answered, columns: int) -> Iterable[Text]:
        """Yield the text, and a line with its spans if it has any."""
        spans = item.answer.spans if item.answer else ()
        self.documents += item.answer is not None
        line = Text(printable(item.text, columns), no_wrap=True, overflow="ellipsis")
        names = Text("  ", no_wrap=True, overflow="ellipsis")
        for span in spans:
            self.counts[span.label] += 1
            colour = self.colours.get(span.label, "cyan")
            line.stylize(f"bold {colour}", span.start, span.end)
            names.append(f"{printable(span.text, columns)} ").append(span.label, style=colour)
            names.append("  ")
        yield line
        if spans:
            yield names

    def summary(self, columns: int) -> Iterable[Text]:
        """Yield a bar for each label that was found, if there are several documents and labels."""
        if self.documents > 1 and len(self.counts) > 1:
            colours = {label: self.colours.get(label, "cyan") for label in self.counts}
            yield Text()
            yield from _bars(self.counts, colours, columns)


class EntitiesLook(SpansLook):
    """The text with its entities and their types; the summary is the most frequent names."""

    def __init__(self, model: Answerer, uncertain: bool) -> None:
        super().__init__(model, uncertain)
        self.console = Console()
        self.names: dict[str, Counter[str]] = {kind: Counter() for kind in self.colours}

    def rows(self, item: Answered, columns: int) -> Iterable[Text]:
        """Yield the lines of the text, all but the first indented."""
        line, shown = Text(), item.text[:LONGEST]
        plain, end = printable(shown, LONGEST), 0
        self.documents += item.answer is not None
        for span in item.answer.spans if item.answer else ():
            self.counts[span.label] += 1
            self.names[span.label][" ".join(span.text.split())] += 1
            if span.end <= len(plain):
                line.append(plain[end : span.start])
                line.append(plain[span.start : span.end], f"bold {self.colours[span.label]}")
                line.append(f"[{span.label}]", f"dim {self.colours[span.label]}")
                end = span.end
        line.append(plain[end:] + ("…" if len(shown) < len(item.text) else ""))
        for number, each in enumerate(line.wrap(self.console, max(columns - 2, 1))):
            yield Text("  " if number else "").append(each)

    def summary(self, columns: int) -> Iterable[Text]:
        """Yield a line for each type with its most frequent names, if there are documents."""
        from nlpkit.jobs.entities import frequent

        width = max(map(len, self.names))
        if self.documents > 1 and self.counts:
            yield Text()
            for kind, counts in self.names.items():
                if counts:
                    names = ", ".join(
                        f"{name} {n}" if n > 1 else name for name, n in frequent(counts)
                    )
                    line = Text(f"{kind:<{width}} {counts.total():>6,}  ", style=self.colours[kind])
                    line.append(printable(names, columns), style="not dim")
                    line.truncate(columns, overflow="ellipsis")
                    yield line


class WrittenLook:
    """The name or the beginning of a text, and what was written of it in indented lines."""

    head = ""

    def __init__(self, model: Answerer, uncertain: bool) -> None:
        self.console = Console()
        self.first = True

    def rows(self, item: Answered, columns: int) -> Iterable[Text]:
        """Yield a line of the text and the lines that were written, after an empty line."""
        if not self.first:
            yield Text()
        self.first = False
        beginning = printable(str(item.record.get("file") or item.text), columns)
        yield Text(beginning.strip() or "(empty)", style="dim", no_wrap=True)
        if item.answer is not None:
            written = Text(printable(item.answer.text, len(item.answer.text)))
            for line in written.wrap(self.console, max(columns - 2, 1)):
                yield Text("  ").append(line)

    def summary(self, columns: int) -> Iterable[Text]:
        """Return no lines: summaries are not counted."""
        return ()


class CellsLook:
    """The text, and a line for each field of the answer."""

    head = ""

    def __init__(self, model: Answerer, uncertain: bool) -> None:
        self.fields = model.task.answers.fields()

    def rows(self, item: Answered, columns: int) -> Iterable[Text]:
        """Yield the text and the fields."""
        yield Text(printable(item.text, columns), style="bold")
        if item.answer is not None:
            width = max(map(len, self.fields))
            for field, cell in zip(self.fields, item.answer.cells(), strict=True):
                yield Text(f"  {field:<{width}}  ", style="dim").append(
                    printable(cell, columns), style="not dim"
                )

    def summary(self, columns: int) -> Iterable[Text]:
        """Return no lines: answers without labels are not counted."""
        return ()


LOOKS: tuple[tuple[type, type[Look]], ...] = (
    (Label, LabelLook),
    (Entities, EntitiesLook),
    (Spans, SpansLook),
    (Written, WrittenLook),
    (Surprise, SurpriseLook),
    (Explanations, ExplanationsLook),
)


def _colours(labels: Iterable[str]) -> dict[str, str]:
    others = cycle(OTHERS)
    return {label: COLOURS.get(label) or next(others) for label in labels}


def _bars(counts: Counter[str], colours: dict[str, str], columns: int) -> Iterable[Text]:
    most, total = max(counts.values()), sum(counts.values())
    width = max(len(label) for label in (*colours, "(empty)"))
    room = min(BAR, max(columns - width - 19, 0))  # 19 cells for the count and the share
    for label, colour in [*colours.items(), ("", "dim")]:
        if label or counts[label]:
            bar = "█" * round(room * counts[label] / most) or (
                "▏" if counts[label] and room else ""
            )
            line = Text(f"{label or '(empty)':<{width}} {counts[label]:>8,} ", style=colour)
            line.append(f"{counts[label] / total:>6.1%}  ", style="dim")
            yield line.append(bar, style=colour)
