"""Search the architectures and settings that suit a recipe's task and data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nlpkit import catalog
from nlpkit.errors import MissingExtra, UsageError
from nlpkit.jobs.train import check, find_recipe
from nlpkit.settings import recipe as recipes
from nlpkit.settings.recipe import Recipe

if TYPE_CHECKING:
    from nlpkit.tuning.events import Listener
    from nlpkit.tuning.space import Branch
    from nlpkit.tuning.trial import Outcome

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}


def seconds(text: str) -> float:
    """Return the seconds of 90s, 30m, 2h or 1h30m. Raises UsageError for anything else."""
    number = r"(\d+(?:\.\d+)?)"
    found = re.fullmatch(rf"(?:{number}h)?(?:{number}m)?(?:{number}s)?", text.strip())
    parts = [float(part or 0) for part in found.groups()] if found else [0.0]
    total = sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))
    if not total:
        raise UsageError(f"--budget {text}: not a time such as 90s, 30m, 2h or 1h30m")
    return total


def size(text: str) -> int:
    """Return the bytes of 500K, 4M or 1.5G. Raises UsageError for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMG]?)B?", text.strip().upper())
    total = int(float(found[1]) * UNITS[found[2]]) if found else 0
    if not total:
        raise UsageError(f"--max-size {text}: not a size such as 500K, 4M or 1.5G (bytes)")
    return total


def branches(name: str, architectures: Sequence[str], overrides: Sequence[str]) -> list[Branch]:
    """Return what to search of each architecture, of a recipe given as to `nlpkit train`.

    If no architectures are named, all that suit the recipe are searched, its own first.

    Raises:
        InputError, UsageError: as `recipe.load`; or a named architecture does not suit.
    """
    from nlpkit.tuning.space import branch, knows

    if any(item.startswith("architecture.name") for item in overrides):
        raise UsageError("--set architecture.name: --arch says which architectures are searched")
    elsewhere = [item for item in overrides if not item.startswith("architecture.")]
    base = recipes.load(find_recipe(name), elsewhere)
    own = base.architecture.name
    others = [other for other in catalog.names("architectures") if other != own]
    found = []
    for architecture in architectures or [own, *others]:
        made = branch(base, architecture, overrides)
        if architectures or architecture == own or _suits(made.base):
            check(made.base)
            found.append(made)
    for item in overrides:
        if not any(knows(made.name, item) for made in found):
            raise UsageError(f"--set {item}: no architecture that is searched has this setting")
    return found


def _suits(recipe: Recipe) -> bool:
    try:
        check(recipe)
    except UsageError:
        return False
    return True


def tune(
    found: Sequence[Branch],
    folder: Path,
    *,
    deadline: float,
    metric: str | None,
    trials: int | None,
    max_bytes: int | None,
    min_speed: float | None,
    seed: int,
    device: str,
    resume: bool,
    listener: Listener,
) -> Outcome:
    """Search until `deadline` of time.monotonic(); raises as `nlpkit.tuning.search.tune`."""
    try:
        from nlpkit.tuning import search
        from nlpkit.tuning.study import Settings
    except ModuleNotFoundError as problem:
        if problem.name == "optuna":
            raise MissingExtra("tune", "optuna") from None
        raise
    settings = Settings(
        metric=metric,
        deadline=deadline,
        trials=trials,
        max_bytes=max_bytes,
        min_speed=min_speed,
        seed=seed,
        device=device,
    )
    return search.tune(found, folder, settings, resume=resume, listener=listener)
