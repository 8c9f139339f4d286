"""What a network learns from: a recipe's rows as its tokenizer reads them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nlpkit import catalog, tasks, text
from nlpkit.chain import Pipeline
from nlpkit.errors import InputError
from nlpkit.settings.recipe import Recipe
from nlpkit.tasks import Task
from nlpkit.text import Tokenizer, WordVectors
from nlpkit.training import checkpoint, data, init, word_vectors
from nlpkit.training.distributed import Team
from nlpkit.training.folder import begun
from nlpkit.training.opened import steps_of


@dataclass(frozen=True)
class Examples:
    """The task, its rows and their ids; runs that differ in their network only may share them.

    `offsets`: (first, one past the last) character of each token, where the task asks for them.
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
    """Return a recipe's task, training split and dev split. Raises as `data.load`."""
    return data.load(recipe, tasks.class_of(recipe.task.name))


def read(
    recipe: Recipe, rows: tuple[Task, data.Split, data.Split], folder: Path, members: Team
) -> Examples:
    """Learn the tokenizer from `rows`, as `load` returned them, and read them by it.

    Raises:
        InputError: the tokenizer keeps nothing of them.
    """
    task, train_split, dev_split = rows
    steps = steps_of(recipe)
    documents = train_split.documents if steps is None else steps.texts(train_split.documents)
    vectors = word_vectors.read(recipe)
    learned_from = [*documents, *_written(task, train_split)]
    tokenizer = _tokenizer(recipe, learned_from, task.WRITES, vectors, folder, members)
    encoded = text.encode(tokenizer, documents, offsets=task.OFFSETS)
    ids, offsets = encoded.each(), None
    if encoded.offsets_S2 is not None:
        offsets = text.split(encoded.offsets_S2, encoded.lengths_N)
    _drop_empty(train_split, ids, offsets)
    return Examples(task, train_split, dev_split, steps, tokenizer, ids, offsets, vectors)


def _written(task: Task, split: data.Split) -> list[str]:
    """Return the texts that the task is to write, which the tokenizer must know too."""
    return [gold.text for gold in split.golds] if task.WRITES else []


def _tokenizer(
    recipe: Recipe,
    documents: list[Any],
    bounds: bool,
    vectors: WordVectors,
    folder: Path,
    members: Team,
) -> Tokenizer:
    """Take the tokenizer of an earlier or interrupted run, or learn one, in the leader."""
    path, kind = folder / "tokenizer.json", recipe.tokenizer.kind
    content = None
    if members.leads:
        if not begun(folder):
            source = init.of(recipe)
            content = source.tokenizer if source else None
            content = content or learn(recipe, documents, bounds, vectors).to_json()
            checkpoint.save_text(path, content)
        content = path.read_text(encoding="utf-8")
    return text.load(kind, members.share_text(content), recipe.data.languages)


def learn(recipe: Recipe, documents: list[Any], bounds: bool, vectors: WordVectors) -> Tokenizer:
    """Return the tokenizer that a recipe's kind learns from documents. Raises InputError."""
    module = catalog.load("tokenizers", recipe.tokenizer.kind)
    made: Tokenizer = module.learn(documents, recipe.tokenizer, bounds=bounds, vectors=vectors)
    return made


def _drop_empty(split: data.Split, ids: list[np.ndarray], offsets: list[np.ndarray] | None) -> None:
    """Leave out documents of which the tokenizer keeps nothing."""
    there = [row for row, piece in enumerate(ids) if len(piece)]
    if not there:
        raise InputError("the tokenizer keeps nothing of the training texts")
    for name in ("documents", "golds", "priors", "weights", "taught"):
        kept = getattr(split, name)  # a list that other examples may share
        setattr(split, name, [kept[row] for row in there])
    ids[:] = [ids[row] for row in there]
    if offsets is not None:
        offsets[:] = [offsets[row] for row in there]
