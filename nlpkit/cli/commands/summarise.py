"""nlpkit summarise: cut texts down to their most important sentences."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from nlpkit.cli import options as o
from nlpkit.language.detect import Lang

app = typer.Typer(add_completion=False)

SUMMARY = "Summary"
Sentences = Annotated[
    int | None,
    typer.Option(
        "--sentences",
        "-n",
        metavar="N",
        help="Most sentences of a summary.  [default: 3]",
        rich_help_panel=SUMMARY,
    ),
]
Ratio = Annotated[
    str | None,
    typer.Option(
        metavar="SHARE",
        help="Share of the sentences instead, such as 20%; at least one.",
        rich_help_panel=SUMMARY,
    ),
]
Method = Annotated[
    Literal["extract", "generate"],
    typer.Option(
        help="Choose sentences of the text, or write a title with a model.",
        rich_help_panel=SUMMARY,
    ),
]
Name = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Model of --method generate, by name or path.",
        rich_help_panel=o.RUNNING,
    ),
]
Language = Annotated[
    Lang,
    typer.Option(help="Language of the texts; auto detects it for each.", rich_help_panel=SUMMARY),
]
To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="FORMAT",
        help="Output format, such as tsv, csv, jsonl, xlsx. Left out: as the input came.",
        rich_help_panel=o.WRITING,
    ),
]
Into = Annotated[
    str | None,
    typer.Option(
        metavar="FIELD", help="Field for the summary ('summary').", rich_help_panel=o.WRITING
    ),
]


@app.command(epilog="Example: nlpkit summarise --whole report.txt --sentences 5")
def summarise(
    inputs: o.Inputs = None,
    sentences: Sentences = None,
    ratio: Ratio = None,
    lang: Language = "pt",
    method: Method = "extract",
    model: Name = "title-pt",
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
    """Cut texts down to their most important sentences, in the order of the text.

    Reads one document per line, a field of CSV, TSV, JSON, JSONL or Excel, or whole files. Lines
    become lines, with the sentences of a summary joined by spaces; other records get a field.
    Works offline, in Portuguese and English.
    """
    from nlpkit.cli.answering import answer_all
    from nlpkit.errors import UsageError
    from nlpkit.jobs.summarise import extracts, titles

    if method == "generate" and (sentences, ratio) != (None, None):
        raise UsageError("--method generate writes one line; leave out --sentences and --ratio")
    answer_all(
        model=model if method == "generate" else extracts(lang, sentences, ratio),
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
        adapt=titles,
        example="cat report.txt | nlpkit summarise --whole",
    )
