"""nlpkit aspects: find what reviews praise and what they complain of."""

from __future__ import annotations

from typing import Annotated

import typer

from nlpkit.cli import options as o

app = typer.Typer(add_completion=False)

To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="FORMAT",
        help="jsonl, csv, tsv or xlsx. Default: coloured text, or as the input; lines become "
        "jsonl.",
        rich_help_panel=o.WRITING,
    ),
]
Least = Annotated[float, o.least("aspects")]


@app.command(epilog="Example: nlpkit aspects reviews.csv --column review")
def aspects(
    inputs: o.Inputs = None,
    model: o.Model = "aspects-pt",
    source: o.From = None,
    column: o.Column = None,
    sheet: o.Sheet = None,
    encoding: o.Encoding = "utf-8",
    errors: o.Errors = "strict",
    whole: o.Whole = False,
    to: To = None,
    output: o.Output = "-",
    dialect: o.Dialect = None,
    into: o.Into = None,
    min_confidence: Least = 0.0,
    line_buffered: o.LineBuffered = False,
    device: o.Device = "auto",
    precision: o.Precision = "auto",
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Find what reviews praise and what they complain of.

    Reads one document per line, or a field of CSV, TSV, JSON, JSONL or Excel. A terminal shows the
    texts in colour. Elsewhere each record gets its list of aspects: start, end, polarity, text,
    score. 'nlpkit report' counts them over many texts.
    """
    from nlpkit.cli.answering import answer_all
    from nlpkit.jobs.aspects import aspect_finder

    answer_all(
        model=model,
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
        min_confidence=min_confidence,
        line_buffered=line_buffered,
        device=device,
        precision=precision,
        quiet=quiet,
        verbose=verbose,
        adapt=aspect_finder,
        example="echo 'Bom produto, entrega ruim' | nlpkit aspects",
    )
