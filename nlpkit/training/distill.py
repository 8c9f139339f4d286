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

from nlpkit import load, zoo
from nlpkit.errors import UsageError
from nlpkit.recipe import Recipe
from nlpkit.runtime.model import Model
from nlpkit.tasks import Task
from nlpkit.training import checkpoint
from nlpkit.training.data import Split
from nlpkit.training.descent import Listener
from nlpkit.training.opened import open_run

STRETCH = 4096  # documents between two reports
ANSWERS = ".teachers"  # beside the runs: other students of the same texts need not ask again
# What answers depend on: of a run its weights and what became of the task, of a bundle its hashes.
TOLD_BY = ("model.safetensors", "run.json", "bundle.json")


def taught(
    recipe: Recipe,
    task: Task,
    split: Split,
    folder: Path,
    device: str,
    listener: Listener,
) -> Tensor | None:
    """Return the mean of the teachers' calibrated outputs on each document (probs_NC).

    A document on which they have no say has zeros. Each teacher's answers are kept beside
    the run's folder, for a resumed run and other students.

    Raises:
        ModelError: a teacher is not there, or damaged.
        UsageError: a teacher is of another task or has other labels.
    """
    if not recipe.distill.teachers:
        return None
    places = [_place(name, recipe.folder) for name in recipe.distill.teachers]
    teachers = [_opened(place, device) for place in places]
    for place, teacher in zip(places, teachers, strict=True):
        if type(teacher.task) is not type(task) or teacher.task.labels != task.labels:
            theirs, ours = (_described(one) for one in (teacher.task, task))
            raise UsageError(f"teacher {place}: {theirs}, where the recipe has {ours}")
    shelf = folder.parent / ANSWERS
    shelf.mkdir(exist_ok=True)
    texts = hashlib.sha256(repr(split.documents).encode("utf-8", "replace"))
    total: Any = 0.0
    for place, teacher in zip(places, teachers, strict=True):
        digest = texts.copy()
        for name in TOLD_BY:
            digest.update((place / name).read_bytes() if (place / name).exists() else b"-")
        path = shelf / f"{digest.hexdigest()[:24]}.safetensors"
        if not path.exists():
            said = torch.from_numpy(_said(teacher, split.documents, listener).astype(np.float32))
            checkpoint.save_tensors(path, {"said": said}, {"teacher": teacher.name})
        total = total + checkpoint.load_tensors(path)[0]["said"]
    made: Tensor = total / len(teachers)
    return made * torch.tensor(split.taught)[:, None]


def _described(task: Task) -> str:
    return f"task {type(task).__module__.rpartition('.')[2]} with {', '.join(task.labels)[:200]}"


def _place(name: str, folder: Path) -> Path:
    """Return the folder of a teacher: a path from the recipe or from here, or a bundle's name."""
    runs = [path for path in (folder / name, Path(name)) if zoo.is_run(str(path))]
    return runs[0] if runs else zoo.find_bundle(name)


def _opened(place: Path, device: str) -> Model:
    # ONNX Runtime may lack the GPU that torch has.
    return open_run(place, device)[0] if zoo.is_run(str(place)) else load(str(place), device="auto")


def _said(teacher: Any, documents: Sequence[Any], listener: Listener) -> Any:
    """Return probs_NC; a document of which the teacher keeps nothing is taught as undecided."""
    count = len(teacher.task.labels)
    said_NC = np.full((len(documents), count), 1 / count)
    for start in range(0, len(documents), STRETCH):
        outputs = teacher.outputs(documents[start : start + STRETCH])
        kept = [row for row, output in enumerate(outputs) if output is not None]
        if kept:
            there = [outputs[row] for row in kept]
            said_NC[start + np.array(kept)] = teacher.task.soften(there, teacher.temperature)
        listener({"event": "teacher", "name": teacher.name, "done": start, "of": len(documents)})
    return said_NC
