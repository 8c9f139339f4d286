"""nlpkit pipe: run several steps in one process."""

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


@app.command(
    epilog="Example: nlpkit pipe 'clean | tokenize | lemmatize | stopwords' reviews.txt\n"
    "A TOML file holds a list of steps:\n"
    '  steps = ["clean --for reviews", {name = "stopwords", keep = "none"}]'
)
def pipe(
    chain: Annotated[
        str, typer.Argument(help="Steps: 'clean --for reviews | tokenize', or a .toml file.")
    ],
    inputs: o.Inputs = None,
    lang: Annotated[
        str | None,
        typer.Option(
            metavar="LANG", help="Language of every step without its own --lang: pt, en or auto."
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show each step's result for the first three documents."),
    ] = False,
    source: o.From = None,
    column: o.Column = None,
    sheet: o.Sheet = None,
    encoding: o.Encoding = "utf-8",
    errors: o.Errors = "strict",
    to: o.To = None,
    output: o.Output = "-",
    dialect: o.Dialect = None,
    into: Into = None,
    workers: Workers = 1,
) -> None:
    """Run several steps in one process, with the same result as a shell pipe.

    'nlpkit steps' lists the steps. A TOML file may hold a chain of steps.
    """
    from nlpkit.cli.step_command import reading_of, run
    from nlpkit.settings.links import in_language, links_of, read

    links = read(chain) if chain.endswith(".toml") else links_of([chain])
    if lang:
        links = in_language(links, lang)
    if dry_run:
        reading = reading_of("pipe clean", inputs, source, column, sheet, encoding, errors)
        _preview(links, reading)
        return
    run(
        links,
        inputs=inputs,
        source=source,
        column=column,
        sheet=sheet,
        encoding=encoding,
        errors=errors,
        to=to,
        output=output,
        dialect=dialect,
        into=into,
        workers=workers,
    )


def _preview(links: list[Link], reading: Reading) -> None:
    """Print a block for each document: the text, then the result of each step."""
    from rich.text import Text

    from nlpkit.cli.screen.console import Console, printable
    from nlpkit.jobs import steps as job

    console = Console(highlight=False)
    names = ["text", *(link.name for link in links)]
    width = max(map(len, names))
    for number, lines in enumerate(job.preview(links, job.first_texts(reading, SHOWN)), 1):
        console.print(Text(f"document {number}", style="bold"))
        for name, text in zip(names, lines, strict=True):
            console.print(Text(f"  {name:<{width}}  ", style="cyan"), end="")
            room = max(console.width - width - 4, 10)
            shown = Text(printable(text, len(text))).wrap(console, room)
            console.print(Text(f"\n{' ' * (width + 4)}").join(shown), soft_wrap=True)
