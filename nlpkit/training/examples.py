"""What a network learns from: a recipe's rows as its tokenizer reads them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nlpkit import catalog
from nlpkit.chain import Pipeline
from nlpkit.errors import InputError
from nlpkit.settings.recipe import Recipe
from nlpkit.tasks import Task
from nlpkit.text.windows import Encoder, read_encoder
from nlpkit.text.words import WordEncoder
from nlpkit.training import checkpoint, data, init, tokenizer, word_vectors
from nlpkit.training.distributed import Team
from nlpkit.training.folder import begun
from nlpkit.training.opened import steps_of


@dataclass(frozen=True)
class Examples:
    """The task, its rows and their ids; runs that differ in their network only may share them."""

    task: Task
    train: data.Split
    dev: data.Split
    steps: Pipeline | None
    encoder: Encoder | WordEncoder
    ids: list[np.ndarray]
    vectors_VD: np.ndarray


def load(recipe: Recipe) -> tuple[Task, data.Split, data.Split]:
    """Return a recipe's task, training split and dev split. Raises as `data.load`."""
    return data.load(recipe, catalog.load("tasks", recipe.task.name).Task)


def read(
    recipe: Recipe, rows: tuple[Task, data.Split, data.Split], folder: Path, members: Team
) -> Examples:
    """Train the tokenizer on `rows`, as `load` returned them, and read them by it.

    Raises:
        InputError: the tokenizer keeps nothing of them.
    """
    task, train_split, dev_split = rows
    steps = steps_of(recipe)
    documents = train_split.documents if steps is None else steps.texts(train_split.documents)
    words, vectors_VD = word_vectors.read(recipe)
    encoder = _encoder(recipe, documents, (words, vectors_VD), folder, members)
    ids = encoder.ids(documents)
    _drop_empty(train_split, ids)
    return Examples(task, train_split, dev_split, steps, encoder, ids, vectors_VD)


def _encoder(
    recipe: Recipe,
    documents: list[Any],
    known: tuple[list[str], np.ndarray],
    folder: Path,
    members: Team,
) -> Encoder | WordEncoder:
    """Take the tokenizer of an earlier or interrupted run, or train one, in the leader."""
    path = folder / "tokenizer.json"
    text = None
    if members.leads:
        if not begun(folder):
            source = init.of(recipe)
            made = source.tokenizer if source else None
            made = made or tokenizer.train(documents, recipe.tokenizer, known)
            checkpoint.save_text(path, made)
        text = path.read_text(encoding="utf-8")
    return read_encoder(
        members.share_text(text), window=recipe.tokenizer.window, overlap=recipe.tokenizer.overlap
    )


def _drop_empty(split: data.Split, ids: list[np.ndarray]) -> None:
    """Leave out documents of which the tokenizer keeps nothing."""
    there = [row for row, piece in enumerate(ids) if len(piece)]
    if not there:
        raise InputError("the tokenizer keeps nothing of the training texts")
    split.documents = [split.documents[row] for row in there]
    split.golds = [split.golds[row] for row in there]
    split.priors = [split.priors[row] for row in there]
    split.weights = [split.weights[row] for row in there]
    ids[:] = [ids[row] for row in there]
