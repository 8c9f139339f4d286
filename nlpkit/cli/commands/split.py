"""nlpkit split: split rows into training, development and test files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from nlpkit.cli import options as o

if TYPE_CHECKING:
    from rich.table import Table

    from nlpkit.jobs.split import Report

app = typer.Typer(add_completion=False)

LABELS = 20  # labels in the table; a wrong column has thousands
SPLITTING = "Splitting"


@app.command(epilog="Example: nlpkit split reviews.csv --column review --dev 10% --test 10%")
def split(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="File of rows, which is read more than once (no pipe)."
        ),
    ],
    dev: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", help="Rows of NAME.dev: 10% or 500.", rich_help_panel=SPLITTING
        ),
    ] = None,
    test: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", help="Rows of NAME.test: 10% or 500.", rich_help_panel=SPLITTING
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD",
            help="Stratify by this field ('label').",
            rich_help_panel=SPLITTING,
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(help="Random seed.", rich_help_panel=SPLITTING),
    ] = 1,
    source: o.From = None,
    column: o.Column = None,
    sheet: o.Sheet = None,
    encoding: o.Encoding = "utf-8",
    errors: o.Errors = "strict",
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Folder to write to. Default: that of FILE.",
            rich_help_panel=o.WRITING,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace existing files.", rich_help_panel=o.WRITING)
    ] = False,
    to: Annotated[
        str, typer.Option(help="Format of the report: table or json.", rich_help_panel=o.WRITING)
    ] = "table",
) -> None:
    """Split rows into NAME.train, NAME.dev and NAME.test: stratified, copies of a text together.

    Two texts are copies if they have the same letters; case, punctuation,
    links and @names are ignored, as in debug-data. Rows keep their order
    and all fields.
    """
    import json

    from nlpkit.errors import UsageError
    from nlpkit.jobs.split import split as job

    if to not in ("table", "json"):
        raise UsageError(f"--to {to}: not one of table, json")
    report = job(
        file,
        dev=dev,
        test=test,
        label=label,
        column=column,
        sheet=sheet,
        format=source,
        encoding=encoding,
        errors=errors,
        seed=seed,
        output=output,
        force=force,
    )
    if to == "json":
        print(json.dumps(report.plain(), ensure_ascii=False))
        return
    _show(report)


def _show(report: Report) -> None:
    from rich.text import Text

    from nlpkit.cli.screen.console import Console, printable

    console = Console(highlight=False)
    console.print(_table(report))
    paths = ", ".join(part.path for part in report.parts)
    console.print(Text(printable(f"wrote {paths}", len(paths)), style="dim"))
    if report.copies:
        console.print(
            Text(
                f"{report.copies:,} rows share their text with another and stay together",
                style="dim",
            )
        )
    for note in report.notes:
        print(f"nlpkit: {note}", file=sys.stderr)


def _table(report: Report) -> Table:
    """Return a table of rows by label and part: the commonest labels, then all others."""
    from rich.table import Table
    from rich.text import Text

    from nlpkit.cli.screen.console import printable

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(Text(printable(report.label or "", 40)), overflow="ellipsis")
    for part in report.parts:
        table.add_column(part.name, justify="right")
    counts = [part.labels for part in report.parts]
    labels = list(counts[0])
    for label in labels[:LABELS]:
        name = Text(printable(label, 80) or "(empty)", no_wrap=True)
        table.add_row(name, *(f"{of_part[label]:,}" for of_part in counts))
    if others := labels[LABELS:]:
        sums = (sum(of_part[label] for label in others) for of_part in counts)
        table.add_row(f"{len(others):,} others", *(f"{rows:,}" for rows in sums), style="dim")
    table.add_row("rows", *(f"{part.rows:,}" for part in report.parts), style="bold")
    return table
