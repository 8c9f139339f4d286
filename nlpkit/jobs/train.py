"""Train from a recipe, or from data files and the name of an architecture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nlpkit import abilities, catalog, tasks, zoo
from nlpkit.errors import UsageError
from nlpkit.settings import recipe as recipes
from nlpkit.settings.recipe import Recipe
from nlpkit.text.windows import Consecutive


def find_recipe(name: str) -> Path:
    """Return the path of a recipe, given by its path, its folder, or a bundled recipe's name."""
    path = Path(name)
    if path.is_dir() and (path / "recipe.toml").is_file():
        return path / "recipe.toml"
    shipped = zoo.recipe_folder() / name / "recipe.toml"
    return shipped if not path.exists() and shipped.is_file() else path


def run_or(name: str | None, other: Path) -> Path:
    """Return `name` if it is the folder of a started run, which then continues; else `other`."""
    from nlpkit.training.folder import begun

    return Path(name) if name and begun(Path(name)) else other


def load_recipe(name: str, overrides: Sequence[str]) -> Recipe:
    """Read a recipe of `nlpkit train` and apply `section.key=value` overrides.

    Raises:
        InputError, UsageError: as `recipe.load`.
    """
    from nlpkit.training.init import complete

    return recipes.load(find_recipe(name), overrides, complete)


def recipe_from_files(
    *,
    parts: Mapping[str, str | None],
    train: Sequence[str],
    dev: Sequence[str],
    fields: Mapping[str, str | None],
    overrides: Sequence[str],
    init: str | None = None,
) -> Recipe:
    """Build a recipe with defaults from data files.

    Args:
        parts: the names of the task, the architecture and the decoder. Without a task, it is
            sentiment, or generate with a decoder, also with that of `init`; without an
            architecture, it is that of `init`, with its sizes.
        train: paths of the training files.
        dev: paths of the development files.
        fields: settings of every file, such as its text and label fields; None is the default.
        overrides: `section.key=value` items.
        init: the run or bundle to start from, or None.

    Raises:
        UsageError: an override is wrong, or the task or the architecture does not exist.
        ModelError: `init` has no recipe.
        MissingExtra: torch is not installed.
    """
    arch, decoder = parts.get("architecture"), parts.get("decoder")
    networks = {"architecture": arch, "decoder": decoder}
    for kind, name in networks.items():
        if name:
            catalog.load(f"{kind}s", name)  # tells how to install torch if it is missing
    from nlpkit.training import sources
    from nlpkit.training.init import complete

    found = sources.sections(sources.find(init, Path.cwd())) if init else {}
    writes = decoder or (not arch and "decoder" in found)
    task = parts.get("task") or ("generate" if writes else "sentiment")
    tasks.class_of(task)
    given = {key: value for key, value in fields.items() if value is not None}
    tree: dict[str, Any] = {
        "name": f"{task}-{arch or decoder or Path(init or '').name}",
        "task": {"name": task},
        "data": {
            "train": [{"path": str(Path(path).resolve()), **given} for path in train],
            "dev": [{"path": str(Path(path).resolve()), **given} for path in dev],
        },
    }
    tree |= {kind: {"name": name} for kind, name in networks.items() if name}
    if init:
        tree["init"] = {"run": init}
        theirs = found.get("architecture", {}).get("name")
        if theirs and arch not in (None, theirs):
            raise UsageError(f"--arch {arch}: {init} is of {theirs}; leave --arch out")
    return recipes.from_dict(
        tree, folder=Path.cwd(), where="command line", overrides=overrides, complete=complete
    )


def train(
    recipe: Recipe,
    folder: Path,
    *,
    device: str,
    resume: bool,
    listener: Callable[[Any], None],
    trace: bool = False,
) -> Any:
    """Train into `folder`. Raises as `check` and `nlpkit.training.run.train`."""
    from nlpkit.training import run

    check(recipe)
    return run.train(recipe, folder, device=device, resume=resume, listener=listener, trace=trace)


def check(recipe: Recipe) -> None:
    """Raise UsageError if two sections of a recipe do not fit together."""
    _check_writer(recipe)
    if recipe.architecture is not None:
        _check_tokenizer(recipe, recipe.architecture.name)
    task = tasks.class_of(recipe.task.name)
    changing = (("preprocess", recipe.preprocess.steps), ("augment", recipe.augment))
    for section in (name for name, parts in changing if parts):
        if recipe.tokenizer.kind == "words":
            raise UsageError(f"[{section}] reads texts, not lists of words; leave it out")
        if task.OFFSETS:
            raise UsageError(
                f"[{section}] changes the text, but answers of {recipe.task.name} are positions "
                "in it; leave it out"
            )
    if recipe.distill.teachers:
        tasks.need(task, abilities.Distillable, "[distill]")
    if recipe.train.shift_labels:
        tasks.need(task, abilities.Balanced, "train.shift_labels")
    if recipe.train.class_weights != "none":
        tasks.need(task, abilities.Balanced, "train.class_weights")


def _check_tokenizer(recipe: Recipe, architecture: str) -> None:
    """Raise UsageError if the tokenizer and the architecture do not fit together."""
    network = catalog.load("architectures", architecture)
    kind = getattr(network, "TOKENIZER", {}).get("kind")
    if kind and recipe.tokenizer.kind != kind:
        raise UsageError(f'{architecture} needs [tokenizer] kind = "{kind}"')
    if recipe.tokenizer.kind == "words" != kind:
        raise UsageError(f'{architecture} can\'t read [tokenizer] kind = "words"')
    if recipe.tokenizer.vectors and recipe.tokenizer.kind != "words":
        raise UsageError('tokenizer.vectors needs [tokenizer] kind = "words"; leave it out')


def _check_writer(recipe: Recipe) -> None:
    """Raise UsageError if the task and the decoder do not fit together."""
    task, decoder = recipe.task, recipe.decoder
    if not tasks.class_of(task.name).WRITES:
        if decoder:
            raise UsageError(f"[decoder]: {task.name} writes no texts; leave the section out")
        if recipe.architecture is None:
            raise UsageError("[architecture] is missing; name one")
        return
    if decoder is None:
        names = ", ".join(catalog.names("decoders"))
        raise UsageError(f"[decoder]: {task.name} writes texts; name one of {names}")
    takes_source = getattr(task.config, "source", True)
    if takes_source != (recipe.architecture is not None):
        have = "needs [architecture], which reads the source" if takes_source else "reads no source"
        raise UsageError(f"[task] source = {str(takes_source).lower()} {have}")
    if not takes_source and recipe.tokenizer.window < Consecutive.LEAST:
        raise UsageError(
            f"tokenizer.window = {recipe.tokenizer.window}: a language model reads "
            f"{Consecutive.LEAST} tokens or more at once"
        )
    if recipe.tokenizer.kind == "words":
        raise UsageError(f'{task.name} can\'t write with [tokenizer] kind = "words"')
