"""nlpkit evaluate: score a model on labelled data."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nlpkit.cli import _options as o

app = typer.Typer()


@app.command(epilog="Example: nlpkit evaluate sentiment test.jsonl --to json")
def evaluate(
    model: Annotated[str, typer.Argument(help="A bundle's name or path, or a run's folder.")],
    data: Annotated[list[str], typer.Argument(help="Files with a text and a label in each row.")],
    column: Annotated[
        str, typer.Option("--column", "-c", help="The field that holds the text.")
    ] = "text",
    label: Annotated[str, typer.Option(help="The field that holds the true label.")] = "label",
    to: Annotated[str, typer.Option(help="table or json.")] = "table",
    device: o.Device = "auto",
    precision: o.Precision = "auto",
) -> None:
    """Report accuracy, macro-F1 with its interval, each class, confusion and calibration."""
    import json

    from nlpkit.errors import UsageError
    from nlpkit.jobs import evaluate as job

    if to not in ("table", "json"):
        raise UsageError(f"--to {to}: not one of table, json")
    opened = job.open_model(model, device=device, precision=precision)
    scores = job.evaluate(opened, data, text=column, label=label)
    if to == "json":
        print(json.dumps(scores, ensure_ascii=False))
    else:
        _show(scores)


def _show(scores: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    low, high = scores["macro_f1_interval"]
    console.print(
        f"{scores['model']} on {', '.join(scores['data'])}: {scores['n']:,} documents\n"
        f"macro-F1 [bold]{scores['macro_f1']:.4f}[/] (95% {low:.4f} to {high:.4f})  "
        f"accuracy {scores['accuracy']:.4f}  ECE {scores['ece']:.4f}  "
        f"{scores['docs_per_second']:,.0f} docs/s on {scores['provider']}"
    )
    table = Table("label", "precision", "recall", "F1", "support")
    for column in table.columns[1:]:
        column.justify = "right"
    for place, (label, row) in enumerate(scores["per_class"].items()):
        table.add_column(f"said {label}", justify="right")
        numbers = [f"{row[key]:.4f}" for key in ("precision", "recall", "f1")]
        cells = [f"{count:,}" for count in scores["confusion"][place]]
        table.add_row(label, *numbers, f"{row['support']:,}", *cells)
    console.print(table)
