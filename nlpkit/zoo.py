"""Find bundles and recipes by name, and load models.

Bundles are in the user's folder, the wheel and the checkout. Only this module assembles a model:
its network from `runtime`, its task from `tasks`, its preprocessing steps from `chain`. Steps that
use a model receive `load` as an argument.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlpkit.errors import ModelError, UsageError, near_match, quoted

if TYPE_CHECKING:
    from nlpkit.answers import Answer
    from nlpkit.chain import Pipeline
    from nlpkit.runtime.bundle import Bundle
    from nlpkit.runtime.model import Model

PACKAGE = Path(__file__).parent
CHECKOUT = PACKAGE.parent
# Bundles in export/ of the repository that the wheel leaves out.
LOOSE = ("lm-pt", "lm-pt-lstm", "title-pt", "translate-en-pt", "translate-pt-en")
RULES = ("rules", "rules-en")  # models without a bundle; importing `runtime.rules` is slow


def user_folder() -> Path:
    """Return the folder of bundles that the user installs: $NLPKIT_HOME or the XDG data folder.

    Raises:
        UsageError: the user has no home folder.
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
    """Yield the folder of each bundle; of bundles with the same name only the first.

    The user's folder comes first, then the wheel, then the checkout. Unreadable folders are
    skipped, since a service may run with the HOME of another user.
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
        return sorted(shelf.glob("[!.]*/bundle.json"))  # an unfinished export starts with a dot
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
        ModelError: the bundle does not exist or is not a bundle; the message lists the models.
    """
    path = Path(name)
    if _is_file(path / "bundle.json"):
        return path
    known = {folder.name: folder for folder in bundle_folders()}
    if name in known:
        return known[name]
    if name in RULES:
        raise ModelError(f"{name}: a rule-based model, which has no bundle; name a model with one")
    shown = quoted(name)
    if is_run(name):
        raise ModelError(
            f"{shown}: a training run; 'nlpkit export {shown} -o export/NAME' makes a bundle of it"
        )
    try:
        exists = path.exists()
    except OSError as problem:
        raise ModelError(
            f"{shown}: {problem.strerror}; check the path and its permissions"
        ) from None
    if exists:
        raise ModelError(f"{shown}: not a bundle (no bundle.json); 'nlpkit export' makes one")
    if name in LOOSE:
        raise ModelError(
            f"{name} is not installed; it lies in export/ of the repository, and "
            f"'nlpkit models add export/{name}' installs it"
        )
    if path.name != name:
        raise ModelError(f"{shown}: no such folder; 'nlpkit models' lists the installed models")
    names = [*known, *RULES]
    raise ModelError(f"no model {name!r}.{near_match(name, names)} There are: {', '.join(names)}")


def load(
    name: str = "sentiment",
    *,
    device: str = "auto",
    precision: str = "auto",
    threads: int = 0,
    attention: bool = False,
) -> Model:
    """Load a model by the name or path of its bundle, or rules by their name.

    `device` is auto, cpu, cuda or cuda:N. `precision` is auto or one of the bundle's. `threads` is
    the number of CPU threads; 0 uses $NLPKIT_THREADS, or every core of the process. `attention`
    gives the attention weights of networks as further outputs (`nlpkit.runtime.exposing`).
    Unpickling a model loads it again with the same options.

    Raises:
        ModelError: the bundle does not exist, is damaged, or is refused.
        DeviceError: `device` does not work on this machine.
        UsageError: `device` or `precision` does not exist.
        MissingExtra: the package of the rules is not installed.
    """
    options: dict[str, Any] = {"device": device, "precision": precision, "threads": threads}
    if name in RULES:
        from nlpkit import tasks
        from nlpkit.runtime import rules

        model = rules.open_rules(name, tasks.build, device=device, precision=precision)
        return model.reopened_by(partial(load, name, **options))
    if attention:
        options["attention"] = True
    folder = find_bundle(name)
    model = open_bundle(folder, **options)
    return model.reopened_by(partial(load, str(folder.absolute()), **options))


def open_bundle(
    folder: Path,
    *,
    device: str = "auto",
    precision: str = "auto",
    threads: int = 0,
    attention: bool = False,
) -> Model:
    """Load the bundle in a folder, with its task and its steps. The options are those of `load`.

    Raises:
        ModelError: the bundle is damaged, changed, or refers to files outside its folder.
        DeviceError: `device` does not work on this machine.
        UsageError: `device` or `precision` does not exist.
    """
    from nlpkit.runtime.bundle import read_bundle

    options: dict[str, Any] = {"device": device, "precision": precision, "threads": threads}
    options["attention"] = attention
    found = read_bundle(folder)
    if rule := found.manifest.cascade:
        return _cascade(folder.name, rule, options)
    return _network(found, options)


def _network(found: Bundle, options: Mapping[str, Any]) -> Model:
    """Load a bundle that has a network of its own."""
    from nlpkit import tasks
    from nlpkit.runtime import bundle

    build_task = partial(tasks.build, read=lambda file: found.checked(file).read_bytes())
    return bundle.open_bundle(
        found, build_task=build_task, build_steps=lambda steps: pipeline(*steps), **options
    )


def _cascade(name: str, stored: Mapping[str, Any], options: Mapping[str, Any]) -> Model:
    """Load the two models of a cascade. Raises as `load`, and ModelError if they do not fit."""
    from dataclasses import replace

    from nlpkit.cascade import Rule, Task

    fast, best = (_part(name, stored[part], options) for part in ("fast", "best"))
    rule = Rule(*(float(stored[key]) for key in ("threshold", "weight", "temperature")))
    try:
        task = Task.of(fast.task, best, rule)
    except ValueError as problem:
        raise ModelError(f"{name}: {problem}; build the cascade again") from None
    return replace(fast, name=name, task=task, file_bytes=fast.file_bytes + best.file_bytes)


def _part(cascade: str, name: str, options: Mapping[str, Any]) -> Model:
    """Load a model of a cascade. A cascade in a cascade is refused, since it may name itself."""
    from nlpkit.runtime.bundle import read_bundle

    try:
        found = read_bundle(find_bundle(name))
        if found.manifest.cascade is None:
            return _network(found, options)
        problem = f"{quoted(name)}: is a cascade itself"
    except ModelError as error:
        problem = str(error)
    raise ModelError(
        f"{cascade}: a cascade, of which one model cannot be loaded: {problem}; install that "
        "model, or build the cascade again"
    )


def answers_of(name: str) -> type[Answer]:
    """Return the class of a model's answers, without loading its network.

    Raises:
        ModelError: the bundle does not exist, or its manifest is damaged.
    """
    from nlpkit import tasks
    from nlpkit.answers import Label
    from nlpkit.runtime import bundle

    if name in RULES:
        return Label
    kind: type[Answer] = bundle.task_of(bundle.read_bundle(find_bundle(name)), tasks.build).answers
    return kind


def pipeline(*steps: Any) -> Pipeline:
    """Build a chain of steps from strings ("clean --lower | tokenize") or tables with a "name".

    Raises:
        UsageError: a step or option does not exist.
        ModelError: the model of a step does not exist.
        MissingExtra: a package that a step needs is not installed.
    """
    from nlpkit import chain

    return chain.pipeline(*steps, load=load)


def is_run(name: str) -> bool:
    """Return whether a path is the folder of a training run and not of a bundle."""
    return _is_file(Path(name) / "recipe.toml") and not _is_file(Path(name) / "bundle.json")


def recipe_folder() -> Path:
    """Return the folder of the recipes of the bundled models."""
    shipped = PACKAGE / "_recipes"
    return shipped if shipped.is_dir() else CHECKOUT / "models"
