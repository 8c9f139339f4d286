"""nlpkit explain: show which words decide a model's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from nlpkit.cli import options as o

if TYPE_CHECKING:
    from nlpkit.records.reading import Reading

app = typer.Typer(add_completion=False)

DRAWING = "Attention matrix"

Method = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="occlusion (any model), attention (bundles that attend) or gradient (runs).",
        rich_help_panel=o.RUNNING,
    ),
]
Label = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Explain this label, or entities of this type. Default: the model's answer.",
        rich_help_panel=o.RUNNING,
    ),
]
Faithful = Annotated[
    bool,
    typer.Option(
        "--faithfulness/--no-faithfulness",
        help="Measure whether the words decide; takes about as long again.",
        rich_help_panel=o.RUNNING,
    ),
]
Matrix = Annotated[
    str | None,
    typer.Option(
        metavar="SVG",
        help="Draw the attention of the first text instead; for a translation, to its source.",
        rich_help_panel=DRAWING,
    ),
]
Layer = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="With --matrix: the layer. Default: the last.",
        rich_help_panel=DRAWING,
    ),
]
Head = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="With --matrix: the head. Default: their mean.",
        rich_help_panel=DRAWING,
    ),
]
To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="FORMAT",
        help="jsonl, csv, tsv, xlsx or html. Default: coloured text, or as the input; lines "
        "become jsonl.",
        rich_help_panel=o.WRITING,
    ),
]


@app.command(epilog="Example: echo 'Não gostei da entrega' | nlpkit explain")
def explain(
    inputs: o.Inputs = None,
    model: o.Model = "sentiment",
    method: Method = "occlusion",
    label: Label = None,
    faithfulness: Faithful = True,
    matrix: Matrix = None,
    layer: Layer = None,
    head: Head = None,
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
    line_buffered: o.LineBuffered = False,
    device: o.Device = "auto",
    precision: o.Precision = "auto",
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Show which words decide a model's answers, and whether they really do.

    Reads documents as 'nlpkit sentiment' does. Each word gets a weight, for the label or against
    it. With them come comprehensiveness and sufficiency: how much the score falls without the
    strongest words, and with these alone, beside random words.
    """
    from nlpkit.cli.answering import answer_all
    from nlpkit.errors import UsageError
    from nlpkit.jobs.explain import draw_matrix, open_explainer, write_page
    from nlpkit.records.reading import Reading as Inputs

    if matrix is not None:
        reading = Inputs(
            inputs=inputs or ["-"],
            format=source,
            column=column,
            encoding=encoding,
            errors=errors,
            whole=whole,
            sheet=sheet,
        )
        draw_matrix(
            model, reading, matrix, layer=layer, head=head, device=device, precision=precision
        )
        return
    if layer is not None or head is not None:
        raise UsageError("--layer and --head go with --matrix")
    explainer = open_explainer(
        model, method, label=label, faithful=faithfulness, device=device, precision=precision
    )

    def page(loaded: object, reading: Reading, least: float, stream: TextIO) -> int:
        title = ", ".join(name for name in reading.inputs if name != "-") or "Explanations"
        return write_page(explainer, reading, stream, title)

    answer_all(
        model=explainer,
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
        writers={"html": page},
        example="echo 'Não gostei' | nlpkit explain",
    )
