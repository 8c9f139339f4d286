"""Write a report: a page, JSON, or tables on the terminal."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from rich.text import Text

from nlpkit import zoo
from nlpkit.cli.answering import is_terminal
from nlpkit.cli.screen.console import Console, printable
from nlpkit.cli.screen.table import Column, show_table
from nlpkit.errors import UsageError
from nlpkit.jobs import report as job
from nlpkit.records.reading import Reading
from nlpkit.records.target import check_apart
from nlpkit.reporting.ui import LANGUAGES, Ui

FORMATS = ("html", "json", "table")
BAR = 24
STYLES = {"negative": "dark_orange", "neutral": "dim", "positive": "dodger_blue1"}
ASPECTS, QUOTES = 12, 3  # that a terminal shows


def write(
    model: str,
    inputs: list[str] | None,
    *,
    date: str | None,
    by: list[str],
    sample: int,
    mask: bool,
    lang: str,
    aspects: bool,
    source: str | None,
    column: str | None,
    sheet: str | None,
    encoding: str,
    errors: str,
    to: str | None,
    output: str,
    title: str | None,
    ui: str,
    device: str,
    precision: str,
    quiet: bool,
) -> None:
    """Make the report and write it; the arguments are the options of `nlpkit report`."""
    from nlpkit import records
    from nlpkit.cli.screen.json import json_text
    from nlpkit.reporting.page import page

    if inputs and any(map(zoo.is_run, inputs)):
        if date or by or sample or mask or column:
            raise UsageError(
                "the report of a training takes no --date, --by, --sample, --mask and --column"
            )
        _write_run(inputs, output, to)
        return
    if not inputs and is_terminal(sys.stdin):
        raise UsageError("name a file: nlpkit report reviews.csv --column review -o report.html")
    to = to or ("html" if output.lower().endswith((".html", ".htm")) else None)
    to = to or ("json" if output.lower().endswith(".json") else "table")
    _check("--to", to, FORMATS)
    _check("--lang", lang, LANGUAGES)
    _check("--ui", ui, LANGUAGES)
    check_apart(output, inputs or [])
    if to == "table" and output != "-":
        raise UsageError("--output: name a file .html or .json, or give --to html")
    reading = Reading(
        inputs=inputs or ["-"],
        format=source,
        column=column,
        encoding=encoding,
        errors=errors,
        sheet=sheet,
    )
    asked = job.Asked(date=date, by=by, sample=sample, mask=mask, lang=lang, aspects=aspects)
    progress = _Progress(not quiet and is_terminal(sys.stderr))
    try:
        values = job.make(
            model, reading, asked, device=device, precision=precision, listener=progress
        )
    finally:
        progress.clear()
    words = Ui(ui)
    name = title or job.title_of(reading) or words("title")
    if to == "table":
        _show(values, words)
        return
    content = json_text(values) if to == "json" else page(values, words, name, masked=mask)
    with records.write_output(output) as stream:
        stream.write(content)


def _write_run(inputs: list[str], output: str, to: str | None) -> None:
    """Write the report of a training run: a page, or JSON."""
    from nlpkit import records
    from nlpkit.cli.screen.json import json_text
    from nlpkit.jobs.run_report import gather
    from nlpkit.reporting.run_page import page

    if len(inputs) > 1:
        raise UsageError("a report is of one training run; 'nlpkit compare' compares several")
    to = to or ("json" if output.endswith(".json") else "html")
    _check("--to", to, FORMATS[:2])
    if to == "html" and output == "-" and is_terminal(sys.stdout):
        raise UsageError(f"name a file for the page: nlpkit report {inputs[0]} -o report.html")
    values = gather(Path(inputs[0]))
    with records.write_output(output) as stream:
        stream.write(json_text(values) if to == "json" else page(values))


def _check(option: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"{option} {value}: not one of {', '.join(known)}")


class _Progress:
    """Show the stage of a report on one line of stderr, at most five times a second."""

    def __init__(self, watched: bool) -> None:
        self.watched, self.shown = watched, 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if not self.watched or (done and now - self.shown < 0.2):
            return
        self.shown = now
        count = f" {done:,}" + (f" of {total:,} texts" if total else "") if done else ""
        print(f"\r\x1b[Knlpkit: {stage}{count}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Remove the line."""
        if self.watched:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _show(values: dict[str, Any], ui: Ui) -> None:
    console = Console(highlight=False)
    console.print(Text(ui.summary(values), style="dim"))
    _labels(console, values, ui)
    for name, groups in values["groups"].items():
        _groups(console, ui("by", name=name), groups, values, ui)
    if values["time"]:
        _periods(console, values, ui)
    _aspects(console, values["aspects"] or [], ui)
    _quotes(console, values["quotes"], ui)


