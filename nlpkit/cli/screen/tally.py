"""Print the counts of --by: a table on a terminal, records elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from nlpkit.answers import UNCERTAIN
from nlpkit.cli.screen.answers import _colours
from nlpkit.cli.screen.console import Console, printable
from nlpkit.jobs.tally import DOCUMENTS, EMPTY, Count, Tally

if TYPE_CHECKING:
    from nlpkit.records.answered import Answered
    from nlpkit.records.reading import Reading
    from nlpkit.runtime.model import Answerer

VALUES = 20  # most values with a row of their own; rarer ones are summed in one row
WIDEST = 24  # cells of a value or a label
SHARE = len("100.0%")
GAP = 2  # cells between columns
SHORTEST, LONGEST = 8, 24  # cells of the bar
OTHERS = "(others)"
EVERY = 1000  # documents between two updates of the progress line


def count_by(
    by: str,
    model: Answerer,
    reading: Reading,
    *,
    to: str | None,
    output: str,
    into: str | None,
    min_confidence: float,
    quiet: bool,
) -> None:
    """Count the labels of all documents by a column, then show or write the counts.

    Raises:
        UsageError: `into` is given, though no answer is written; a dialect is given, but the output
            is not CSV; or as `jobs.tally.labels_of`.
        InputError: as `jobs.tally.tally`.
    """
    from nlpkit import records
    from nlpkit.cli.notes import print_empty
    from nlpkit.errors import UsageError
    from nlpkit.jobs import tally as job
    from nlpkit.jobs.predict import answers
    from nlpkit.records.answered import check_dialect
    from nlpkit.records.target import check_target

    if into:
        raise UsageError("--by writes counts, not answers; leave out --into")
    labels = job.labels_of(model, by, min_confidence)
    format = to or _format(reading, output)
    dialect = reading.layout.asked
    check_dialect(dialect, format)
    check_target(output, reading.inputs, f"counts in {format}", reading.common_format())
    terminal = bool(sys.stdout and sys.stdout.isatty())
    shown = to is None and dialect is None and output == "-" and terminal
    # Open the output first, so that a missing folder is reported before the work.
    with nullcontext() if shown else records.write_output(output) as stream:
        answered = _watched(answers(model, reading, min_confidence=min_confidence), quiet)
        tally = job.tally(answered, by, labels, reading)
        if stream:
            layout = replace(reading.layout, columns=tally.columns)
            records.write(tally.records(), stream, format, layout)
        else:
            _show(tally)
    if not shown:
        print_empty(reading.inputs, tally.total().documents)


def _format(reading: Reading, output: str) -> str:
    """Return the format by the output's name, else the input's, or one that has columns."""
    from nlpkit import catalog
    from nlpkit.records.target import format_for

    format = format_for(output, None, reading.common_format())
    if hasattr(catalog.load("formats", format), "HOLDS"):  # a treebank has no columns for counts
        return "jsonl"
    return "tsv" if format == "lines" else format


def _watched(items: Iterator[Answered], quiet: bool) -> Iterator[Answered]:
    """Yield the items, and show their number on a transient line of stderr if a terminal."""
    console = Console(stderr=True, highlight=False)
    if quiet or not console.is_terminal:
        yield from items
        return
    with console.status("") as status:
        for number, item in enumerate(items, 1):
            if not number % EVERY:
                status.update(f"{number:,} documents")
            yield item


def _show(tally: Tally) -> None:
    console = Console(highlight=False)
    if tally.counts:
        console.print(table(tally, console.width, coloured=not console.no_color))
    else:
        console.print(Text("no documents: the input is empty", style="dim"))


def table(tally: Tally, width: int, *, coloured: bool) -> Table:
    """Return a table with a row for each of the commonest values, for all others, and the total.

    Labels that do not fit into `width` share a column. If all fit, and there are colours, a bar of
    the shares fills the rest of the line.
    """
    total, rows = tally.total(), _rows(tally)
    first = min(max(cell_len(name) for name in (tally.by, *(name for name, _ in rows))), WIDEST)
    free = width - first - GAP - max(len(DOCUMENTS), len(f"{total.documents:,}"))
    labels = [label for label in tally.labels if label != UNCERTAIN or total.labels[label]]
    shown = _fitting(labels, total, free)
    colours = _colours(tally.labels) | {UNCERTAIN: "dim"}
    bar = min(free - sum(GAP + _width(label) for label in shown) - GAP, LONGEST)
    drawn = coloured and OTHERS not in shown and bar >= SHORTEST
    result = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0))
    result.add_column(_text(tally.by, first), width=first, no_wrap=True)
    result.add_column(DOCUMENTS, justify="right", no_wrap=True)
    for label in shown:
        style = colours.get(label, "dim")
        result.add_column(_text(label, WIDEST), justify="right", style=style, no_wrap=True)
    if drawn:
        result.add_column("", no_wrap=True)
    for number, (name, one) in enumerate(rows, 1):
        shares = _shares(one, shown)
        cells: list[Text | str] = [_text(name, first), f"{one.documents:,}"]
        cells += [f"{share:.1%}" for share in shares.values()]
        cells += [_bar(shares, colours, bar)] if drawn else []
        result.add_row(*cells, style="bold" if number == len(rows) else "")
    return result


def _rows(tally: Tally) -> list[tuple[str, Count]]:
    """Return (name, count) of the commonest values, of all others together, and of the total."""
    rows = [(value or EMPTY, count) for value, count in tally.counts.items()]
    if others := len(rows) - VALUES if len(rows) > VALUES else 0:
        rows[VALUES:] = [(f"{others:,} others", tally.total(VALUES))]
    return [*rows, ("total", tally.total())]


def _fitting(labels: Sequence[str], total: Count, free: int) -> list[str]:
    """Return the columns that fit into `free` cells: the commonest labels, in their order.

    OTHERS is added for the labels left out, and EMPTY for documents without a label.
    """
    columns = [*labels, *([EMPTY] if total.unlabelled else [])]
    if sum(GAP + _width(label) for label in columns) <= free:
        return columns
    free -= GAP + _width(OTHERS)
    fitting = set()
    for label in sorted(labels, key=lambda label: -total.labels[label]):
        free -= GAP + _width(label)
        if free < 0:
            break
        fitting.add(label)
    return [*(label for label in labels if label in fitting), OTHERS]


def _width(label: str) -> int:
    return max(min(cell_len(label), WIDEST), SHARE)


def _shares(one: Count, columns: Sequence[str]) -> dict[str, float]:
    """Return the share of each column in the documents; OTHERS or EMPTY gets the rest."""
    known = {label: one.labels[label] for label in columns}
    rest = one.documents - sum(known.values())
    counts = {label: rest if label in (OTHERS, EMPTY) else count for label, count in known.items()}
    return {label: count / one.documents for label, count in counts.items()}


def _bar(shares: Mapping[str, float], colours: Mapping[str, str], width: int) -> Text:
    """Return a bar of `width` cells, divided by the shares of the labels."""
    bar, sum_, drawn = Text(), 0.0, 0
    for label, share in shares.items():
        sum_ += share
        end = round(sum_ * width)
        bar.append("█" * (end - drawn), style=f"not bold {colours.get(label, 'dim')}")
        drawn = end
    return bar


def _text(value: str, width: int) -> Text:
    """Return a value as printable text, cut to `width` cells."""
    text = Text(printable(value, width), no_wrap=True)
    text.truncate(width, overflow="ellipsis")
    return text
