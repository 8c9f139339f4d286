"""nlpkit sentiment: label each text negative, neutral or positive."""

from __future__ import annotations

import typer

from nlpkit.cli import options as o

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: nlpkit sentiment reviews.csv --column review > labelled.csv")
def sentiment(
    inputs: o.Inputs = None,
    model: o.Model = "sentiment",
    source: o.From = None,
    column: o.Column = None,
    sheet: o.Sheet = None,
    encoding: o.Encoding = "utf-8",
    errors: o.Errors = "strict",
    whole: o.Whole = False,
    to: o.To = None,
    output: o.Output = "-",
    dialect: o.Dialect = None,
    into: o.Into = None,
    by: o.By = None,
    min_confidence: o.MinConfidence = 0.0,
    line_buffered: o.LineBuffered = False,
    device: o.Device = "auto",
    precision: o.Precision = "auto",
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Label each text negative, neutral or positive.

    Reads one document per line, or a field of CSV, TSV, JSON, JSONL or Excel. Writes one line for
    each document, in order. Works offline, in Portuguese and English.
    """
    from nlpkit.cli.answering import answer_all
    from nlpkit.jobs.predict import labeller

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
        by=by,
        min_confidence=min_confidence,
        line_buffered=line_buffered,
        device=device,
        precision=precision,
        quiet=quiet,
        verbose=verbose,
        adapt=labeller,
    )
