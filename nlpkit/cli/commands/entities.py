"""nlpkit entities: find the names of people, places, organisations and more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from nlpkit.cli import options as o

if TYPE_CHECKING:
    from nlpkit.records.reading import Reading
    from nlpkit.runtime.model import Answerer, Model

app = typer.Typer(add_completion=False)

Types = Annotated[
    str | None,
    typer.Option(metavar="TYPE,...", help="Find these types only, such as PER,ORG."),
]
To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="FORMAT",
        help="jsonl, csv, tsv, xlsx, conll, spacy, spans (a line for each entity) or html. "
        "Default: coloured text, or as the input; lines become jsonl.",
        rich_help_panel=o.WRITING,
    ),
]
Least = Annotated[float, o.least("entities")]


@app.command(epilog="Example: nlpkit entities reviews.csv --column review --types PER,ORG")
def entities(
    inputs: o.Inputs = None,
    model: o.Model = "entities-pt",
    types: Types = None,
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
    """Find the names of people, places, organisations and more.

    Reads one document per line, or a field of CSV, TSV, JSON, JSONL or Excel. A terminal shows the
    texts in colour. Elsewhere each record gets its list of entities: start, end, type, text, score.
    """
    from nlpkit.cli.answering import answer_all

    wanted = [name.strip() for name in (types or "").split(",") if name.strip()]

    def adapt(loaded: Model) -> Model:
        from nlpkit.jobs.entities import only

        return only(loaded, wanted)

    def spans(loaded: Answerer, reading: Reading, least: float, stream: TextIO) -> int:
        from nlpkit.jobs.entities import located, write_spans

        return write_spans(located(loaded, reading, least), stream)

    def page(loaded: Answerer, reading: Reading, least: float, stream: TextIO) -> int:
        from nlpkit.jobs.entities import located, write_page

        title = ", ".join(name for name in reading.inputs if name != "-") or "Entities"
        return write_page(located(loaded, reading, least), loaded.task.shown, stream, title)

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
        adapt=adapt,
        writers={"spans": spans, "html": page},
    )
