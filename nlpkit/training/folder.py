"""Lock the folder of a run, store its recipe, and choose its device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch

from nlpkit.errors import DeviceError, UsageError, quoted
from nlpkit.lock import held
from nlpkit.runtime.device import cores, parse
from nlpkit.settings import declaration, recipe as recipes
from nlpkit.settings.recipe import Pretraining, Recipe
from nlpkit.training import checkpoint, summary
from nlpkit.training.distributed import Team, team
from nlpkit.training.memory import keep_freed_memory
from nlpkit.training.threads import torch_threads
from nlpkit.wording import plural


def torch_device(device: str) -> str:
    """Return the torch device for auto, cpu or cuda[:N].

    Raises:
        DeviceError: torch does not see that GPU.
        UsageError: the device does not exist.
    """
    kind, index = parse(device)
    if kind == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if kind == "cuda" and index >= torch.cuda.device_count():
        gpus = plural(torch.cuda.device_count(), "GPU")
        raise DeviceError(
            f"--device {device}: torch {torch.__version__} sees {gpus}; "
            "choose one of those, or --device cpu"
        )
    return device


def begun(folder: Path) -> bool:
    """Return whether the folder holds a checkpoint or a finished run, which must not be lost."""
    return any((folder / name).exists() for name in (checkpoint.LAST, summary.RUN))


@contextmanager
def at_work(
    recipe: Recipe | Pretraining, folder: Path, *, device: str, threads: int, resume: bool
) -> Iterator[Team]:
    """Join the team that trains in a folder; the leader locks the folder and stores the recipe.

    Raises:
        DeviceError: torch cannot use the device.
        UsageError: another process has locked the folder, or another run is in it, or the same
            run is in it and `resume` is False.
    """
    with (
        torch_threads(threads or cores()),
        team(torch_device(device)) as members,
        ExitStack() as stack,
    ):
        if members.device.type == "cpu":
            keep_freed_memory()
        if members.leads:
            stack.enter_context(held(folder))
            _prepare(folder, recipe, resume)
        yield members


def _prepare(folder: Path, recipe: Recipe | Pretraining, resume: bool) -> None:
    """Store the resolved recipe in the run's folder.

    Raises:
        UsageError: the folder holds another run, or this run and `resume` is False.
    """
    if begun(folder) and not resume:
        raise UsageError(
            f"{quoted(folder)} already holds a run; continue it with --resume, "
            "or choose another --output"
        )
    # The absolute folder keeps relative data paths valid in every working directory.
    tree = recipe.to_dict() | {"folder": str(recipe.folder.resolve())}
    stored = folder / "recipe.toml"
    if begun(folder) and not (
        stored.exists() and _decides(_read(stored, recipe)) == _decides(tree)
    ):
        raise UsageError(
            f"{quoted(stored)} differs from the given recipe; resume with the original recipe"
        )
    checkpoint.save_text(stored, declaration.toml(tree))


def _read(stored: Path, like: Recipe | Pretraining) -> dict[str, Any]:
    """Return the values of a stored recipe; settings that it lacks have their defaults."""
    load = recipes.load if isinstance(like, Recipe) else recipes.load_pretraining
    recipe: Recipe | Pretraining = load(stored)
    return recipe.to_dict() | {"folder": str(recipe.folder)}


def _decides(tree: dict[str, Any]) -> str:
    """Return the TOML of the settings that determine the weights."""
    decisive = {
        section: {k: v for k, v in table.items() if k not in ("threads", "checkpoint_steps")}
        if isinstance(table, dict)
        else table
        for section, table in tree.items()
        if section != "export"
    }
    return declaration.toml(decisive)
