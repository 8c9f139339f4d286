"""Find the things of a kind by looking at the folder: the file's name is the thing's name.

Adding an architecture, task or format is adding one file; there is no list to edit.
Listing reads file names only and imports nothing.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nlpkit import _fields
from nlpkit.errors import MissingExtra, UsageError, near_match

if TYPE_CHECKING:
    from nlpkit.tasks import Task

SINGULAR = {
    "architectures": "architecture",
    "augmentations": "augmentation",
    "cli": "command",
    "objectives": "objective",
    "records": "format",
    "steps": "step",
    "tasks": "task",
    "vectors": "format",
}


def names(kind: str) -> list[str]:
    """Return the names of all things of `kind` (a folder of the package), sorted."""
    folder = Path(__file__).parent / kind
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def load(kind: str, name: str) -> ModuleType:
    """Import and return the module of one thing.

    Raises:
        UsageError: there is no such thing; the message has the near match and the list.
        MissingExtra: it is written in torch, which is not installed.
    """
    known = names(kind)
    if name not in known:
        raise UsageError(
            f"unknown {SINGULAR[kind]} {name!r}.{near_match(name, known)} "
            f"There are: {', '.join(known)}"
        )
    try:
        return import_module(f"nlpkit.{kind}.{name}")
    except ModuleNotFoundError as problem:
        if problem.name and not problem.name.startswith("nlpkit"):
            raise MissingExtra("train", problem.name) from None
        raise


def build_task(described: dict[str, Any]) -> Task:
    """Rebuild a task from its name and what its `describe` kept.

    Raises:
        UsageError: there is no such task.
        KeyError, ValueError: the description is damaged.
    """
    module = load("tasks", described["name"])
    problems: list[str] = []
    config = _fields.build(module.Config, described["config"], "task", problems)
    if problems:
        raise ValueError("; ".join(problems))
    rest = {k: v for k, v in described.items() if k not in ("name", "labels", "config")}
    task: Task = module.Task(config, described["labels"], **rest)
    return task
