"""nlpkit batch: run a model on many files, and resume after an interruption."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nlpkit.cli import options as o

if TYPE_CHECKING:
    from nlpkit.batch.job import Engine

app = typer.Typer(add_completion=False)
RUNNING = o.RUNNING


@app.command(epilog="Example: nlpkit batch reviews/ 'logs/*.csv.gz' -c text -o labelled -w 2")
def batch(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT", help="Files, folders, or patterns in quotes."),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Output folder, with one output for each input."
        ),
    ],
    model: o.Model = "sentiment",
    source: o.From = None,
    column: o.Column = None,
    sheet: o.Sheet = None,
    encoding: o.Encoding = "utf-8",
    to: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT",
            help="Output format, such as tsv, csv, jsonl, xlsx. Default: as each input.",
            rich_help_panel=o.WRITING,
        ),
    ] = None,
    dialect: o.Dialect = None,
    into: o.Into = None,
    min_confidence: o.MinConfidence = 0.0,
    workers: Annotated[
        int,
        typer.Option(
            "--workers", "-w", min=1, help="Number of worker processes.", rich_help_panel=RUNNING
        ),
    ] = 1,
    engine: Annotated[
        Literal["local", "ray"],
        typer.Option(help="Run on this machine (local) or on Ray.", rich_help_panel=RUNNING),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Ray cluster: auto or HOST:PORT. Default: start one here.",
            rich_help_panel=RUNNING,
        ),
    ] = None,
    num_gpus: Annotated[
        float,
        typer.Option(
            "--num-gpus",
            min=0,
            help="With Ray: GPUs for each worker, such as 0.25.",
            rich_help_panel=RUNNING,
        ),
    ] = 0.0,
    shard_size: Annotated[
        int,
        typer.Option(
            min=1,
            help="Records in a shard; a killed worker loses at most one shard.",
            rich_help_panel=RUNNING,
        ),
    ] = 10_000,
    max_rejects: Annotated[
        int | None,
        typer.Option(min=0, help="Stop if there are more bad records.", rich_help_panel=o.READING),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted batch in DIR.")
    ] = False,
    device: o.Device = "auto",
    precision: o.Precision = "auto",
    quiet: o.Quiet = False,
) -> None:
    """Run a model on many files and write one output for each, whole or not at all.

    Bad records go to DIR/rejects with file, line and reason; DIR/manifest.json has the outcome of
    each file. If a batch is killed, --resume continues it; the outputs are the same bytes. Exits
    with 1 if records or files were bad.
    """
    from nlpkit.batch.plan import Settings
    from nlpkit.cli.screen.batch import BatchProgress
    from nlpkit.jobs.batch import batch as run

    settings = Settings(
        model=model,
        source=source,
        column=column,
        sheet=sheet,
        encoding=encoding,
        to=to,
        dialect=dialect,
        into=into,
        min_confidence=min_confidence,
        device=device,
        precision=precision,
        shard_size=shard_size,
    )
    with BatchProgress(quiet=quiet) as progress:
        report = run(
            inputs,
            output,
            settings,
            workers=workers,
            engine=_engine(engine, address, num_gpus),
            resume=resume,
            max_rejects=max_rejects,
            listener=progress,
        )
        progress.finish(report, output)
    if report.failed or report.count("rejects"):
        raise typer.Exit(1)


def _engine(name: str, address: str | None, num_gpus: float) -> Engine | None:
    from nlpkit.errors import UsageError

    if name == "ray":
        from nlpkit.batch.ray_engine import RayEngine

        return RayEngine(address=address, num_gpus=num_gpus)
    if address or num_gpus:
        raise UsageError("--address and --num-gpus need --engine ray")
    return None
