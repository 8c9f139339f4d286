"""nlpkit evaluate: score a model on labelled data."""

from __future__ import annotations

import sys
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
    rename: Annotated[
        list[str] | None,
        typer.Option(metavar="OLD=NEW", help="Read the true label OLD as NEW, such as 5=positive."),
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
    from nlpkit.cli.screen.json import print_json
    from nlpkit.errors import UsageError
    from nlpkit.jobs import evaluate as job

    if to not in ("table", "json"):
        raise UsageError(f"--to {to}: not one of table, json")
    names = dict(_renaming(item) for item in rename or ())
    opened = job.open_model(model, device=device, precision=precision)
    scores = job.evaluate(
        opened,
        data,
        text=column,
        label=label,
        encoding=encoding,
        names=names,
        min_confidence=min_confidence,
    )
    if scores.warning:
        print(f"nlpkit: {scores.warning}", file=sys.stderr)
    if to == "json":
        print_json(scores.to_dict())
    else:
        _show(scores.to_dict())


def _renaming(item: str) -> tuple[str, str]:
    """Return OLD and NEW of an option. Raises UsageError if it has no =."""
    from nlpkit.errors import UsageError

    old, equals, new = item.partition("=")
    if not (old and equals and new):
        raise UsageError(f"--rename {item}: give OLD=NEW, such as 5=positive")
    return old, new


def _show(scores: dict[str, Any]) -> None:
    from rich.markup import escape

    from nlpkit.cli.screen.console import Console
    from nlpkit.metrics import numbers
    from nlpkit.wording import plural

    console = Console(highlight=False)
    console.print(
        f"{escape(scores['model'])} on {escape(', '.join(scores['data']))}: "
        f"{plural(scores['n'], scores.get('unit', 'documents').removesuffix('s'))}, "
        f"{scores['docs_per_second']:,.0f} documents/s on {scores['provider']}"
    )
    named = {key: value for key, value in numbers(scores).items() if key != "docs_per_second"}
    width = max(map(len, named))
    for key in named:
        low, high = scores.get(f"{key}_interval", (None, None))
        interval = f"  (95%: {low:.4f} to {high:.4f})" if low is not None else ""
        console.print(f"{key:<{width}} [bold]{scores[key]:.4f}[/]{interval}")
    if "per_class" in scores:
        _show_labels(console, scores)


def _show_labels(console: Any, scores: dict[str, Any]) -> None:
    from nlpkit.cli.screen.table import Column, show_table

    shares = ("precision", "recall", "f1")
    columns = [
        *(Column("label"), Column("precision", drop=1, right=True)),
        *(Column("recall", drop=1, right=True), Column("F1", right=True)),
        Column("support", right=True),
        *(Column(f"→{label}", drop=2, right=True) for label in scores["labels"]),
    ]
    rows = [
        [
            *(label, *(f"{row[key]:.4f}" for key in shares), f"{row['support']:,}"),
            *(f"{count:,}" for count in counts),
        ]
        for (label, row), counts in zip(
            scores["per_class"].items(), scores["confusion"], strict=True
        )
    ]
    console.print()
    if show_table(console, columns, rows) == columns:
        console.print("→label: documents of the row that the model gave this label", style="dim")
