"""A run folder: trained from a recipe, resumed after a kill.

recipe.toml        the resolved recipe      tokenizer.json     the tokenizer
model.safetensors  the best epoch           last.safetensors   where --resume continues
metrics.jsonl      one line an epoch        run.json           what came of it; written last
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch

from nlpkit import __version__, augmentations, catalog
from nlpkit.chain import Pipeline
from nlpkit.errors import InputError
from nlpkit.runtime.model import Model
from nlpkit.settings.recipe import Recipe
from nlpkit.tasks import Task
from nlpkit.text.windows import Encoder, read_encoder
from nlpkit.text.words import WordEncoder
from nlpkit.training import checkpoint, data, distill, init, network, tokenizer, word_vectors
from nlpkit.training.descent import Listener
from nlpkit.training.distributed import Team
from nlpkit.training.folder import FORMAT, at_work, begun
from nlpkit.training.judge import Judge
from nlpkit.training.loop import Loop, Variants
from nlpkit.training.opened import steps_of


@dataclass(frozen=True)
class Examples:
    """What a network learns from: rows as a tokenizer reads them. Runs that differ in their
    network only may share them."""

    task: Task
    train: data.Split
    dev: data.Split
    steps: Pipeline | None
    encoder: Encoder | WordEncoder
    ids: list[np.ndarray]
    vectors_VD: np.ndarray


def train(
    recipe: Recipe,
    folder: Path,
    *,
    device: str,
    resume: bool,
    listener: Listener,
    given: Examples | None = None,
) -> dict[str, Any]:
    """Train a model into `folder` and return the summary that run.json holds.

    `given` are the recipe's examples, where they were made before.

    Raises:
        UsageError: the folder already holds a run and `resume` was not asked for.
        InputError: the data cannot be used.
        DeviceError: torch cannot use the device.
    """
    threads = recipe.train.threads
    with at_work(recipe, folder, device=device, threads=threads, resume=resume) as members:
        if given:
            checkpoint.save_text(folder / "tokenizer.json", given.encoder.to_json())
        return _train(recipe, folder, members, resume, listener, given)


def load(recipe: Recipe) -> tuple[Task, data.Split, data.Split]:
    """Return a recipe's task, training split and dev split. Raises as `data.load`."""
    return data.load(recipe, catalog.load("tasks", recipe.task.name).Task)


def examples(
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


def _train(
    recipe: Recipe,
    folder: Path,
    members: Team,
    resume: bool,
    listener: Listener,
    given: Examples | None,
) -> dict[str, Any]:
    started = time.monotonic()
    made = given or examples(recipe, load(recipe), folder, members)
    task, train_split, dev_split = made.task, made.train, made.dev
    encoder, ids, steps = made.encoder, made.ids, made.steps
    torch.manual_seed(recipe.train.seed)
    net = network.build(recipe, task, encoder).to(members.device)
    if len(made.vectors_VD):
        net.encoder.start_from(torch.from_numpy(made.vectors_VD))
    resumed = resume and begun(folder)
    source, told = init.start(recipe, folder, resumed, members.leads)
    init.load(source, net.encoder)
    torch.manual_seed(recipe.train.seed + members.rank)
    model = Model(recipe.name, task, encoder, network.TorchRun(net, members.device), steps=steps)
    taught = None
    if members.leads:
        taught = distill.taught(recipe, task, train_split, folder, str(members.device), listener)
    loop = Loop(
        recipe=recipe,
        network=net,
        model=model,
        train=(train_split, ids),
        dev=dev_split,
        folder=folder,
        team=members,
        listener=listener,
        taught=members.share_tensor(taught),
        variants=_variants(recipe, train_split.documents, ids, model),
    )
    parameters = sum(weight.numel() for weight in net.parameters())
    if members.leads:
        listener(
            {
                "event": "start",
                "train": len(ids),
                "dev": len(dev_split.documents),
                "parameters": parameters,
                "vocab_size": encoder.vocab_size,
            }
        )
    if members.agree([float(resumed)])[0]:
        loop.resume()
    state = loop.run()
    if not members.leads:
        return {}
    tensors, _ = checkpoint.load_tensors(folder / "model.safetensors")
    net.load_state_dict(tensors)
    judge = Judge(model, dev_split, recipe.data.choose_by)
    if recipe.train.shift_labels:
        judge.fit_shift()
    temperature = judge.temperature()
    summary = {
        "format": FORMAT,
        "name": recipe.name,
        "task": {"name": recipe.task.name} | judge.task.describe(),
        "vocab_size": encoder.vocab_size,
        "parameters": parameters,
        "epochs": state.epoch,
        "best_epoch": state.best_epoch,
        "temperature": temperature,
        "dev": judge.scores(temperature),
        "dev_files": judge.by_file(temperature),
        "data": {"train": train_split.files, "dev": dev_split.files},
        "init": told,
        "teachers": list(recipe.distill.teachers),
        "seconds": round(time.monotonic() - started, 1),
        "versions": {"nlpkit": __version__, "torch": torch.__version__},
    }
    checkpoint.save_text(
        folder / "run.json", json.dumps(summary, ensure_ascii=False, indent=2) + "\n"
    )
    return summary


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


def _variants(
    recipe: Recipe, documents: list[Any], ids: list[np.ndarray], model: Model
) -> Variants | None:
    """Return what makes an epoch's ids of augmented texts; None where nothing is augmented.

    A text of which an augmentation leaves no token is read as it was.
    """
    if not recipe.augment:
        return None
    augment = augmentations.build(recipe.augment, recipe.folder)

    def variants(epoch: int) -> list[np.ndarray]:
        seed = recipe.train.seed
        texts = [
            augment(text, Random(f"{seed} {epoch} {row}")) for row, text in enumerate(documents)
        ]
        fresh = model.encoder.ids(texts if model.steps is None else model.steps.texts(texts))
        return [new if len(new) else old for new, old in zip(fresh, ids, strict=True)]

    return variants
