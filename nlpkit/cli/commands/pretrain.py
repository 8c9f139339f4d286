"""nlpkit pretrain: pretrain a network on text without labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)


@app.command(
    epilog="Example: nlpkit pretrain pretrain-mlm -o runs/pretrained\n"
    "Several GPUs, or hosts that share the folder:\n"
    "  torchrun --nproc-per-node N -m nlpkit pretrain RECIPE -o DIR"
)
def pretrain(
    recipe: Annotated[
        str,
        typer.Argument(help="A pretraining recipe: a TOML file, its folder, or a bundled name."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="The run's folder; runs/NAME if left out."
        ),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help="Start from a run's tokenizer and weights: --set init.run=RUN."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Override a setting, such as pretrain.steps=500."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue from the folder's last checkpoint.")
    ] = False,
    device: Annotated[str, typer.Option(metavar="NAME", help="auto, cpu or cuda[:N].")] = "auto",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress.")] = False,
) -> None:
    """Pretrain a network on text without labels; 'nlpkit train --init' starts from it."""
    from nlpkit.cli.options import named
    from nlpkit.cli.screen.training import TrainingProgress
    from nlpkit.jobs import pretrain as job
    from nlpkit.jobs.train import run_or

    overrides = list(settings or [])
    overrides += named("--init", "init.run", init)
    made = job.load_recipe(recipe, overrides)
    folder = output or run_or(recipe, Path("runs") / made.name)
    with TrainingProgress(quiet=quiet) as progress:
        summary = job.pretrain(made, folder, device=device, resume=resume, listener=progress)
    if summary and not quiet:
        progress.finish_pretraining(summary, folder)
