"""What teachers say of every training text, as soft labels (Hinton et al. 2015).

Legend: N documents, C labels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nlpkit import zoo
from nlpkit.errors import InputError, UsageError
from nlpkit.records import TEXT
from nlpkit.records.rows import read_records
from nlpkit.runtime import onepass
from nlpkit.runtime.model import Model
from nlpkit.settings.recipe import Recipe
from nlpkit.tasks import Distillable
from nlpkit.training import checkpoint
from nlpkit.training.data import Split
from nlpkit.training.events import Asked, Listener
from nlpkit.training.opened import open_run

STRETCH = 4096  # documents between two reports
ANSWERS = ".teachers"  # beside the runs: other students of the same texts need not ask again
# What answers depend on: of a run its weights and what became of the task, of a bundle its hashes.
TOLD_BY = ("model.safetensors", "run.json", "bundle.json")


def taught(
    recipe: Recipe,
    task: Any,
    split: Split,
    folder: Path,
    device: str,
    listener: Listener,
) -> Tensor | None:
    """Return the mean of the teachers' calibrated outputs on each document (probs_NC).

    A teacher may be a file of answers: JSON Lines of `text` and `scores` as `predict --to jsonl`
    writes them, whoever gave them. A document on which nobody has a say has zeros. What models
    answer is kept beside the run's folder, for a resumed run and other students.

    Raises:
        ModelError: a teacher is not there, or damaged.
        UsageError: a teacher is of another task or has other labels.
    """
    if not recipe.distill.teachers or not isinstance(task, Distillable):
        return None
    places = [_place(name, recipe.folder) for name in recipe.distill.teachers]
    files = [place for place in places if place.suffix == ".jsonl"]
    places = [place for place in places if place not in files]
    teachers = [_opened(place, device) for place in places]
    for place, teacher in zip(places, teachers, strict=True):
        if type(teacher.task) is not type(task) or teacher.task.labels != task.labels:
            theirs, ours = (_described(one) for one in (teacher.task, task))
            raise UsageError(f"teacher {place}: {theirs}, where the recipe has {ours}")
    shelf = folder.parent / ANSWERS
    shelf.mkdir(exist_ok=True)
    texts = hashlib.sha256(repr(split.documents).encode("utf-8", "replace"))
    total, voices = torch.zeros(len(split.documents), len(task.labels)), torch.tensor(0.0)
    for file in files:
        said = torch.from_numpy(_answers(file, split.documents, task.labels))
        total, voices = total + said, voices + said.any(dim=1, keepdim=True)
    for place, teacher in zip(places, teachers, strict=True):
        digest = texts.copy()
        for name in TOLD_BY:
            digest.update((place / name).read_bytes() if (place / name).exists() else b"-")
        path = shelf / f"{digest.hexdigest()[:24]}.safetensors"
        if not path.exists():
            said = torch.from_numpy(_said(teacher, split.documents, listener).astype(np.float32))
            checkpoint.save_tensors(path, {"said": said}, {"teacher": teacher.name})
        total, voices = total + checkpoint.load_tensors(path)[0]["said"], voices + 1
    return total / voices.clamp_min(1) * torch.tensor(split.taught)[:, None]


def _described(task: Distillable) -> str:
    return f"task {type(task).__module__.rpartition('.')[2]} with {', '.join(task.labels)[:200]}"


def _place(name: str, folder: Path) -> Path:
    """Return the folder of a teacher: a path from the recipe or from here, or a bundle's name."""
    found = [
        path
        for path in (folder / name, Path(name))
        if zoo.is_run(str(path)) or (path.suffix == ".jsonl" and path.is_file())
    ]
    return found[0] if found else zoo.find_bundle(name)


def _opened(place: Path, device: str) -> Model:
    # ONNX Runtime may lack the GPU that torch has.
    return (
        open_run(place, device)[0]
        if zoo.is_run(str(place))
        else zoo.load(str(place), device="auto")
    )


def _answers(path: Path, documents: Sequence[Any], labels: Sequence[str]) -> Any:
    """Return what a file says of each document (probs_NC), zeros of those that it lacks.

    Raises:
        InputError: a line has no text or no probability for each label.
        UsageError: it knows none of the documents.
    """
    places: dict[str, list[int]] = {}
    for place, document in enumerate(documents):
        places.setdefault(document, []).append(place)
    said_NC = np.zeros((len(documents), len(labels)), dtype=np.float32)
    for number, record in enumerate(read_records(str(path), TEXT), 1):
        scores = record.get("scores")
        if not isinstance(scores, dict) or set(scores) != set(labels):
            raise InputError(f"{path}:{number}: no scores for {', '.join(labels)} here")
        probs_C = np.array([scores[label] for label in labels], dtype=np.float32)
        if not np.isclose(probs_C.sum(), 1, atol=0.01) or probs_C.min() < 0:
            raise InputError(
                f"{path}:{number}: its scores are no probabilities, {probs_C.tolist()}"
            )
        said_NC[places.get(record[TEXT], [])] = probs_C
    if not said_NC.any():
        raise UsageError(f"teacher {path}: says nothing of any text of the recipe")
    return said_NC


def _said(teacher: Any, documents: Sequence[Any], listener: Listener) -> Any:
    """Return probs_NC; a document of which the teacher keeps nothing is taught as undecided."""
    count = len(teacher.task.labels)
    said_NC = np.full((len(documents), count), 1 / count)
    for start in range(0, len(documents), STRETCH):
        outputs = onepass.outputs(teacher, documents[start : start + STRETCH])
        kept = [row for row, output in enumerate(outputs) if output is not None]
        if kept:
            there = [outputs[row] for row in kept]
            said_NC[start + np.array(kept)] = teacher.task.probabilities(there)
        listener(Asked(teacher.name, start, len(documents)))
    return said_NC
