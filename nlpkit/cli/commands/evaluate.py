"""nlpkit evaluate: score a model on labelled data."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from nlpkit.cli import options as o

app = typer.Typer(add_completion=False)

CAPABILITIES = "Capabilities"


@app.command(
    epilog="Example: nlpkit evaluate sentiment test.jsonl --to json\n"
    "Example: nlpkit evaluate lm-pt --column review reviews.csv\n"
    "Example: nlpkit evaluate sentiment --capabilities --lang pt --failures"
)
def evaluate(
    model: Annotated[str, typer.Argument(help="A bundle's name or path, or a run's folder.")],
    data: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE",
            help="Files with a text and a label in each row; for a language model, texts alone.",
        ),
    ] = None,
    column: Annotated[str | None, o.column()] = None,
    label: o.Label = None,
    rename: o.Rename = None,
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
    explain: Annotated[
        str | None,
        typer.Option(
            metavar="METHOD",
            help="Explain answers by occlusion, attention or gradient, and report how faithful "
            "the explanations are.",
        ),
    ] = None,
    capabilities: Annotated[
        bool,
        typer.Option(
            "--capabilities",
            help="Test with sentences of nlpkit's own, such as negation and irony; needs no FILE.",
            rich_help_panel=CAPABILITIES,
        ),
    ] = False,
    templates: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TOML",
            help="Test with the templates of this file instead of nlpkit's own.",
            rich_help_panel=CAPABILITIES,
        ),
    ] = None,
    lang: Annotated[
        str,
        typer.Option(
            metavar="CODE",
            help="Test in one language only, such as pt.",
            rich_help_panel=CAPABILITIES,
        ),
    ] = "",
    failures: Annotated[
        bool,
        typer.Option(
            "--failures", help="Show each failed sentence too.", rich_help_panel=CAPABILITIES
        ),
    ] = False,
) -> None:
    """Score a model on labelled data: its main score, each label, a classifier's calibration.

    With --capabilities, no data are needed: sentences from templates test what a classifier of
    sentiment can do, and the failure rate of each capability is printed.
    """
    from nlpkit.cli.screen.json import print_json
    from nlpkit.errors import UsageError
    from nlpkit.jobs import evaluate as job

    if to not in ("table", "json"):
        raise UsageError(f"--to {to}: not one of table, json")
    if capabilities or templates:
        if data or column or label or rename or min_confidence or explain:
            raise UsageError(
                "--capabilities and --templates have their own sentences and labels; "
                "leave out FILE, --column, --label, --rename, --min-confidence and --explain"
            )
        _capabilities(model, templates or [], lang, device, precision, to, failures)
        return
    if lang or failures:
        raise UsageError("--lang and --failures go with --capabilities or --templates")
    if not data:
        raise UsageError("FILE is missing: give labelled files, or --capabilities")
    names = o.renamed(rename)
    if explain:
        from nlpkit.jobs.explain import faithful_scores, method_of, open_for

        opened = open_for(method_of(explain), model, device=device, precision=precision)
    else:
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
    values = scores.to_dict()
    if explain:
        values |= faithful_scores(opened, explain, scores.texts)
    if to == "json":
        print_json(values)
    else:
        _show(values)


def _capabilities(
    model: str,
    templates: list[str],
    lang: str,
    device: str,
    precision: str,
    to: str,
    failures: bool,
) -> None:
    from nlpkit.cli.screen.capabilities import show
    from nlpkit.cli.screen.json import print_json
    from nlpkit.jobs import capabilities as job
    from nlpkit.jobs.evaluate import open_model

    sheets = job.read_sheets(templates, lang)
    report = job.evaluate(open_model(model, device=device, precision=precision), sheets)
    if to == "json":
        print_json(report.to_dict(failures=failures))
    else:
        show(report, failures=failures)


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
    if "not_judged" in scores:
        left_out = ", ".join(f"{label} {n:,}" for label, n in scores["not_judged"].items())
        console.print(f"not judged, since a file has no such label: {left_out}", style="dim")


def _show_labels(console: Any, scores: dict[str, Any]) -> None:
    from nlpkit.cli.screen.table import Column, show_table

    shares = ("precision", "recall", "f1")
    columns = [
        *(Column("label"), Column("precision", drop=1, right=True)),
        *(Column("recall", drop=1, right=True), Column("F1", right=True)),
        Column("support", right=True),
        *(Column(f"→{label}", drop=2, right=True) for label in scores.get("labels", ())),
    ]
    per_class = scores["per_class"]
    rows = [
        [
            *(label, *(f"{row[key]:.4f}" for key in shares), f"{row['support']:,}"),
            *(f"{count:,}" for count in counts),
        ]
        for (label, row), counts in zip(
            per_class.items(), scores.get("confusion", [()] * len(per_class)), strict=True
        )
    ]
    console.print()
    if show_table(console, columns, rows) == columns and "confusion" in scores:
        console.print("→label: documents of the row that the model gave this label", style="dim")
