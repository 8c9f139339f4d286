"""Rows from files to examples: read, kept apart from the tests, sampled, batched by length."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nlpkit.errors import InputError
from nlpkit.recipe import Recipe, Source, resolve
from nlpkit.rows import Row, gold_of, read_records, read_rows
from nlpkit.runtime.batcher import Batch, pad, padded_length
from nlpkit.tasks import Task

POOL = 64  # batches whose documents are sorted by length together


@dataclass
class Split:
    """Documents with their golds. `weights[i]`: of the labels that row i's file never gives."""

    texts: list[str] = field(default_factory=list)
    golds: list[Any] = field(default_factory=list)
    weights: list[Mapping[int, float]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)


def fingerprint(text: str) -> str:
    """Return the text's letters alone, to find duplicates by.

    Case, punctuation, spacing (sets are tokenised in their own ways), URLs and user names differ
    between copies of one text.
    """
    text = re.sub(r"https?://\S+|www\.\S+|@\w+", " ", text.casefold())
    return "".join(re.findall(r"\w+", text)) or text


def load(recipe: Recipe, task_class: Any) -> tuple[Task, Split, Split]:
    """Return the task, the training split and the dev split of a recipe.

    A training text that also stands in dev or in an excluded file is dropped, so that no score
    is ever earned by memory.

    Raises:
        InputError: a file is missing or unreadable, a label unknown, or a split empty.
    """
    data = recipe.data
    for name, sources in (("train", data.train), ("dev", data.dev)):
        if not sources:
            raise InputError(f"no {name} data: give [data] {name} in the recipe, or --{name} FILE")
    excluded = set()
    for pattern in data.exclude:
        for path in resolve(pattern, recipe.folder):
            excluded |= {fingerprint(r["text"]) for r in read_records(str(path), "text")}
    dev_rows = _rows(data.dev, recipe.folder)
    dev_rows = [(s, p, _without(rows, excluded)) for s, p, rows in dev_rows]
    held_out = excluded | {fingerprint(row.text) for *_, rows in dev_rows for row in rows}
    found = _rows(data.train, recipe.folder)
    train_rows = [(s, p, _without(rows, held_out)) for s, p, rows in found]
    if any(rows for *_, rows in found) and not any(rows for *_, rows in train_rows):
        raise InputError("every training text also stands in the dev or excluded files; split them")
    task = task_class.from_rows(
        [{"label": row.label} for *_, rows in train_rows for row in rows], recipe.task.config
    )
    rng = np.random.default_rng(recipe.train.seed)
    train = _split(train_rows, task, rng)
    dev = _split(dev_rows, task, rng)
    for name, split in (("train", train), ("dev", dev)):
        if not split.texts:
            raise InputError(f"the {name} files hold no usable rows")
    return task, train, dev


def load_dev(recipe: Recipe, task: Task) -> Split:
    """Return only the dev split, as `load` would."""
    return _split(_rows(recipe.data.dev, recipe.folder), task, np.random.default_rng(0))


def _rows(sources: Sequence[Source], folder: Path) -> list[tuple[Source, Path, list[Row]]]:
    return [
        (source, path, read_rows(str(path), text=source.text, label=source.label))
        for source in sources
        for path in resolve(source.path, folder)
    ]


def _without(rows: list[Row], taken: set[str]) -> list[Row]:
    kept, seen = [], set(taken)
    for row in rows:
        key = fingerprint(row.text)
        if key not in seen:
            seen.add(key)
            kept.append(row)
    return kept


def _split(found: list[tuple[Source, Path, list[Row]]], task: Task, rng: Any) -> Split:
    split = Split()
    for source, path, rows in found:
        golds = [gold_of(task, row) for row in rows]
        missing = set(range(len(task.labels))) - set(golds)
        weights = dict.fromkeys(missing, source.missing_labels) if golds else {}
        kept = _sample(golds, source.max_per_label, rng)
        split.texts += [rows[place].text for place in kept]
        split.golds += [golds[place] for place in kept]
        split.weights += [weights] * len(kept)
        counts = Counter(rows[place].label for place in kept)
        split.files.append(
            {
                "file": source.path if path.name in source.path else str(path.name),
                "rows": len(kept),
                "labels": dict(sorted(counts.items())),
                "licence": source.licence,
            }
        )
    return split


def _sample(golds: list[Any], most: int, rng: Any) -> list[int]:
    """Keep at most `most` rows of each label, in the file's order; 0 keeps all."""
    if not most:
        return list(range(len(golds)))
    taken: Counter[Any] = Counter()
    kept = []
    for place in rng.permutation(len(golds)).tolist():
        if taken[golds[place]] < most:
            taken[golds[place]] += 1
            kept.append(place)
    return sorted(kept)


class Epoch:
    """The batches of one epoch: the same for the same seed, epoch and data, wherever it resumes.

    Documents are shuffled, sorted by length inside pools of batches, and the batches shuffled
    again. One longer than the window is read from a random place.
    """

    def __init__(
        self, ids: list[np.ndarray], *, batch_size: int, window: int, seed: int, epoch: int
    ) -> None:
        rng = np.random.default_rng([seed, epoch])
        self.ids = ids
        self.window = window
        lengths = np.array([len(piece) for piece in ids])
        self.starts = (rng.random(len(ids)) * np.maximum(lengths - window + 1, 1)).astype(int)
        order = rng.permutation(len(ids))
        pools = [
            order[start : start + POOL * batch_size]
            for start in range(0, len(order), POOL * batch_size)
        ]
        order = np.concatenate([pool[np.argsort(lengths[pool], kind="stable")] for pool in pools])
        self.rows = [
            order[start : start + batch_size].tolist() for start in range(0, len(order), batch_size)
        ]
        rng.shuffle(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def batches(self, first: int, rank: int, world: int) -> Iterator[Batch]:
        """Yield this process's batches from step `first` on; all processes get equally many."""
        for step in range(first, len(self.rows) // world):
            rows = self.rows[step * world + rank]
            pieces = [
                self.ids[row][self.starts[row] : self.starts[row] + self.window] for row in rows
            ]
            yield pad(pieces, rows, padded_length(max(len(piece) for piece in pieces)))
