"""nlpkit cascade: join a fast model and one to ask where it is unsure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nlpkit.cli import options as o

if TYPE_CHECKING:
    from nlpkit.jobs.cascade import Built

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: nlpkit cascade sentiment export/mine --dev dev.csv -o export/both")
def cascade(
    fast: Annotated[str, typer.Argument(metavar="FAST", help="The model that reads every text.")],
    best: Annotated[
        str, typer.Argument(metavar="BEST", help="The model that is asked about some of them.")
    ],
    dev: Annotated[
        list[str],
        typer.Option(
            metavar="FILE",
            help="Labelled dev rows, on which the threshold is chosen; repeat for more files, "
            "which count alike.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="The bundle's folder.")
    ],
    share: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Share of the texts that BEST is asked about; 0.2 if left out."
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            metavar="DOCS/S",
            help="Documents a second to reach on this machine, in place of --share.",
        ),
    ] = None,
    column: o.Column = None,
    label: o.Label = None,
    rename: o.Rename = None,
    encoding: o.Encoding = "utf-8",
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="table or json.")] = "table",
) -> None:
    """Join two models of the same labels in a bundle that is fast and almost as good as BEST.

    FAST answers where its highest probability is above a threshold. Elsewhere the probabilities of
    both are added. Threshold, weight and temperature are chosen on the dev rows.
    """
    from dataclasses import asdict

    from nlpkit.cli.screen.json import print_json
    from nlpkit.errors import UsageError
    from nlpkit.jobs.cascade import build

    if to not in ("table", "json"):
        raise UsageError(f"--to {to}: not one of table, json")
    if share is not None and budget is not None:
        raise UsageError("--share and --budget exclude each other; give one")
    built = build(
        fast,
        best,
        dev,
        output,
        share=share,
        budget=budget,
        text=column,
        label=label,
        encoding=encoding,
        names=o.renamed(rename),
    )
    if to == "json":
        print_json({"rule": asdict(built.rule), "curve": [asdict(p) for p in built.curve]})
    else:
        _show(built)


def _show(built: Built) -> None:
    from nlpkit.cli.screen.cascade import show_curve
    from nlpkit.cli.screen.console import Console
    from nlpkit.errors import quoted

    console = Console(highlight=False)
    show_curve(console, built.curve, built.point.share)
    if built.point.score <= built.curve[0].score:
        note = "on these dev rows, asking BEST does not help; more rows would tell better"
        Console(stderr=True, highlight=False, soft_wrap=True).print(note, style="yellow")
    console.print(
        f"wrote {quoted(built.folder)}\nnext: nlpkit predict --model {quoted(built.folder)} FILE",
        markup=False,
    )
