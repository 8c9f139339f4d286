"""nlpkit steps: list the steps, their options and examples."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from nlpkit.settings.flags import shown

if TYPE_CHECKING:
    from nlpkit.jobs.steps import Description

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: nlpkit steps clean")
def steps(
    name: Annotated[
        str | None, typer.Argument(metavar="STEP", help="A step; all if left out.")
    ] = None,
    to: Annotated[str, typer.Option(metavar="FORMAT", help="table, json or markdown.")] = "table",
) -> None:
    """List the steps with their options and examples."""
    import json

    from nlpkit import catalog
    from nlpkit.errors import UsageError
    from nlpkit.jobs.steps import described

    if to not in ("table", "json", "markdown"):
        raise UsageError(f"--to {to}: not one of table, json, markdown")
    if name is not None:
        catalog.load("steps", name)
    found = [step for step in described() if name in (None, step.name)]
    if to == "json":
        tables = [dataclasses.asdict(step) for step in found]
        print(json.dumps(tables, ensure_ascii=False))
    elif to == "markdown":
        print("\n".join(_markdown(step) for step in found))
    else:
        _show(found)


def _show(found: list[Description]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from nlpkit.cli.screen.console import Console

    console = Console(highlight=False)
    for step in found:
        console.print(f"[bold cyan]{step.name}[/]  {escape(step.description)}")
        console.print(f"  [dim]{step.takes} → {step.gives}[/]")
        options = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
        options.add_column(min_width=22, no_wrap=True)
        options.add_column(ratio=1)
        for option in step.options:
            value = shown(option.default)
            default = f" [dim](default: {value})[/]" if value else ""
            options.add_row(f"  --{option.name}", escape(option.help) + default)
        console.print(options)
        for given, before, after in step.examples:
            flags = f"[cyan]{escape(given)}[/]  " if given else ""
            console.print(
                f"    {flags}{escape(before)}  [green]→[/]  {escape(after)}", soft_wrap=True
            )
        console.print()


def _markdown(step: Description) -> str:
    """Return a step's section of docs/step-reference.md."""
    lines = [f"### {step.name}", "", step.description, ""]
    lines.append(f"Takes {step.takes}, gives {step.gives}.")
    lines += ["", "| option | default | |", "|---|---|---|"]
    for option in step.options:
        default = shown(option.default)
        lines.append(f"| `--{option.name}` | {default} | {option.help} |")
    lines += ["", "| | before | after |", "|---|---|---|"]
    for example in step.examples:
        lines.append("| " + " | ".join(f"`{cell}`" if cell else "" for cell in example) + " |")
    return "\n".join(lines) + "\n"
