"""Find the things of a kind: ours by the files of a folder, other packages' by entry points.

The file's name is the thing's name, so adding one is adding a file; there is no list to edit.
Another package adds a thing by an entry point in the group `nlpkit.KIND`, such as

    [project.entry-points."nlpkit.tasks"]
    topics = "my_package.topics"

Listing reads file names only and imports nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from nlpkit.errors import MissingExtra, UsageError, near_match

PACKAGE = Path(__file__).parent


class Shelf(NamedTuple):
    """Where the files of a kind lie, what one is called, and what each of them provides."""

    folder: str
    singular: str
    provides: tuple[str, ...]
    extra: str = "train"  # named where a file imports a package that is not installed


SHELVES = {
    "architectures": Shelf("architectures", "architecture", ("Config", "Encoder")),
    "augmentations": Shelf("augmentations", "augmentation", ("Config", "build")),
    "checks": Shelf("checks", "check", ("check",)),
    "commands": Shelf("cli/commands", "command", ("app",)),
    "formats": Shelf("records/formats", "format", ("read", "write")),
    "metrics": Shelf("metrics", "metric", ("FITS", "measure")),
    "objectives": Shelf("objectives", "objective", ("Config",)),
    "steps": Shelf(
        "steps", "step", ("TAKES", "GIVES", "IDEMPOTENT", "EXAMPLES", "Options", "build")
    ),
    "tasks": Shelf("tasks", "task", ("Config", "Task")),
    "tokenizers": Shelf("text/tokenizers", "tokenizer", ("learn", "load")),
    "vector_formats": Shelf("vectorizing/formats", "format", ("BINARY", "write"), "vectors"),
}


# Things that were called otherwise: old recipes, runs and bundles go on working.
RENAMED = {("tasks", "lemma"): "tag"}


def current(kind: str, name: str) -> str:
    """Return the name that a thing has now; commands show its `_` as `-`."""
    name = name.replace("-", "_")
    return RENAMED.get((kind, name), name)


def names(kind: str) -> list[str]:
    """Return the names of all things of `kind`, sorted."""
    return sorted({*_own(kind), *_added(kind)})


def known(kind: str, name: str) -> bool:
    """Tell whether there is a thing of that name; others' packages are asked only if need be."""
    return name in _own(kind) or name in _added(kind)


def load(kind: str, name: str) -> ModuleType:
    """Import and return the module of one thing.

    Raises:
        UsageError: there is no such thing (the message has the near match and the list), or one of
            another package cannot be used.
        MissingExtra: it needs a package that is not installed.
    """
    shelf, name = SHELVES[kind], current(kind, name)
    if not known(kind, name):
        there = names(kind)
        raise UsageError(
            f"unknown {shelf.singular} {name!r}.{near_match(name, there)} "
            f"There are: {', '.join(there)}"
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
    """Import a thing of another package. Raises UsageError where it cannot be used."""
    where = f"the {shelf.singular} {name!r} of another package ({path})"
    try:
        module = import_module(path)
    except Exception as problem:  # their code may raise anything
        raise UsageError(
            f"{where} cannot be imported: {type(problem).__name__}: {problem}; "
            "repair or uninstall that package"
        ) from problem
    lacks = [each for each in shelf.provides if not hasattr(module, each)]
    if lacks:
        raise UsageError(f"{where} lacks {', '.join(lacks)}")
    return module


def source_of(kind: str, name: str) -> Path | None:
    """Return the file of a thing of ours; None for one of another package."""
    return PACKAGE / SHELVES[kind].folder / f"{name}.py" if name in _own(kind) else None


def _module(shelf: Shelf, name: str) -> str:
    return f"nlpkit.{shelf.folder.replace('/', '.')}.{name}"


@cache
def _own(kind: str) -> frozenset[str]:
    folder = PACKAGE / SHELVES[kind].folder
    return frozenset(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def _added(kind: str) -> dict[str, str]:
    """Return the things of a kind that other packages add: name -> module."""
    return {
        name: module
        for group, name, module in _entry_points(tuple(sys.path))
        if group == f"nlpkit.{kind}" and name not in _own(kind)
    }


@cache
def _entry_points(folders: tuple[str, ...]) -> tuple[tuple[str, str, str], ...]:
    """Return (group, name, module) of every entry point in a group of ours.

    The files are read here, not by `importlib.metadata`, whose import alone takes longer: a short
    command asks for formats and steps at every start.
    """
    found: dict[tuple[str, str], str] = {}
    for folder in folders:
        for content in _declarations(folder or "."):
            for group, name, module in _read(content):
                found.setdefault((group, name), module)  # as with imports, the first wins
    return tuple((group, name, module) for (group, name), module in found.items())


def _declarations(folder: str) -> Iterator[str]:
    """Yield the contents of the folder's entry_points.txt files that have a group of ours."""
    with suppress(OSError):
        # Not by Path: a glob looks into each of a hundred folders, which takes ten times as long.
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
