"""nlpkit evaluate: score a model on labelled data."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nlpkit.cli import options as o

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: nlpkit evaluate sentiment test.jsonl --to json")
def evaluate(
    model: Annotated[str, typer.Argument(help="A bundle's name or path, or a run's folder.")],
    data: Annotated[
        list[str], typer.Argument(metavar="FILE", help="Files with a text and a label in each row.")
    ],
    column: Annotated[
        str | None,
        typer.Option(
            "--column", "-c", metavar="FIELD", help="The field that holds the text ('text')."
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(metavar="FIELD", help="The field that holds the true label ('label')."),
    ] = None,
    to: Annotated[str, typer.Option(metavar="FORMAT", help="table or json.")] = "table",
    encoding: o.Encoding = "utf-8",
    device: o.Device = "auto",
    precision: o.Precision = "auto",
    min_confidence: Annotated[
        float,
        typer.Option(
            "--min-confidence",
            min=0,
            max=1,
            metavar="P",
            help="Count only answers with this score or more, and report their share.",
        ),
    ] = 0.0,
) -> None:
    """Score a model on labelled data: macro-F1, each class and calibration of a classifier."""
    import json

    from nlpkit.errors import UsageError
    from nlpkit.jobs import evaluate as job

    if to not in ("table", "json"):
        raise UsageError(f"--to {to}: not one of table, json")
    opened = job.open_model(model, device=device, precision=precision)
    scores = job.evaluate(
        opened,
        data,
        text=column,
        label=label,
        encoding=encoding,
        min_confidence=min_confidence,
    )
    if to == "json":
        print(json.dumps(scores.to_dict(), ensure_ascii=False))
    else:
        _show(scores.to_dict())


def _show(scores: dict[str, Any]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from nlpkit.cli.screen.console import Console
    from nlpkit.metrics import numbers

    console = Console(highlight=False)
    console.print(
        f"{escape(scores['model'])} on {escape(', '.join(scores['data']))}: "
        f"{scores['n']:,} {scores.get('unit', 'documents')}, "
        f"{scores['docs_per_second']:,.0f} documents/s on {scores['provider']}"
    )
    named = {key: value for key, value in numbers(scores).items() if key != "docs_per_second"}
    width = max(map(len, named))
    for key in named:
        low, high = scores.get(f"{key}_interval", (None, None))
        interval = f"  (95%: {low:.4f} to {high:.4f})" if low is not None else ""
        console.print(f"{key:<{width}} [bold]{scores[key]:.4f}[/]{interval}")
    if "per_class" not in scores:
        return
    said = [f"said {escape(label)}" for label in scores["labels"]]
    table = Table("label", "precision", "recall", "F1", "support", *said)
    for column in table.columns[1:]:
        column.justify = "right"
    for place, (label, row) in enumerate(scores["per_class"].items()):
        shares = [f"{row[key]:.4f}" for key in ("precision", "recall", "f1")]
        cells = [f"{count:,}" for count in scores["confusion"][place]]
        table.add_row(escape(label), *shares, f"{row['support']:,}", *cells)
    console.print(table)
