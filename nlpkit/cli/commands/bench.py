"""nlpkit bench: measure a model's latency and throughput."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from nlpkit.cli import options as o

if TYPE_CHECKING:
    from nlpkit.jobs.bench import Row
    from nlpkit.jobs.cascade import Point

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: nlpkit bench sentiment --lengths 16,128 --to json")
def bench(
    model: Annotated[str, typer.Argument(help="A model's name, or a bundle's path.")] = "sentiment",
    lengths: Annotated[
        str, typer.Option(metavar="N,N,...", help="Tokens in a document.")
    ] = "16,64,128",
    batches: Annotated[
        str, typer.Option(metavar="N,N,...", help="Documents in a batch.")
    ] = "1,8,32,128",
    seconds: Annotated[
        float, typer.Option(min=0.01, help="Seconds to measure for each line of the table.")
    ] = 0.5,
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="table or json.")] = "table",
    device: o.Device = "auto",
) -> None:
    """Measure latency and throughput of a model's network.

    Prints a line for each device, precision, length and batch size. --device auto measures the CPU,
    and CUDA if it works. Reading and tokenizing are not counted. Of a cascade it prints the
    measurements of 'nlpkit cascade'.
    """
    import sys
    from dataclasses import asdict

    from nlpkit.cli.screen.console import Console
    from nlpkit.cli.screen.json import print_json
    from nlpkit.errors import UsageError
    from nlpkit.jobs.bench import bench as job
    from nlpkit.jobs.cascade import curve_of

    if to not in ("table", "json"):
        raise UsageError(f"--to {to}: not one of table, json")
    if stored := curve_of(model):
        _curve(model, *stored, to=to)
        return
    sizes = _numbers("--lengths", lengths), _numbers("--batches", batches)
    with Console(stderr=True, quiet=not sys.stderr.isatty()).status("measuring"):
        rows = job(model, device=device, seconds=seconds, lengths=sizes[0], batches=sizes[1])
    if to == "json":
        print_json({"model": model, "rows": [asdict(row) for row in rows]})
    else:
        _table(rows)


def _curve(model: str, curve: Sequence[Point], share: float, *, to: str) -> None:
    """Print the measurements of a cascade, whose speed depends on the texts that it reads."""
    from dataclasses import asdict

    from nlpkit.cli.screen.cascade import show_curve
    from nlpkit.cli.screen.console import Console
    from nlpkit.cli.screen.json import print_json

    if to == "json":
        print_json({"model": model, "share": share, "curve": [asdict(point) for point in curve]})
        return
    print("measured on the dev rows when the cascade was built:")
    show_curve(Console(highlight=False), curve, share)


def _numbers(option: str, given: str) -> list[int]:
    from nlpkit.errors import UsageError

    try:
        return [int(part) for part in given.split(",")]
    except ValueError:
        raise UsageError(f"{option} {given}: not numbers separated by commas") from None


def _table(rows: Sequence[Row]) -> None:
    from nlpkit.cli.screen.console import Console
    from nlpkit.cli.screen.table import Column, show_table

    several = len({row.graph for row in rows}) > 1
    columns = [
        *(Column("device"), Column("precision")),
        *[Column("graph")] * several,
        *(Column("tokens", right=True), Column("batch", right=True)),
        *(Column("p50 ms", right=True), Column("p99 ms", drop=1, right=True)),
        *(Column("docs/s", right=True), Column("tokens/s", drop=2, right=True)),
    ]
    cells = [
        [
            *(row.device, row.precision),
            *[row.graph] * several,
            *(f"{row.length}", f"{row.batch}", f"{row.p50_ms:.3f}", f"{row.p99_ms:.3f}"),
            *(f"{row.documents_per_second:,.0f}", f"{row.tokens_per_second:,.0f}"),
        ]
        for row in rows
    ]
    show_table(Console(highlight=False), columns, cells)
