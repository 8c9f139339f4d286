"""Helpers for the tests of tuning: a search that takes seconds."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conftest import PATIENCE, tiny_tree

from nlpkit.jobs import tune as job
from nlpkit.settings import declaration
from nlpkit.tuning.trial import Outcome

SMALL = ["train.epochs=2", "train.batch_size=32", "tokenizer.vocab_size=300"]
TINY = {
    "atnet": ["architecture.embedding=16", "architecture.filters=16"],
    "bow": ["architecture.buckets=1024", "architecture.chars=[3, 4]"],
}
EVENTS: list[Any] = []


def recipe_file(folder: Path, data: Path, arch: str = "bow", **changes: Any) -> str:
    tree = tiny_tree(arch, **changes) | {"folder": str(data)}
    (folder / "r.toml").write_text(declaration.toml(tree), encoding="utf-8")
    return str(folder / "r.toml")


def tune(
    recipe: str,
    folder: Path,
    *,
    arch: tuple[str, ...] = ("bow",),
    fixed: list[str] = SMALL,
    seconds: float = PATIENCE,
    listener: Callable[[Any], None] = EVENTS.append,
    **options: Any,
) -> Outcome:
    EVENTS.clear()
    options = {"metric": None, "trials": 2, "max_bytes": None, "min_speed": None} | options
    options = {"seed": 1, "device": "cpu", "resume": False} | options
    tiny = [item for name in arch for item in TINY.get(name, [])]
    found = job.branches(recipe, arch, [*tiny, *fixed])
    return job.tune(
        found, folder, deadline=time.monotonic() + seconds, listener=listener, **options
    )


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
