"""nlpkit init: print a commented recipe to start from."""

from __future__ import annotations

from typing import Annotated

import typer

from nlpkit import catalog

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback(epilog="Example: nlpkit init recipe --arch lstm > recipe.toml")
def init() -> None:
    """Print a commented recipe to start from."""


@app.command(epilog="Example: nlpkit init recipe --arch lstm > recipe.toml")
def recipe(
    arch: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The network; see 'nlpkit models architectures'."),
    ] = None,
    decoder: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="For --task generate: "
            f"{', '.join(catalog.names('decoders'))}; without --arch, a language model.",
        ),
    ] = None,
    task: Annotated[
        str,
        typer.Option(metavar="NAME", help=f"The task: {', '.join(catalog.names('tasks'))}."),
    ] = "sentiment",
    objective: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Print a recipe for 'nlpkit pretrain' with this objective: "
            f"{', '.join(catalog.names('objectives'))}.",
        ),
    ] = None,
) -> None:
    """Print a full recipe: every setting with its default and its meaning."""
    from nlpkit.errors import UsageError
    from nlpkit.jobs.init import pretraining_text, recipe_text

    if arch is None and (objective or decoder is None):
        raise UsageError("name a network with --arch, or with --decoder for a language model")
    if objective:
        print(pretraining_text(objective, str(arch)), end="")
    else:
        print(recipe_text(task, arch, decoder), end="")
