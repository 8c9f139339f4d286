"""nlpkit tune: search architectures and settings by training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nlpkit.tuning.trial import Outcome

app = typer.Typer(add_completion=False)
LIMITS = "Limits for candidates"


@app.command(epilog="Example: nlpkit tune recipe.toml --budget 30m --max-size 4M --arch atnet,lstm")
def tune(
    recipe: Annotated[
        str, typer.Argument(help="A recipe: a TOML file, its folder, or a bundled model's name.")
    ],
    budget: Annotated[
        str, typer.Option(metavar="TIME", help="Wall time for everything: 90s, 30m, 2h, 1h30m.")
    ] = "30m",
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The dev score to optimise, such as macro_f1, accuracy or ece (errors are "
            "minimised); the task's if left out.",
        ),
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option(
            metavar="A,B", help="Architectures to search: atnet,lstm; all that suit if left out."
        ),
    ] = None,
    trials: Annotated[int | None, typer.Option(help="Most candidates to try.", min=1)] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="The search's folder; runs/NAME-tuned if left out.",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the search in the folder.")
    ] = False,
    seed: Annotated[
        int, typer.Option(help="Seed of the search; train.seed is that of training.")
    ] = 1,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Fix a setting, such as train.epochs=3."),
    ] = None,
    max_size: Annotated[
        str | None,
        typer.Option(
            metavar="BYTES",
            help="Largest model file, such as 500K, 4M or 1G (K is 1,000 bytes): the int8 file of "
            "'nlpkit export', or fp32 if the recipe exports no int8. Estimated before training.",
            rich_help_panel=LIMITS,
        ),
    ] = None,
    min_speed: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            help="Fewest documents a second through the network on one core of this machine, "
            "measured by torch on dev documents before training.",
            rich_help_panel=LIMITS,
            min=0,
        ),
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="NAME", help="Where to train: auto, cpu or cuda[:N].")
    ] = "auto",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress.")] = False,
) -> None:
    """Search architectures and settings by training real runs; keep the best one.

    The first candidate is the unchanged recipe, so the best is never worse than it on dev.
    Ctrl-C keeps the best so far; --resume continues the search.
    """
    import time

    from nlpkit.jobs import tune as job

    started = time.monotonic()
    seconds = job.seconds(budget)
    max_bytes = job.size(max_size) if max_size else None
    architectures = [name.strip() for name in arch.split(",")] if arch else []
    branches = job.branches(recipe, architectures, settings or [])
    folder = output or Path("runs") / f"{branches[0].base.name}-tuned"

    from nlpkit.cli.screen.trials import TrialsProgress

    with TrialsProgress(branches, deadline=started + seconds, quiet=quiet) as progress:
        outcome = job.tune(
            branches,
            folder,
            deadline=started + seconds,
            metric=metric,
            trials=trials,
            max_bytes=max_bytes,
            min_speed=min_speed,
            seed=seed,
            device=device,
            resume=resume,
            listener=progress,
        )
    progress.finish(outcome, folder)
    _leave(outcome, folder)


def _leave(outcome: Outcome, folder: Path) -> None:
    from nlpkit.errors import NlpkitError

    if outcome.interrupted:
        raise typer.Exit(130)
    if not outcome.best:
        raise NlpkitError(
            f"no candidate got a score; {folder / 'trials.jsonl'} has the reasons; give "
            "a larger --budget or loosen the limits"
        )
