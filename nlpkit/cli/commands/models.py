"""nlpkit models: list, install, verify and remove models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from nlpkit.jobs.install import Verified
    from nlpkit.jobs.models import Damaged, Entry, Network

app = typer.Typer(add_completion=False, invoke_without_command=True)
To = Annotated[str, typer.Option("--to", metavar="FORMAT", help="table or json.")]


@app.callback(epilog="Example: nlpkit models add export/sentiment-lstm")
def models(ctx: typer.Context, to: To = "table") -> None:
    """List bundled and installed models; install, verify and remove them."""
    if ctx.invoked_subcommand is None:
        from nlpkit.jobs.models import bundles

        _print(bundles(), to, _bundle_table)


@app.command()
def architectures(ctx: typer.Context, to: To = "") -> None:
    """List the architectures to train, with their settings."""
    _networks("architectures", ctx, to)


@app.command()
def decoders(ctx: typer.Context, to: To = "") -> None:
    """List the decoders to train, which write texts, with their settings."""
    _networks("decoders", ctx, to)


def _networks(kind: str, ctx: typer.Context, to: str) -> None:
    from nlpkit.jobs.models import networks

    given = ctx.parent.params["to"] if ctx.parent else "table"
    _print(networks(kind), to or given, _network_list)


@app.command()
def add(
    source: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help="A bundle's folder, or its zip.")
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace an installed model of the same name.")
    ] = False,
) -> None:
    """Check a bundle's files and its answers, and install it."""
    from nlpkit.jobs.install import add as job

    _tell(job(source, replace=replace))


@app.command()
def remove(name: Annotated[str, typer.Argument(help="An installed model.")]) -> None:
    """Remove a bundle that 'models add' installed."""
    from nlpkit.jobs.install import remove as job

    print(f"removed {job(name)}")


@app.command()
def verify(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A model's name, or a bundle's path.")
    ],
) -> None:
    """Check a bundle's hashes, and its answers to stored texts in each precision."""
    from nlpkit.jobs.install import verify as job

    _tell(job(model))


def _tell(verified: Verified) -> None:
    from nlpkit.wording import plural

    for entry in verified.checked:
        print(
            f"{verified.name} {entry.precision}: {plural(entry.texts, 'answer')} as expected, "
            f"scores within {entry.difference:.4f}"
        )
    if verified.path:
        print(f"installed in {verified.path}; use it with --model {verified.name}")


def _print(found: Sequence[Any], to: str, show: Any) -> None:
    from nlpkit.cli.screen.json import print_json
    from nlpkit.errors import UsageError

    if to not in ("table", "json"):
        raise UsageError(f"--to {to}: not one of table, json")
    if to == "json":
        print_json([entry.to_dict() for entry in found])
        return
    from nlpkit.cli.screen.console import Console

    show(found, Console(highlight=False))


def _bundle_table(found: Sequence[Entry | Damaged], console: Any) -> None:
    from nlpkit.cli.screen.table import Column, show_table
    from nlpkit.jobs.models import Entry
    from nlpkit.zoo import LOOSE

    columns = [
        *(Column("name"), Column("task", drop=1), Column("architecture", drop=4)),
        *(Column("reads", drop=2), Column("weights", drop=5, right=True)),
        *(Column("MB", drop=3, right=True), Column("dev score", right=True)),
        Column("owner", drop=6),
    ]
    entries = [entry for entry in found if isinstance(entry, Entry)]
    show_table(console, columns, [_cells(entry) for entry in entries])
    for entry in found:
        if not isinstance(entry, Entry):
            console.print(entry.problem, style="red", markup=False, soft_wrap=True)
    known = {entry.name for entry in entries}
    if absent := [name for name in LOOSE if name not in known]:
        advice = "in export/ of the repository; 'nlpkit models add export/NAME' installs one"
        console.print(f"not installed: {', '.join(absent)} ({advice})", style="dim", markup=False)


def _cells(entry: Entry) -> list[str]:
    from nlpkit.zoo import is_own

    return [
        *(entry.name, entry.task, entry.architecture, " ".join(entry.languages)),
        f"{entry.parameters / 1e6:.1f} M" if entry.parameters else "-",
        f"{entry.bytes / 1e6:.1f}" if entry.bytes else "-",
        f"{entry.dev[entry.score]:.4f}" if entry.score in entry.dev else "-",
        "you" if is_own(entry.path) else "",
    ]


def _network_list(found: Sequence[Network], console: Any) -> None:
    from rich.table import Table

    for entry in found:
        console.print(f"[bold]{entry.name}[/]  {entry.description}")
        console.print(f"[green]Use when[/] {entry.use_when}")
        grid = Table.grid(padding=(0, 2))
        for setting in entry.settings:
            grid.add_row("", f"{setting.key} = {setting.default}", f"[dim]{setting.help}[/]")
        console.print(grid)
        console.print()