def _heading(console: Console, title: str) -> None:
    console.print()
    console.print(Text(title, style="bold"))


def _labels(console: Console, values: dict[str, Any], ui: Ui) -> None:
    _heading(console, ui("feel"))
    width = max(len(ui.label(label)) for label in values["labels"])
    for label, share in values["labels"].items():
        line = Text(f"{ui.label(label):<{width}}  ", style=STYLES.get(label, ""))
        line.append(f"{ui.share(share['share']):>6}", style="bold")
        ends = f"{ui.share(share['low'])} – {ui.share(share['high'])}"
        line.append(f"  {ends:<16}  {ui.number(share['texts']):>8}  ", style="dim")
        console.print(line.append("█" * round(BAR * share["share"])))


def _groups(
    console: Console, title: str, groups: list[Any], values: dict[str, Any], ui: Ui
) -> None:
    _heading(console, title)
    labels = list(values["labels"])
    columns = [
        Column(ui("value"), narrow="cut"),
        Column(ui("texts"), right=True),
        *(Column(ui.label(label), right=True, style=STYLES.get(label, "")) for label in labels),
        Column(ui("differs"), drop=1),
    ]
    rows = [
        [
            ui.shown(group["value"]),
            ui.number(group["texts"]),
            *(ui.share(group["labels"][label]["share"]) for label in labels),
            ", ".join(map(ui.label, group["differs"])),
        ]
        for group in groups
        if group["labels"]
    ]
    show_table(console, columns, rows)


def _periods(console: Console, values: dict[str, Any], ui: Ui) -> None:
    _heading(console, ui("time"))
    labels = list(values["labels"])
    columns = [
        Column(ui("period")),
        Column(ui("texts"), right=True),
        *(Column(ui.label(label), right=True, style=STYLES.get(label, "")) for label in labels),
        Column(ui("change"), drop=1),
    ]
    rows = [
        [
            one["period"],
            ui.number(one["texts"]),
            *(ui.share(one["labels"][k]["share"]) if one["labels"] else "–" for k in labels),
            ", ".join(map(ui.label, one["changed"])),
        ]
        for one in values["time"]["periods"]
    ]
    show_table(console, columns, rows)


def _aspects(console: Console, found: list[dict[str, Any]], ui: Ui) -> None:
    if not found:
        return
    _heading(console, ui("aspects"))
    columns = [
        Column(ui("aspect"), narrow="cut"),
        Column(ui("texts"), right=True),
        *(Column(ui.label(p), right=True, style=style) for p, style in STYLES.items()),
        Column(ui("trend"), drop=1),
    ]
    rows = [
        [
            one["aspect"],
            ui.number(one["texts"]),
            *(ui.number(one[p]) for p in STYLES),
            ui(one["change"]) if one.get("change") else "",
        ]
        for one in found[:ASPECTS]
    ]
    show_table(console, columns, rows)


def _quotes(console: Console, quotes: dict[str, Any], ui: Ui) -> None:
    _heading(console, ui("typical"))
    for label, own in quotes["typical"].items():
        for quote in own[:QUOTES]:
            line = Text(f"{ui.label(label)}: ", style=STYLES.get(label, "bold"))
            line.append(printable(quote["text"], len(quote["text"])), style="not bold default")
            console.print(line)
