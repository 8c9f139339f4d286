"""Tokenise the rows of a recipe into training examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nlpkit import catalog, tasks, text
from nlpkit.abilities import Taught
from nlpkit.chain import Pipeline
from nlpkit.errors import InputError, quoted
from nlpkit.runtime.model import framing_of
from nlpkit.settings.files import resolve
from nlpkit.settings.recipe import Recipe
from nlpkit.tasks import Task
from nlpkit.text import Tokenizer, WordVectors
from nlpkit.text.subwords import Subwords, by_simple_words
from nlpkit.training import checkpoint, data, init, word_vectors
from nlpkit.training.distributed import Team
from nlpkit.training.folder import begun
from nlpkit.training.opened import steps_of


@dataclass(frozen=True)
class Examples:
    """A task, its rows and their ids; runs that differ only in their network may share them.

    `ids` has an array [T] (or [T, F]) for each training document, `offsets` an array [T, 2] of
    character spans, (first, one past the last), or is None unless the task sets OFFSETS.
    """

    task: Task
    train: data.Split
    dev: data.Split
    steps: Pipeline | None
    tokenizer: Tokenizer
    ids: list[np.ndarray]
    offsets: list[np.ndarray] | None
    vectors: WordVectors


def load(recipe: Recipe) -> tuple[Task, data.Split, data.Split]:
    """Return a recipe's task, with the files that it needs, training split and dev split.

    Raises:
        InputError: as `data.load`, or a file that the task needs is missing or damaged.
    """
    loaded = data.load(recipe, tasks.class_of(recipe.task.name))
    _equip(loaded[0], recipe.folder)
    return loaded


def _equip(task: Any, folder: Path) -> None:
    """Give a task the files that its settings name; `folder` is that of the recipe.

    Raises:
        InputError: a file is missing or damaged.
    """

    def content(name: str) -> bytes:
        (path, *_) = resolve(task.needs[name], folder)
        return path.read_bytes()

    try:
        tasks.equip(task, content)
    except ValueError as problem:
        files = ", ".join(map(quoted, task.needs.values()))
        raise InputError(f"{files}: {problem}; build it again") from None


def read(
    recipe: Recipe, rows: tuple[Task, data.Split, data.Split], folder: Path, members: Team
) -> Examples:
    """Learn the tokenizer from `rows`, which `load` returned, and encode the training documents.

    A tokenizer of an interrupted run in `folder`, or of the run to start from, is used instead.

    Raises:
        InputError: the tokenizer finds no token in the training texts.
    """
    task, train_split, dev_split = rows
    steps = steps_of(recipe)
    documents: Sequence[Any] = train_split.documents
    if steps is not None:
        documents = steps.texts(train_split.documents)
    if isinstance(task, Taught):
        documents = task.taught(documents, train_split.golds)
    vectors = word_vectors.read(recipe)
    learned_from = [*documents, *_written(task, train_split)]
    tokenizer = _tokenizer(recipe, learned_from, task.WRITES, vectors, folder, members)
    bounds = framing_of(task, tokenizer)
    # A language model needs the offsets of its tokens for answers, but not for targets.
    encoded = text.encode(
        tokenizer, documents, offsets=task.OFFSETS and not task.WRITES, bounds=bounds
    )
    ids, offsets = encoded.each(), None
    if encoded.offsets_S2 is not None:
        offsets = text.split(encoded.offsets_S2, encoded.lengths_N)
    fits = [len(piece) > 0 for piece in ids]
    if isinstance(task, Taught):
        suits = task.fits(ids, train_split.golds, tokenizer, recipe.tokenizer.window)
        fits = [one and other for one, other in zip(fits, suits, strict=True)]
    _keep(fits, train_split, ids, offsets)
    return Examples(task, train_split, dev_split, steps, tokenizer, ids, offsets, vectors)


def _written(task: Task, split: data.Split) -> list[str]:
    """Return the gold texts of a task that writes, which the tokenizer must learn as well."""
    return [getattr(gold, "taught", gold.text) for gold in split.golds] if task.WRITES else []


def _tokenizer(
    recipe: Recipe,
    documents: Sequence[Any],
    bounds: bool,
    vectors: WordVectors,
    folder: Path,
    members: Team,
) -> Tokenizer:
    """Return the tokenizer of the interrupted run, or of the run to start from, or a learned one.

    The leader reads or learns it and shares it with the other processes.
    """
    path, kind = folder / "tokenizer.json", recipe.tokenizer.kind
    content = None
    if members.leads:
        if not begun(folder):
            source = init.of(recipe)
            content = _of_source(recipe, source.tokenizer) if source else None
            content = content or learn(recipe, documents, bounds, vectors).to_json()
            checkpoint.save_text(path, content)
        content = path.read_text(encoding="utf-8")
    return text.load(kind, members.share_text(content), recipe.data.languages)


def _of_source(recipe: Recipe, content: str) -> str:
    """Return the tokenizer of the model to start from; the recipe may ask for simple words."""
    tokenizer = text.load(recipe.tokenizer.kind, content, recipe.data.languages)
    if not recipe.tokenizer.simple_words or not isinstance(tokenizer, Subwords):
        return content
    return by_simple_words(tokenizer).to_json()


def learn(
    recipe: Recipe, documents: Sequence[Any], bounds: bool, vectors: WordVectors
) -> Tokenizer:
    """Learn a tokenizer from documents with a recipe's settings.

    `bounds` adds bos and eos for tasks that write; `vectors` are those of a words tokenizer.

    Raises:
        InputError: the documents have no text to learn from.
    """
    module = catalog.load("tokenizers", recipe.tokenizer.kind)
    tokenizer: Tokenizer = module.learn(documents, recipe.tokenizer, bounds=bounds, vectors=vectors)
    return tokenizer


def _keep(
    fits: Sequence[bool],
    split: data.Split,
    ids: list[np.ndarray],
    offsets: list[np.ndarray] | None,
) -> None:
    """Remove the documents that do not fit: those without tokens, and those that a task rejects."""
    rows = [row for row, fit in enumerate(fits) if fit]
    if not rows:
        raise InputError(
            "the tokenizer finds no token in the training texts, or all are too long; "
            "check data.train and the tokenizer"
        )
    for name in ("documents", "golds", "priors", "weights", "taught"):
        values = getattr(split, name)  # copied, since other examples may share the list
        setattr(split, name, [values[row] for row in rows])
    ids[:] = [ids[row] for row in rows]
    if offsets is not None:
        offsets[:] = [offsets[row] for row in rows]
