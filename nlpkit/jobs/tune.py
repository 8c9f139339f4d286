"""Search for the best architecture and settings for a recipe's task and data."""

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
    """Parse a time such as 90s, 30m, 2h or 1h30m into seconds.

    Raises:
        UsageError: the text is not such a time.
    """
    number = r"(\d+(?:\.\d+)?)"
    match = re.fullmatch(rf"(?:{number}h)?(?:{number}m)?(?:{number}s)?", text.strip())
    parts = [float(part or 0) for part in match.groups()] if match else [0.0]
    total = sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))
    if not total:
        raise UsageError(f"--budget {text}: not a time such as 90s, 30m, 2h or 1h30m")
    return total


def size(text: str) -> int:
    """Parse a size such as 500K, 4M or 1.5G into bytes; the units are powers of 1,000.

    Raises:
        UsageError: the text is not such a size.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMG]?)B?", text.strip().upper())
    total = int(float(match[1]) * UNITS[match[2]]) if match else 0
    if not total:
        raise UsageError(f"--max-size {text}: not a size such as 500K, 4M or 1.5G (bytes)")
    return total


def branches(name: str, architectures: Sequence[str], overrides: Sequence[str]) -> list[Branch]:
    """Return the search space of each architecture, for a recipe named as for `nlpkit train`.

    Without `architectures`, all that fit the recipe are searched, the recipe's own first.

    Raises:
        InputError, UsageError: as `recipe.load`.
        UsageError: a named architecture does not fit the recipe, or none has an overridden setting.
    """
    from nlpkit.tuning.space import branch, knows

    if any(item.startswith("architecture.name") for item in overrides):
        raise UsageError("--set architecture.name: choose architectures with --arch")
    general = [item for item in overrides if not item.startswith("architecture.")]
    base = recipes.load(find_recipe(name), general)
    own = base.encoder.name
    others = [other for other in catalog.names("architectures") if other != own]
    chosen = []
    for architecture in architectures or [own, *others]:
        candidate = branch(base, architecture, overrides)
        if architectures or architecture == own or _suits(candidate.base):
            check(candidate.base)
            chosen.append(candidate)
    for item in overrides:
        if not any(knows(candidate.name, item) for candidate in chosen):
            raise UsageError(f"--set {item}: no searched architecture has this setting")
    return chosen


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
    """Search until `deadline`, in seconds of time.monotonic().

    Raises:
        MissingExtra: Optuna is not installed.
        NlpkitError: as `nlpkit.tuning.search.tune`.
    """
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
