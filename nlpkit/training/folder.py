"""A run's folder: whether one was begun there, the recipe that it keeps, the device it runs on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch

from nlpkit.errors import DeviceError, UsageError
from nlpkit.lock import held
from nlpkit.runtime.device import cores, parse
from nlpkit.settings import declaration, recipe as recipes
from nlpkit.settings.recipe import Pretraining, Recipe
from nlpkit.training import checkpoint, summary
from nlpkit.training.distributed import Team, team
from nlpkit.training.threads import torch_threads
from nlpkit.wording import plural


def torch_device(device: str) -> str:
    """Return the torch device for auto, cpu or cuda[:N]. Raises DeviceError, UsageError."""
    kind, index = parse(device)
    if kind == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if kind == "cuda" and index >= torch.cuda.device_count():
        count = plural(torch.cuda.device_count(), "GPU")
        raise DeviceError(f"--device {device}: torch {torch.__version__} sees {count}")
    return device


def begun(folder: Path) -> bool:
    """Tell whether a run left a checkpoint here, or is done; what came before is not kept."""
    return any((folder / name).exists() for name in (checkpoint.LAST, summary.RUN))


@contextmanager
def at_work(
    recipe: Recipe | Pretraining, folder: Path, *, device: str, threads: int, resume: bool
) -> Iterator[Team]:
    """Join the team that works in a run's folder; its leader holds the folder meanwhile.

    Raises:
        DeviceError: torch cannot use the device.
        UsageError: as `held` and `_prepare`.
    """
    with (
        torch_threads(threads or cores()),
        team(torch_device(device)) as members,
        ExitStack() as stack,
    ):
        if members.leads:
            stack.enter_context(held(folder))
            _prepare(folder, recipe, resume)
        yield members


def _prepare(folder: Path, recipe: Recipe | Pretraining, resume: bool) -> None:
    """Store the resolved recipe in the run's folder.

    Raises:
        UsageError: it holds another run, or this one and `resume` was not asked for.
    """
    if begun(folder) and not resume:
        raise UsageError(
            f"{folder} already holds a run: --resume continues it; or choose another --output"
        )
    # Relative data paths must hold wherever the run is opened from.
    tree = recipe.to_dict() | {"folder": str(recipe.folder.resolve())}
    stored = folder / "recipe.toml"
    if begun(folder) and not (
        stored.exists() and _decides(_read(stored, recipe)) == _decides(tree)
    ):
        raise UsageError(f"{stored} is not the recipe given: resume with the one it was begun with")
    checkpoint.save_text(stored, declaration.toml(tree))


def _read(stored: Path, like: Recipe | Pretraining) -> dict[str, Any]:
    """Return a stored recipe's values, with defaults for settings that are newer than it."""
    load = recipes.load if isinstance(like, Recipe) else recipes.load_pretraining
    made: Recipe | Pretraining = load(stored)
    return made.to_dict() | {"folder": str(made.folder)}


def _decides(tree: dict[str, Any]) -> str:
    """Return what of a recipe decides the weights."""
    kept = {
        section: {k: v for k, v in table.items() if k not in ("threads", "checkpoint_steps")}
        if isinstance(table, dict)
        else table
        for section, table in tree.items()
        if section != "export"
    }
    return declaration.toml(kept)
