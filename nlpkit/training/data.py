"""Read training rows, drop copies of test texts, sample rows and batch them by length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from nlpkit import tasks
from nlpkit.abilities import Balanced, Inventoried, Labelled, Partial
from nlpkit.errors import InputError, NoColumn, quoted
from nlpkit.records.rows import Row, fingerprint, gold_of, read_records, read_rows
from nlpkit.records.source import column_named
from nlpkit.settings.files import resolve
from nlpkit.settings.recipe import Recipe
from nlpkit.settings.sections import Source, Texts
from nlpkit.tasks import Task
from nlpkit.text.documents import Words
from nlpkit.text.unicode import whole

FileRows = tuple[Source, Path, list[Row]]  # a data file with its rows

# Columns of texts that must not be trained on; files of translations have two.
HELD_OUT = (("text",), ("tokens",), ("words",), ("en", "pt"))


@dataclass(frozen=True)
class FileCount:
    """The entry of a data file in run.json: its used rows, their labels and its licence."""

    file: str
    rows: int
    labels: dict[str, int]
    licence: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@dataclass
class Split:
    """Documents with their golds; the gold of an unlabelled document is None.

    `priors[i]` maps labels that row i's file never uses to their priors, `weights[i]` is the row's
    weight in the loss, and `taught[i]` tells whether the teachers' answers for it are used.
    """

    documents: list[Any] = field(default_factory=list)
    golds: list[Any] = field(default_factory=list)
    priors: list[Mapping[int, float]] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    files: list[FileCount] = field(default_factory=list)
    taught: list[bool] = field(default_factory=list)


def load(recipe: Recipe, task_class: Any) -> tuple[Task, Split, Split]:
    """Return the task, the training split and the dev split of a recipe.

    Training texts that are also in dev or in an excluded file are dropped, so that no score comes
    from memorised texts.

    Raises:
        InputError: a file is missing or unreadable, a label is unknown, or a split is empty.
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
        raise InputError(
            "every training text is also in the dev or excluded files; give other training files"
        )
    check: Any = task_class.check if isinstance(task_class, Inventoried) else None
    if isinstance(task_class, Labelled):
        check = lambda fields: task_class.label_of(fields["label"])  # noqa: E731
    for row in (row for *_, rows in train_rows for row in rows if check):  # errors name the line
        gold_of(check, row)
    task = task_class.from_rows(rows, recipe.task.config)
    train = _split(train_rows, task, recipe, "train")
    if not any(train.weights):
        raise InputError("[data] train: every file has weight 0; give one file a larger weight")
    _add_unlabelled(train, recipe, held_out)
    return task, train, _split(dev_rows, task, recipe, "dev")


def _add_unlabelled(split: Split, recipe: Recipe, held_out: set[str]) -> None:
    """Append the unlabelled texts for teachers, without copies of labelled ones."""
    if not recipe.distill.teachers:
        return
    excluded = held_out | {fingerprint(text) for text in split.documents if isinstance(text, str)}
    texts = list(unlabelled(recipe.distill.texts, recipe.folder, excluded, split.files))
    split.documents += texts
    split.golds += [None] * len(texts)
    split.priors += [{}] * len(texts)
    split.weights += [0.0] * len(texts)
    split.taught += [True] * len(texts)


