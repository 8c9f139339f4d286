"""nlpkit predict: run any model on documents."""

from __future__ import annotations

import typer

from nlpkit.cli import options as o

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: nlpkit predict --model sentiment-lstm --column review data.csv")
def predict(
    model: o.Model,
    inputs: o.Inputs = None,
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
    """Run any model on documents and write one line for each.

    The general form of 'nlpkit sentiment': takes any bundle, by name or path.
    """
    from nlpkit.cli.answering import answer_all

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
    )
