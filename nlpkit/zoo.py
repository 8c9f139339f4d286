"""Find bundles and recipes by name, and open them: the user's folder, the wheel, the checkout.

This is the one place that puts a model together: its network by `runtime`, its task by `tasks`, the
steps that prepare its texts by `chain`. A step that asks a model in its turn is handed `load`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlpkit.errors import ModelError, UsageError, near_match, quoted

if TYPE_CHECKING:
    from nlpkit.answers import Answer
    from nlpkit.chain import Pipeline
    from nlpkit.runtime.model import Model

PACKAGE = Path(__file__).parent
CHECKOUT = PACKAGE.parent
RULES = ("rules", "rules-en")  # models without a bundle: `nlpkit.runtime.rules`, whose import costs


def user_folder() -> Path:
    """Return where a person's own bundles are kept: $NLPKIT_HOME, else the XDG data folder.

    Raises:
        UsageError: this user has no home folder.
    """
    if home := os.environ.get("NLPKIT_HOME"):
        return Path(home)
    try:
        return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "nlpkit"
    except RuntimeError:
        raise UsageError("this user has no home folder; set $NLPKIT_HOME to a folder") from None


def is_own(path: str) -> bool:
    """Return whether a bundle's path is inside the user's folder."""
    with contextlib.suppress(UsageError):
        return Path(path).is_relative_to(user_folder())
    return False


def bundle_folders() -> Iterator[Path]:
    """Yield every bundle's folder; where two have one name, only the first that is found.

    A folder that cannot be read is skipped: a service may run with the HOME of another user.
    """
    seen = set()
    shelves = [PACKAGE / "_bundles", CHECKOUT / "export"]
    with contextlib.suppress(UsageError):
        shelves.insert(0, user_folder() / "bundles")
    for shelf in shelves:
        for manifest in _manifests(shelf):
            if manifest.parent.name not in seen:
                seen.add(manifest.parent.name)
                yield manifest.parent


def _manifests(shelf: Path) -> list[Path]:
    try:
        return sorted(shelf.glob("[!.]*/bundle.json"))  # a dot: an export that was killed
    except OSError:
        return []


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def find_bundle(name: str) -> Path:
    """Return the folder of a bundle given by path or by name.

    Raises:
        ModelError: there is none; the message lists those there are.
    """
    path = Path(name)
    if _is_file(path / "bundle.json"):
        return path
    known = {folder.name: folder for folder in bundle_folders()}
    if name in known:
        return known[name]
    if name in RULES:
        raise ModelError(f"{name}: has rules where this needs the files of a network")
    shown = quoted(name)
    if is_run(name):
        raise ModelError(
            f"{shown}: a training run; 'nlpkit export {shown} -o export/NAME' makes a model"
        )
    try:
        exists = path.exists()
    except OSError as problem:
        raise ModelError(f"{shown}: {problem.strerror}; check the path and its rights") from None
    if exists:
        raise ModelError(f"{shown}: not a bundle (no bundle.json); 'nlpkit export' makes one")
    there = [*known, *RULES]
    raise ModelError(f"no model {name!r}.{near_match(name, there)} There are: {', '.join(there)}")


def load(
    name: str = "sentiment", *, device: str = "auto", precision: str = "auto", threads: int = 0
) -> Model:
    """Load a bundle by name or path, or the rules by their name.

    `threads` of the network: 0 are as many as this process may use ($NLPKIT_THREADS says fewer).
    Unpickling a model loads it again with the same options.

    Raises:
        ModelError: there is no such bundle, or it is damaged or refused.
        DeviceError: `device` does not really work here.
        MissingExtra: the package of the rules is not installed.
    """
    options: dict[str, Any] = {"device": device, "precision": precision, "threads": threads}
    if name in RULES:
        from nlpkit import tasks
        from nlpkit.runtime import rules

        model = rules.open_rules(name, tasks.build, device=device, precision=precision)
        return model.reopened_by(partial(load, name, **options))
    folder = find_bundle(name)
    model = open_bundle(folder, **options)
    return model.reopened_by(partial(load, str(folder.absolute()), **options))


def open_bundle(
    folder: Path, *, device: str = "auto", precision: str = "auto", threads: int = 0
) -> Model:
    """Load the bundle in a folder, with its task and its steps.

    Raises:
        ModelError: it is damaged, tampered with, or refers to files outside its folder.
        DeviceError: the device does not really work here.
        UsageError: there is no such device or precision.
    """
    from nlpkit import tasks
    from nlpkit.runtime import bundle

    return bundle.open_bundle(
        folder,
        device=device,
        precision=precision,
        threads=threads,
        build_task=tasks.build,
        build_steps=lambda steps: pipeline(*steps),
    )


def answers_of(name: str) -> type[Answer]:
    """Return the kind of a model's answers, without loading its network. Raises as `load`."""
    from nlpkit import tasks
    from nlpkit.answers import Label
    from nlpkit.runtime import bundle

    if name in RULES:
        return Label
    kind: type[Answer] = bundle.task_of(bundle.read_bundle(find_bundle(name)), tasks.build).answers
    return kind


def pipeline(*steps: Any) -> Pipeline:
    """Make a chain from strings such as "clean --lower | tokenize", or tables with a "name".

    Raises:
        UsageError: there is no such step or option.
        ModelError, MissingExtra: a step needs what is not there.
    """
    from nlpkit import chain

    return chain.pipeline(*steps, load=load)


def is_run(name: str) -> bool:
    """Tell whether a path is a training run rather than a bundle."""
    return _is_file(Path(name) / "recipe.toml") and not _is_file(Path(name) / "bundle.json")


def recipe_folder() -> Path:
    """Return the folder of the recipes that made the bundled models."""
    shipped = PACKAGE / "_recipes"
    return shipped if shipped.is_dir() else CHECKOUT / "models"
