"""nlpkit export: export a run as ONNX files, checked against torch."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: nlpkit export runs/mine --output export/mine --precision fp32,int8")
def export(
    run: Annotated[str, typer.Argument(help="The folder of a finished run.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Folder of the bundle; it names the model."
        ),
    ],
    precision: Annotated[
        str | None,
        typer.Option(
            metavar="A,B", help="Files to write: fp32,int8,int4,fp16; the recipe's if left out."
        ),
    ] = None,
    dev: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Dev files to use instead of the recipe's."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Override a limit, such as export.max_score_drop=0.01.",
        ),
    ] = None,
) -> None:
    """Export a run as a bundle of ONNX files, checked against torch.

    The check compares the outputs of both over a grid of shapes, alone and padded, and on the dev
    data. Exit code 6: they differ too much, and no file is written.
    """
    import json

    from nlpkit.jobs.export import export as job

    overrides = list(settings or [])
    if precision is not None:
        overrides.append(f"export.precisions={json.dumps(precision.split(','))}")
    if dev:
        overrides.append(f"data.dev={json.dumps([str(Path(path).resolve()) for path in dev])}")
        overrides.append("data.exclude=[]")
    shown = _Reports()
    manifest = job(run, output, overrides=overrides, listener=shown)
    shown.finish(manifest, output)


class _Reports:
    """A listener that prints a line for each precision as it is checked."""

    def __init__(self) -> None:
        from nlpkit.cli.screen.console import Console

        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.seen = False

    def __call__(self, report: Any) -> None:
        if not self.seen:
            self.seen = True
            self.console.print(
                f"[bold]{'precision':<10}{'MB':>7}{'|logit|':>10}{'|padding|':>11}"
                f"{'same answer':>12}{'dev score':>10}{'lost':>9}{'docs/s':>10}[/]"
            )
        self.console.print(
            f"{report.precision:<10}{report.bytes / 1e6:>7.2f}{report.logit_diff:>10.1e}"
            f"{report.padding_diff:>11.1e}{report.agreement:>12.2%}{report.score:>10.4f}"
            f"{report.score_drop:>9.4f}{report.docs_per_second:>10,.0f}"
        )

    def finish(self, manifest: dict[str, Any], folder: Path) -> None:
        """Print the bundle's folder and the next command."""
        from nlpkit.exporting.card import continues_prompts

        command = "generate" if continues_prompts(manifest) else "predict"
        self.console.print(
            f"passed; wrote {folder} (a CPU loads {manifest['cpu_precision']})\n"
            f"next: nlpkit {command} --model {quote(str(folder))} FILE",
            markup=False,
        )
