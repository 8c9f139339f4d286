"""Find and import plugins: architectures, tasks, steps, formats and the other kinds in SHELVES.

A plugin is a module. nlpkit's own are the files of a folder, named after the file; another package
adds one by an entry point in the group `nlpkit.KIND`, such as

    [project.entry-points."nlpkit.tasks"]
    topics = "my_package.topics"

Listing names reads file names and package metadata, and imports nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from nlpkit.errors import MissingExtra, UsageError, near_match

PACKAGE = Path(__file__).parent


class Shelf(NamedTuple):
    """A kind of plugin: its folder, its name in messages, and the names that a module provides."""

    folder: str
    singular: str
    provides: tuple[str, ...]
    extra: str = "train"  # the extra to install if a module needs a missing package


SHELVES = {
    "architectures": Shelf("architectures", "architecture", ("Config", "Encoder")),
    "augmentations": Shelf("augmentations", "augmentation", ("Config", "build")),
    "checks": Shelf("checks", "check", ("check",)),
    "commands": Shelf("cli/commands", "command", ("app",)),
    "decoders": Shelf("decoders", "decoder", ("Config", "Decoder")),
    "explainers": Shelf("explainers", "method", ("OPENS", "SIGNED", "CAUTION", "weigh")),
    "formats": Shelf("records/formats", "format", ("read", "write")),
    "importing": Shelf("importing", "importer", ("reads", "read")),
    "metrics": Shelf("metrics", "metric", ("FITS", "measure")),
    "objectives": Shelf("objectives", "objective", ("Config",)),
    "steps": Shelf(
        "steps", "step", ("TAKES", "GIVES", "IDEMPOTENT", "EXAMPLES", "Options", "build")
    ),
    "tasks": Shelf("tasks", "task", ("Config", "Task")),
    "tokenizers": Shelf("text/tokenizers", "tokenizer", ("learn", "load")),
    "vector_formats": Shelf("vectorizing/formats", "format", ("BINARY", "write"), "vectors"),
}


# (kind, old name) -> new name, so that old recipes, runs and bundles still work.
RENAMED = {("tasks", "lemma"): "tag"}


def current(kind: str, name: str) -> str:
    """Return the module name of a plugin, given that name, its form as `shown`, or an old name."""
    name = name.replace("-", "_")
    return RENAMED.get((kind, name), f"{name}_" if iskeyword(name) else name)


def shown(name: str) -> str:
    """Return the name that the command line shows for a module: debug-data, or import for import_.

    The last underscore is that of PEP 8: no module can have the name of a keyword.
    """
    bare = name.removesuffix("_")
    return (bare if iskeyword(bare) else name).replace("_", "-")


def names(kind: str) -> list[str]:
    """Return the names of all plugins of a kind, sorted."""
    return sorted({*_own(kind), *_added(kind)})


def known(kind: str, name: str) -> bool:
    """Return whether a plugin exists; entry points are read only if no file has the name."""
    return name in _own(kind) or name in _added(kind)


def load(kind: str, name: str) -> ModuleType:
    """Import and return the module of a plugin.

    Raises:
        UsageError: the plugin does not exist (the message lists those that do, and a near match),
            or another package's plugin cannot be imported or is incomplete.
        MissingExtra: the module needs a package that is not installed.
    """
    shelf, name = SHELVES[kind], current(kind, name)
    if not known(kind, name):
        available = names(kind)
        raise UsageError(
            f"unknown {shelf.singular} {name!r}.{near_match(name, available)} "
            f"There are: {', '.join(available)}"
        )
    if name not in _own(kind):
        return _of_another_package(shelf, name, _added(kind)[name])
    try:
        return import_module(_module(shelf, name))
    except ModuleNotFoundError as problem:
        if problem.name and not problem.name.startswith("nlpkit"):
            raise MissingExtra(shelf.extra, problem.name) from None
        raise


def _of_another_package(shelf: Shelf, name: str, path: str) -> ModuleType:
    """Import another package's plugin.

    Raises:
        UsageError: it cannot be imported, or lacks a name that the kind provides.
    """
    where = f"the {shelf.singular} {name!r} of another package ({path})"
    try:
        module = import_module(path)
    except Exception as problem:  # another package's code may raise any exception
        raise UsageError(
            f"{where} cannot be imported: {type(problem).__name__}: {problem}; "
            "repair or uninstall that package"
        ) from problem
    missing = [each for each in shelf.provides if not hasattr(module, each)]
    if missing:
        raise UsageError(f"{where} lacks {', '.join(missing)}")
    return module


def source_of(kind: str, name: str) -> Path | None:
    """Return the source file of a plugin of nlpkit, by any name; None for another package's."""
    name = current(kind, name)
    return PACKAGE / SHELVES[kind].folder / f"{name}.py" if name in _own(kind) else None


def _module(shelf: Shelf, name: str) -> str:
    return f"nlpkit.{shelf.folder.replace('/', '.')}.{name}"


@cache
def _own(kind: str) -> frozenset[str]:
    folder = PACKAGE / SHELVES[kind].folder
    return frozenset(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def _added(kind: str) -> dict[str, str]:
    """Return the plugins of other packages: name -> module path."""
    return {
        name: module
        for group, name, module in _entry_points(tuple(sys.path))
        if group == f"nlpkit.{kind}" and name not in _own(kind)
    }


@cache
def _entry_points(folders: tuple[str, ...]) -> tuple[tuple[str, str, str], ...]:
    """Return (group, name, module path) of every entry point in a group of nlpkit.

    The files are read directly because importing `importlib.metadata` alone takes longer, and
    every command lists formats and steps when it starts.
    """
    modules: dict[tuple[str, str], str] = {}
    for folder in folders:
        for content in _declarations(folder or "."):
            for group, name, module in _read(content):
                modules.setdefault((group, name), module)  # as with imports, the first wins
    return tuple((group, name, module) for (group, name), module in modules.items())


def _declarations(folder: str) -> Iterator[str]:
    """Yield the contents of the folder's entry_points.txt files that have a group of nlpkit."""
    with suppress(OSError):
        # listdir is ten times as fast as Path.glob, which looks into each of a hundred folders.
        for name in sorted(os.listdir(folder)):  # noqa: PTH208
            if name.endswith((".dist-info", ".egg-info")):
                with suppress(OSError):
                    content = Path(folder, name, "entry_points.txt").read_bytes()
                    if b"[nlpkit." in content:
                        yield content.decode("utf-8", "replace")


def _read(content: str) -> list[tuple[str, str, str]]:
    group, entries = "", []
    for line in map(str.strip, content.splitlines()):
        if line.startswith("["):
            group = line.strip("[]")
        elif group.startswith("nlpkit.") and "=" in line and not line.startswith("#"):
            name, _, module = line.partition("=")
            entries.append((group, name.strip().replace("-", "_"), module.strip()))
    return entries
