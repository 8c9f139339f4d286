"""nlpkit debug-data: check labelled data before training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nlpkit.cli import options as o

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console
    from rich.text import Text

    from nlpkit.checking.findings import Example, Finding
    from nlpkit.checking.report import Report, Summary

app = typer.Typer(add_completion=False)

LABELS = 6  # most labels shown for a file, the commonest first
FILES = 4  # most files shown for a finding
PLACES = 60  # longest place of an example that shares a line with the text, in characters
MARKS = {"error": ("✗", "red"), "warning": ("!", "yellow"), "info": ("-", "blue")}
CHECKING = "Checking"


@app.command(epilog="Example: nlpkit debug-data train.csv dev.csv --column review --label stars")
def debug_data(
    data: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="Data files, with 'train', 'dev' or 'test' in the name for the split; or one "
            "recipe of 'nlpkit train'.",
        ),
    ],
    column: o.Column = None,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD",
            help="The field that holds the label ('label').",
            rich_help_panel=o.READING,
        ),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Encoding of the files ('utf-8').", rich_help_panel=o.READING
        ),
    ] = None,
    lang: Annotated[
        str | None,
        typer.Option(
            metavar="LANG",
            help="Language of the texts: pt, en or any; the recipe's if left out.",
            rich_help_panel=CHECKING,
        ),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Tokens in a window. Default: from the recipe or --model.",
            rich_help_panel=CHECKING,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            help="Count tokens with this model's tokenizer. Default: estimate them from words.",
            rich_help_panel=CHECKING,
        ),
    ] = None,
    to: Annotated[
        str, typer.Option(metavar="FORMAT", help="table or json.", rich_help_panel=o.WRITING)
    ] = "table",
    show: Annotated[
        int, typer.Option(min=0, help="Most examples of a finding.", rich_help_panel=o.WRITING)
    ] = 3,
) -> None:
    """Check labelled data before training: copies, contradictions, damage, labels, language.

    Exit code 1: there are errors to fix before training. Warnings alone exit with 0.
    """
    from nlpkit.cli.screen.json import print_json
    from nlpkit.errors import UsageError
    from nlpkit.jobs import debug_data as job

    if to not in ("table", "json"):
        raise UsageError(f"--to {to}: not one of table, json")
    report = job.debug_data(
        data,
        text=column,
        label=label,
        encoding=encoding,
        lang=lang,
        model=model,
        window=window,
        show=show,
    )
    if to == "json":
        print_json(report.plain())
    else:
        _show(report)
    if report.counts["error"]:
        raise typer.Exit(1)


def _show(report: Report) -> None:
    from rich.text import Text

    from nlpkit.cli.screen.console import Console

    console = Console(highlight=False)
    root = _root(report.files)
    if root:
        console.print(Text(f"in {_clean(root)}", style="dim"))
    _show_files(console, report.files, root)
    for finding in report.findings:
        _show_finding(console, finding, root)
    counts = [_count(count, name) for name, count in report.counts.items() if count]
    style = "red" if report.counts["error"] else "green"
    console.print(Text(f"\n{', '.join(counts) or 'nothing found'}", style=f"bold {style}"))


def _show_files(console: Console, files: Sequence[Summary], root: str) -> None:
    from nlpkit.cli.screen.table import Column, show_table

    used = any(file.used is not None for file in files)
    columns = [
        *(Column("file", narrow="cut"), Column("split", drop=2, style="dim")),
        Column("rows", right=True),
        *[Column("used", right=True)] * used,
        *(Column("words", drop=1, right=True), Column("95%", drop=1, right=True)),
        Column("labels", narrow="wrap"),
    ]
    rows = []
    for file in files:
        path, split = file.file.removeprefix(root), file.split.removeprefix(root)
        numbers = [file.rows, *([file.used] if used else []), file.words_median, file.words_95]
        cells = ["" if number is None else f"{number:,}" for number in numbers]
        name = "" if split == path else split
        rows.append([_clean(path), _clean(name), *cells, _labels(file.labels, root)])
    show_table(console, columns, rows)


def _labels(labels: Mapping[str, int], root: str) -> str:
    named = [f"{_clean(label, root)} {count:,}" for label, count in labels.items()]
    more = f", {len(named) - LABELS:,} more" if len(named) > LABELS else ""
    return ", ".join(named[:LABELS]) + more


def _show_finding(console: Console, finding: Finding, root: str) -> None:
    from rich.table import Table
    from rich.text import Text

    mark, style = MARKS[finding.severity]
    grid = Table.grid(padding=(0, 1, 0, 0))
    heading = Text(_clean(finding.message, root), style="bold")
    grid.add_row(
        Text(mark, style=style), heading.append(f"  {finding.check}", style="not bold dim")
    )
    grid.add_row("", Text(_clean(finding.advice, root)))
    files = finding.files
    if len(files) > 1:
        named = [f"{_clean(path, root)} {count:,}" for path, count in list(files.items())[:FILES]]
        more = f" and {len(files) - FILES} more" if len(files) > FILES else ""
        grid.add_row("", Text(f"in {', '.join(named)}{more}", style="dim"))
    console.print()
    console.print(grid)
    for example in finding.examples:
        console.print(_example(example, root), no_wrap=True, overflow="ellipsis")


def _example(example: Example, root: str) -> Text:
    from rich.text import Text

    places = " = ".join(_clean(place, root) for place in example.places)
    line = Text("    ").append(places, style="cyan")
    between = "\n      " if len(line) > PLACES else "  "
    note = f"({_clean(example.note, root)}) " if example.note else ""
    text = _clean(example.text, root)
    return line.append(between).append(note, style="yellow").append(text)


def _count(count: int, severity: str) -> str:
    from nlpkit.wording import plural

    return f"{count:,} info" if severity == "info" else plural(count, severity)


def _root(files: Sequence[Summary]) -> str:
    """Return the common folder of absolute paths, to print it once, or "".

    The paths of a recipe are absolute and long; relative paths are shown as given.
    """
    import os.path
    from pathlib import Path

    folders = [Path(file.file).parent for file in files]
    if not all(folder.is_absolute() for folder in folders):
        return ""
    return os.path.commonpath(folders).rstrip(os.sep) + os.sep


def _clean(text: str, root: str = "") -> str:
    """Return a text without the prefix `root`, with control characters replaced by spaces."""
    return "".join(char if char.isprintable() else " " for char in text.removeprefix(root))
