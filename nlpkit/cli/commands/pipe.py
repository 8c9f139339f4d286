"""nlpkit pipe: several steps in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nlpkit.cli import options as o
from nlpkit.cli.step_command import Into, Workers

if TYPE_CHECKING:
    from nlpkit.records.reading import Reading
    from nlpkit.settings.links import Link

app = typer.Typer(add_completion=False)
SHOWN = 3


@app.command(epilog="Example: nlpkit pipe 'clean | tokenize | stopwords | lemmatize' reviews.txt")
def pipe(
    chain: Annotated[
        str, typer.Argument(help="Steps: 'clean --for reviews | tokenize', or a .toml file.")
    ],
    inputs: o.Inputs = None,
    lang: Annotated[
        str | None, typer.Option(help="pt, en or auto, for every step that does not say its own.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what each step makes of the first three.")
    ] = False,
    source: o.From = None,
    column: o.Column = None,
    encoding: o.Encoding = "utf-8",
    errors: o.Errors = "strict",
    to: o.To = None,
    output: o.Output = "-",
    dialect: o.Dialect = None,
    into: Into = None,
    workers: Workers = 1,
) -> None:
    """Run steps one after the other, in one process: the same result as a shell pipe of them.

    A TOML file holds steps = ["clean --for reviews", {name = "stopwords", keep = "none"}].
    'nlpkit steps' lists the steps.
    """
    from nlpkit.cli.step_command import reading_of, run
    from nlpkit.settings.links import in_language, links_of, read

    links = read(chain) if chain.endswith(".toml") else links_of([chain])
    if lang:
        links = in_language(links, lang)
    if dry_run:
        _preview(links, reading_of("pipe clean", inputs, source, column, encoding, errors))
        return
    run(
        links,
        inputs=inputs,
        source=source,
        column=column,
        encoding=encoding,
        errors=errors,
        to=to,
        output=output,
        dialect=dialect,
        into=into,
        workers=workers,
    )


def _preview(links: list[Link], reading: Reading) -> None:
    from rich.table import Table
    from rich.text import Text

    from nlpkit.cli.screen.console import Console
    from nlpkit.jobs import steps as job

    rows = job.preview(links, job.first_texts(reading, SHOWN))
    table = Table(
        "", *(f"document {number}" for number in range(1, len(rows) + 1)), show_lines=True
    )
    table.columns[0].style = "bold"
    for place, name in enumerate(["text", *(link.name for link in links)]):
        table.add_row(name, *(Text(row[place]) for row in rows))
    Console(highlight=False).print(table)
