"""nlpkit train: train a model from a recipe, or from files alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nlpkit import catalog
from nlpkit.cli import options as o

app = typer.Typer(add_completion=False)
FILES = "Without a recipe"


@app.command(
    epilog="Example: nlpkit train --arch atnet --train a.jsonl --dev b.csv -o runs/mine\n"
    "Several GPUs or hosts:\n"
    "  torchrun --nproc-per-node N -m nlpkit train RECIPE -o DIR"
)
def train(
    recipe: Annotated[
        str | None,
        typer.Argument(help="A recipe: a TOML file, its folder, or a bundled model's name."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="The run's folder; runs/NAME if left out."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Override a setting, such as train.epochs=3."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue from the folder's last checkpoint.")
    ] = False,
    init: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Start from a run or a bundle; the same as --set init.run=MODEL.",
        ),
    ] = None,
    teacher: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,C",
            help="Bundles or runs to distil from; the same as --set distill.teachers=[...].",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same as --set train.seed=N.")] = None,
    device: Annotated[str, typer.Option(metavar="NAME", help="auto, cpu or cuda[:N].")] = "auto",
    trace: Annotated[
        Literal["gradients"] | None,
        typer.Option(
            metavar="WHAT",
            help="gradients: plot their norm by distance in tokens (see docs/attention.md).",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress.")] = False,
    task: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"The task: {', '.join(catalog.names('tasks'))}; sentiment if left out.",
            rich_help_panel=FILES,
        ),
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The network; see 'nlpkit models architectures'. Left out: that of --init.",
            rich_help_panel=FILES,
        ),
    ] = None,
    decoder: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="For a task that writes: lstm or transformer; without --arch, a language model.",
            rich_help_panel=FILES,
        ),
    ] = None,
    files: Annotated[
        list[str] | None,
        typer.Option(
            "--train",
            metavar="FILE",
            help="File of training rows, with a text and its label; repeat for more files.",
            rich_help_panel=FILES,
        ),
    ] = None,
    dev: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="File of dev rows, which choose the best epoch; repeat for more files.",
            rich_help_panel=FILES,
        ),
    ] = None,
    column: Annotated[
        str | None, o.column("The field that holds the text; the task's own if left out.", FILES)
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD",
            help="The field that holds the label; the task's own if left out.",
            rich_help_panel=FILES,
        ),
    ] = None,
    encoding: Annotated[
        str, typer.Option(metavar="NAME", help="Encoding of the files.", rich_help_panel=FILES)
    ] = "utf-8",
) -> None:
    """Train a model from a recipe, or from files alone.

    --resume continues a killed run, with bit-identical results.
    """
    from nlpkit.cli.options import named
    from nlpkit.cli.screen.training import TrainingProgress
    from nlpkit.jobs import train as job

    overrides = list(settings or [])
    overrides += [f"train.seed={seed}"] if seed is not None else []
    overrides += named("--init", "init.run", init)
    teachers = None if teacher is None else [name.strip() for name in teacher.split(",")]
    overrides += named("--teacher", "distill.teachers", teachers)
    fields = {"text": column, "label": label, "encoding": encoding}
    parts = {"task": task, "architecture": arch, "decoder": decoder}
    made = _recipe(job, recipe, output, overrides, resume, parts, init, files, dev, fields)
    folder = output or job.run_or(recipe, Path("runs") / made.name)
    with TrainingProgress(quiet=quiet) as progress:
        summary = job.train(
            made,
            folder,
            device=device,
            resume=resume,
            listener=progress,
            trace=trace == "gradients",
        )
    if summary and not quiet:
        progress.finish(summary, folder)


def _recipe(
    job: Any,
    recipe: str | None,
    output: Path | None,
    overrides: list[str],
    resume: bool,
    parts: dict[str, str | None],
    init: str | None,
    files: list[str] | None,
    dev: list[str] | None,
    fields: dict[str, str | None],
) -> Any:
    from nlpkit.errors import UsageError

    if recipe:
        if any(parts.values()) or files or dev:
            raise UsageError(
                "a recipe names its own task, data and architecture; override with --set"
            )
        return job.load_recipe(recipe, overrides)
    if (parts["architecture"] or parts["decoder"] or init) and files and dev:
        return job.recipe_from_files(
            parts=parts,
            init=init,
            train=files,
            dev=dev,
            fields=fields,
            overrides=overrides,
        )
    if resume and output and (output / "recipe.toml").exists():
        return job.load_recipe(str(output), overrides)
    raise UsageError(
        "give a recipe, or --train and --dev with --arch, --decoder or --init; "
        "'nlpkit init recipe' writes one"
    )
