"""nlpkit translate: translate texts between English and Portuguese."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nlpkit.cli import options as o

if TYPE_CHECKING:
    from nlpkit.runtime.model import Model

app = typer.Typer(add_completion=False)

Pair = Annotated[
    str,
    typer.Option(
        "--lang", "-l", metavar="FROM-TO", help="en-pt or pt-en.", rich_help_panel=o.RUNNING
    ),
]
Name = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Model by name or path. Default: translate-FROM-TO.",
        rich_help_panel=o.RUNNING,
    ),
]
Beams = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=64,
        metavar="N",
        help="Beams of the search; more are slower. Default: the model's own.",
        rich_help_panel=o.RUNNING,
    ),
]
To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="FORMAT",
        help="Output format, such as jsonl, csv, xlsx. Left out: as the input came.",
        rich_help_panel=o.WRITING,
    ),
]
Into = Annotated[
    str | None,
    typer.Option(
        metavar="FIELD",
        help="Field for the translation ('translation').",
        rich_help_panel=o.WRITING,
    ),
]


@app.command(epilog="Example: nlpkit translate --lang en-pt --column review reviews.csv")
def translate(
    lang: Pair,
    inputs: o.Inputs = None,
    model: Name = None,
    beams: Beams = None,
    source: o.From = None,
    column: o.Column = None,
    sheet: o.Sheet = None,
    encoding: o.Encoding = "utf-8",
    errors: o.Errors = "strict",
    whole: o.Whole = False,
    to: To = None,
    output: o.Output = "-",
    dialect: o.Dialect = None,
    into: Into = None,
    line_buffered: o.LineBuffered = False,
    device: o.Device = "auto",
    precision: o.Precision = "auto",
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Translate texts, sentence by sentence, between English and Portuguese.

    Reads one document per line, a field of CSV, TSV, JSON, JSONL or Excel, or whole files. Lines
    become lines; other records get a field. Addresses, mark-up and numbers are copied as they are.
    """
    from nlpkit.cli.answering import answer_all
    from nlpkit.jobs.translate import check_pair, translator

    check_pair(lang)  # before a model of that name is looked for

    def adapt(loaded: Model) -> Any:
        return translator(loaded, lang, beams)

    answer_all(
        model=model or f"translate-{lang}",
        inputs=inputs,
        source=source,
        column=column,
        sheet=sheet,
        encoding=encoding,
        errors=errors,
        whole=whole,
        to=to,
        output=output,
        dialect=dialect,
        into=into,
        by=None,
        min_confidence=0.0,
        line_buffered=line_buffered,
        device=device,
        precision=precision,
        quiet=quiet,
        verbose=verbose,
        adapt=adapt,
        example="echo 'Good morning.' | nlpkit translate --lang en-pt",
    )