def unlabelled(
    sources: Sequence[Texts], folder: Path, excluded: set[str], files: list[FileCount]
) -> Iterator[str]:
    """Yield each distinct text of the sources, except those whose fingerprint is in `excluded`.

    When a file is done, its count is appended to `files`.

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
                if key in excluded or digest in seen:
                    continue
                seen.add(digest)
                yield whole(text)
                count += 1
                if count == source.most:
                    break
            files.append(_count(source, path, count, {}))


def load_dev(recipe: Recipe, task: Task) -> Split:
    """Return the dev split only, equal to that of `load`."""
    return _split(_rows(recipe.data.dev, recipe.folder, _excluded(recipe)), task, recipe, "dev")


def _excluded(recipe: Recipe) -> set[str]:
    return fingerprints(recipe.data.exclude, recipe.folder)


def fingerprints(patterns: Sequence[str], folder: Path) -> set[str]:
    """Return the fingerprints of the texts of files that must not be trained on.

    Raises:
        InputError: a file is missing or cannot be read.
    """
    return {
        fingerprint(text)
        for pattern in patterns
        for path in resolve(pattern, folder)
        for text in _texts(path)
    }


def _texts(path: Path) -> Iterator[str]:
    """Yield the texts of a file of any task; those of lists of words are joined by spaces."""
    for columns in HELD_OUT:
        with suppress(NoColumn):
            for record in read_records(str(path), columns[0]):
                for column in columns:
                    text = record[column_named(column, record) or column]
                    yield text if isinstance(text, str) else " ".join(text or ())
            return
    names = ", ".join(column for columns in HELD_OUT for column in columns)
    raise InputError(f"{quoted(path)}: has none of the columns {names}")


def _rows(sources: Sequence[Source], folder: Path, excluded: set[str]) -> list[FileRows]:
    """Read the files of sources, without the texts whose fingerprint is in `excluded`."""
    return [
        (source, path, _without(_read(source, path), excluded))
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
        names=source.labels or source.types,
    )


def _without(rows: list[Row], excluded: set[str]) -> list[Row]:
    """Return the rows without copies of each other or of the fingerprints `excluded`."""
    remaining, seen = [], set(excluded)
    for row in rows:
        key = fingerprint(row.words)
        if key not in seen:
            seen.add(key)
            remaining.append(row)
    return remaining


def _split(files: list[FileRows], task: Task, recipe: Recipe, name: str) -> Split:
    """Sample the rows of each file into a split; `name` is train or dev."""
    rng = np.random.default_rng(recipe.train.seed)
    split = Split()
    for source, path, rows in files:
        golds = tasks.golds_of(task, rows)
        priors = task.priors(golds, source.missing_labels) if isinstance(task, Partial) else {}
        sampled = _sample(_groups(task, golds), source.max_per_label, rng)
        split.documents += [_document(rows[row], source) for row in sampled]
        split.golds += [golds[row] for row in sampled]
        split.priors += [priors] * len(sampled)
        split.weights += [source.weight] * len(sampled)
        split.taught += [source.taught] * len(sampled)
        labels = task.count([golds[row] for row in sampled])
        split.files.append(_count(source, path, len(sampled), labels))
    if not split.documents:
        raise InputError(f"the {name} files hold no usable rows; check [data] {name} and exclude")
    return split


def _count(source: Source | Texts, path: Path, rows: int, labels: dict[str, int]) -> FileCount:
    """Return a file's entry; an absolute path is private to a machine, so only its name is kept."""
    name = path.name if Path(source.path).is_absolute() else source.path
    return FileCount(name, rows, labels, source.licence)


def _document(row: Row, source: Source) -> Any:
    if source.style and not isinstance(row.text, list):
        raise InputError(f'{source.path}: style is for lists of words, such as text = "tokens"')
    return Words(row.text, source.style) if isinstance(row.text, list) else row.text


def _groups(task: Task, golds: list[Any]) -> list[Any]:
    """Return the key by which `max_per_label` counts each gold; None for tasks without labels."""
    return [task.group(gold) if isinstance(task, Balanced) else None for gold in golds]


def _sample(groups: list[Any], most: int, rng: Any) -> list[int]:
    """Return the indices of at most `most` random rows of each group, sorted; 0 keeps all."""
    if not most:
        return list(range(len(groups)))
    counts: Counter[Any] = Counter()
    sampled = []
    for row in rng.permutation(len(groups)).tolist():
        if counts[groups[row]] < most:
            counts[groups[row]] += 1
            sampled.append(row)
    return sorted(sampled)
