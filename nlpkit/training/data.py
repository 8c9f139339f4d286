"""Rows from files to examples: read, kept apart from the tests, sampled, batched by length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from nlpkit.errors import InputError
from nlpkit.records.rows import Row, fingerprint, gold_of, read_records, read_rows
from nlpkit.records.source import column_named
from nlpkit.runtime.batcher import Batch, pad, padded_length
from nlpkit.settings.files import resolve
from nlpkit.settings.recipe import Recipe
from nlpkit.settings.sections import Source, Texts
from nlpkit.tasks import Balanced, Task
from nlpkit.text.documents import Words
from nlpkit.text.unicode import whole
from nlpkit.text.windows import Slide

Found = tuple[Source, Path, list[Row]]

POOL = 64  # batches whose documents are sorted by length together


@dataclass(frozen=True)
class FileCount:
    """What a run keeps of a data file: how many rows it gave, and of which labels."""

    file: str
    rows: int
    labels: dict[str, int]
    licence: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@dataclass
class Split:
    """Documents with their golds; the gold of an unlabelled one is None.

    `priors[i]`: of the labels that row i's file never gives; `weights[i]`: of the row in the loss;
    `taught[i]`: whether teachers have a say on it.
    """

    documents: list[Any] = field(default_factory=list)
    golds: list[Any] = field(default_factory=list)
    priors: list[Mapping[int, float]] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    files: list[FileCount] = field(default_factory=list)
    taught: list[bool] = field(default_factory=list)


def load(recipe: Recipe, task_class: Any) -> tuple[Task, Split, Split]:
    """Return the task, the training split and the dev split of a recipe.

    A training text that also stands in dev or in an excluded file is dropped, so that no score
    is ever earned by memory.

    Raises:
        InputError: a file is missing or unreadable, a label unknown, or a split empty.
    """
    for name, sources in (("train", recipe.data.train), ("dev", recipe.data.dev)):
        if not sources:
            raise InputError(f"no {name} data: give [data] {name} in the recipe, or --{name} FILE")
    excluded = _excluded(recipe)
    dev_rows = _rows(recipe.data.dev, recipe.folder, excluded)
    held_out = excluded | {fingerprint(row.words) for *_, rows in dev_rows for row in rows}
    train_rows = _rows(recipe.data.train, recipe.folder, held_out)
    rows = [row.fields for *_, rows in train_rows for row in rows]
    if not rows and any(rows for *_, rows in _rows(recipe.data.train, recipe.folder, set())):
        raise InputError("every training text also stands in the dev or excluded files; split them")
    task = task_class.from_rows(rows, recipe.task.config)
    train = _split(train_rows, task, recipe, "train")
    if not any(train.weights):
        raise InputError("[data] train: every file has weight 0; there is nothing to learn")
    _add_unlabelled(train, recipe, held_out)
    return task, train, _split(dev_rows, task, recipe, "dev")


def _add_unlabelled(split: Split, recipe: Recipe, held_out: set[str]) -> None:
    """Append the texts that only teachers speak of; copies of labelled ones are left out."""
    if not recipe.distill.teachers:
        return
    taken = held_out | {fingerprint(text) for text in split.documents if isinstance(text, str)}
    texts = list(unlabelled(recipe.distill.texts, recipe.folder, taken, split.files))
    split.documents += texts
    split.golds += [None] * len(texts)
    split.priors += [{}] * len(texts)
    split.weights += [0.0] * len(texts)
    split.taught += [True] * len(texts)


def unlabelled(
    sources: Sequence[Texts], folder: Path, taken: set[str], files: list[FileCount]
) -> Iterator[str]:
    """Yield every text of the sources once, none whose fingerprint is taken.

    Counts of what came go to `files` when a file is done.

    Raises:
        InputError: a file is missing or cannot be read.
    """
    seen: set[bytes] = set()
    for source in sources:
        for path in resolve(source.path, folder):
            count = 0
            for record in read_records(str(path), source.text, source.encoding):
                text = record[column_named(source.text, record) or source.text]
                if not isinstance(text, str) or not text.strip():
                    continue
                key = fingerprint(text)
                digest = blake2b(key.encode("utf-8", "replace"), digest_size=8).digest()
                if key in taken or digest in seen:
                    continue
                seen.add(digest)
                yield whole(text)
                count += 1
                if count == source.most:
                    break
            files.append(_count(source, path, count, {}))


def load_dev(recipe: Recipe, task: Task) -> Split:
    """Return only the dev split, the very one that `load` returns."""
    return _split(_rows(recipe.data.dev, recipe.folder, _excluded(recipe)), task, recipe, "dev")


def _excluded(recipe: Recipe) -> set[str]:
    return fingerprints(recipe.data.exclude, recipe.folder)


def fingerprints(patterns: Sequence[str], folder: Path) -> set[str]:
    """Return the fingerprints of the texts of files that must not be learned from."""
    return {
        fingerprint(str(record["text"] or ""))
        for pattern in patterns
        for path in resolve(pattern, folder)
        for record in read_records(str(path), "text")
    }


def _rows(sources: Sequence[Source], folder: Path, taken: set[str]) -> list[Found]:
    return [
        (source, path, _without(_read(source, path), taken))
        for source in sources
        for path in resolve(source.path, folder)
    ]


def _read(source: Source, path: Path) -> list[Row]:
    return read_rows(
        str(path),
        text=source.text,
        label=source.label,
        encoding=source.encoding,
        every_label=source.every_label,
    )


def _without(rows: list[Row], taken: set[str]) -> list[Row]:
    kept, seen = [], set(taken)
    for row in rows:
        key = fingerprint(row.words)
        if key not in seen:
            seen.add(key)
            kept.append(row)
    return kept


def _split(found: list[Found], task: Task, recipe: Recipe, name: str) -> Split:
    rng = np.random.default_rng(recipe.train.seed)
    split = Split()
    for source, path, rows in found:
        golds = [gold_of(task.gold, row) for row in rows]
        priors = task.priors(golds, source.missing_labels) if isinstance(task, Balanced) else {}
        kept = _sample(_groups(task, golds), source.max_per_label, rng)
        split.documents += [_document(rows[place], source) for place in kept]
        split.golds += [golds[place] for place in kept]
        split.priors += [priors] * len(kept)
        split.weights += [source.weight] * len(kept)
        split.taught += [source.taught] * len(kept)
        labels = task.count([golds[place] for place in kept])
        split.files.append(_count(source, path, len(kept), labels))
    if not split.documents:
        raise InputError(f"the {name} files hold no usable rows")
    return split


def _count(source: Source | Texts, path: Path, rows: int, labels: dict[str, int]) -> FileCount:
    """Return what a run keeps of a file. An absolute path tells of one machine only."""
    name = path.name if Path(source.path).is_absolute() else source.path
    return FileCount(name, rows, labels, source.licence)


def _document(row: Row, source: Source) -> Any:
    return Words(row.text, source.style) if isinstance(row.text, list) else row.text


def _groups(task: Task, golds: list[Any]) -> list[Any]:
    """Return what `max_per_label` counts by: the label, or nothing where there are none."""
    return [task.group(gold) if isinstance(task, Balanced) else None for gold in golds]


def _sample(groups: list[Any], most: int, rng: Any) -> list[int]:
    """Keep at most `most` rows of each group, in the file's order; 0 keeps all."""
    if not most:
        return list(range(len(groups)))
    taken: Counter[Any] = Counter()
    kept = []
    for place in rng.permutation(len(groups)).tolist():
        if taken[groups[place]] < most:
            taken[groups[place]] += 1
            kept.append(place)
    return sorted(kept)


class Epoch:
    """The batches of one epoch: the same for the same seed, epoch and data, wherever it resumes.

    Documents are shuffled, sorted by length inside pools of batches, and the batches shuffled
    again. Of one longer than the window a task that reads all windows sees a random part; one that
    reads the first window only sees that.
    """

    def __init__(
        self, ids: list[np.ndarray], *, batch_size: int, windows: Slide, seed: int, epoch: int
    ) -> None:
        rng = np.random.default_rng([seed, epoch])
        self.ids = ids
        self.window = window = windows.size
        lengths = np.array([len(piece) for piece in ids])
        parts = np.maximum(lengths - window + 1, 1) if windows.WHOLE else np.ones(len(ids))
        self.starts = (rng.random(len(ids)) * parts).astype(int)
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
            pieces = [self.ids[row][slice(*self.span(row))] for row in rows]
            yield pad(pieces, rows, padded_length(max(len(piece) for piece in pieces)))

    def span(self, row: int) -> tuple[int, int]:
        """Return the first and one past the last token that is read of a document."""
        start = int(self.starts[row])
        return start, min(start + self.window, len(self.ids[row]))
