"""nlpkit predict: label documents with any model."""

from __future__ import annotations

import io
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer

from nlpkit.cli import _options as o

if TYPE_CHECKING:
    from nlpkit.jobs.predict import Answer, Reading
    from nlpkit.runtime.model import Model

SPREADSHEETS = {".xlsx", ".xls", ".ods"}

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: nlpkit predict --model sentiment-lstm --column review data.csv")
def predict(
    model: o.Model,
    inputs: o.Inputs = None,
    source: o.From = None,
    column: o.Column = None,
    encoding: o.Encoding = "utf-8",
    errors: o.Errors = "strict",
    whole: o.Whole = False,
    to: o.To = None,
    output: o.Output = "-",
    into: o.Into = "label",
    min_confidence: o.MinConfidence = 0.0,
    line_buffered: o.LineBuffered = False,
    device: o.Device = "auto",
    precision: o.Precision = "auto",
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Label each document with a model: one line out for each line in.

    The general form of 'nlpkit sentiment': any bundle, by name or path.
    """
    from nlpkit import catalog
    from nlpkit.errors import UsageError
    from nlpkit.jobs.predict import Reading

    if not inputs and _is_terminal(sys.stdin):
        raise UsageError("name a file, or pipe text in: echo 'Adorei!' | nlpkit sentiment")
    formats = [name for name in catalog.names("records") if name != "lines"]
    if to is not None and to not in formats:
        raise UsageError(f"--to {to}: not one of {', '.join(formats)}")
    reading = Reading(
        inputs=inputs or ["-"],
        format=source,
        column=column,
        encoding=encoding,
        errors=errors,
        whole=whole,
    )
    loaded = _load(model, device, precision, verbose)
    if to is None and output == "-" and _is_terminal(sys.stdout):
        from nlpkit.cli._table import show

        show(loaded, reading, quiet=quiet, min_confidence=min_confidence)
    else:
        count = _write(loaded, reading, to, output, into, min_confidence, line_buffered)
        if output != "-" and not quiet and _is_terminal(sys.stderr):
            print(f"nlpkit: wrote {output}: {count:,} documents", file=sys.stderr)


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _load(name: str, device: str, precision: str, verbose: bool) -> Model:
    import nlpkit

    loaded = nlpkit.load(name, device=device, precision=precision)
    if verbose:
        print(f"nlpkit: {loaded.name} on {loaded.provider}", file=sys.stderr)
    return loaded


def _write(
    model: Model,
    reading: Reading,
    to: str | None,
    output: str,
    into: str,
    min_confidence: float,
    line_buffered: bool,
) -> int:
    from nlpkit import records
    from nlpkit.errors import UsageError
    from nlpkit.jobs.predict import predictions, write

    came = reading.formats()
    plain = came == {"lines"}
    named = records.format_of(output)
    if Path(output).suffix.lower() in SPREADSHEETS:
        raise UsageError(f"--output {output}: spreadsheets are not written; name it .csv or .tsv")
    alike = next(iter(came)) if len(came) == 1 else "jsonl"  # the only one that holds them all
    format = to or (named if named != "lines" else "tsv" if plain else alike)
    with records.write_output(output) as stream:
        if line_buffered and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)
        said = predictions(model, reading, stream.flush, min_confidence=min_confidence)
        return write(_warned(said, into), stream, format, plain=plain, into=into)


def _warned(answers: Iterator[Answer], into: str) -> Iterator[Answer]:
    """Say once on stderr that a field of the input is about to be replaced."""
    from nlpkit.jobs.predict import fields

    for item in itertools.islice(answers, 1):
        if taken := [field for field in fields(into) if field in item.record]:
            print(
                f"nlpkit: the input's own {' and '.join(map(repr, taken))} will be replaced; "
                "--into NAME writes the answer elsewhere",
                file=sys.stderr,
            )
        yield item
    yield from answers
