"""What teachers say of every training text, as soft labels (Hinton et al. 2015).

Legend: N documents, C labels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
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

STRETCH = 4096  # documents between two reports


def taught(
    recipe: Recipe,
    task: Task,
    documents: Sequence[Any],
    folder: Path,
    device: str,
    open_run: Callable[[Path, str], tuple[Model, Any, Any]],
    listener: Callable[[dict[str, Any]], None],
) -> Tensor | None:
    """Return the mean of the teachers' calibrated outputs on each document (probs_NC).

    They are kept in the run's folder, so that a resumed run is taught the very same.

    Raises:
        ModelError: a teacher is not there, or damaged.
        UsageError: a teacher is of another task or has other labels.
    """
    if not recipe.distill.teachers:
        return None
    digest = hashlib.sha256(repr((recipe.distill.teachers, documents)).encode("utf-8", "replace"))
    path = folder / "teachers.safetensors"
    if path.exists():
        tensors, state = checkpoint.load_tensors(path)
        if state.get("digest") == digest.hexdigest():
            return tensors["taught"]
    total: Any = 0.0
    for name in recipe.distill.teachers:
        teacher = _opened(name, recipe.folder, device, open_run)
        if type(teacher.task) is not type(task) or teacher.task.labels != task.labels:
            raise UsageError(
                f"teacher {name}: its labels are {', '.join(teacher.task.labels[:5])}, "
                f"the recipe's are {', '.join(task.labels[:5])}"
            )
        total = total + _said(teacher, documents, listener)
    made = torch.from_numpy((total / len(recipe.distill.teachers)).astype(np.float32))
    checkpoint.save_tensors(path, {"taught": made}, {"digest": digest.hexdigest()})
    return made


def _opened(name: str, folder: Path, device: str, open_run: Any) -> Model:
    # A path is the recipe's or the shell's; else it is the name of a bundle.
    for path in (folder / name, Path(name)):
        if zoo.is_run(str(path)):
            model: Model = open_run(path, device)[0]
            return model
    return load(name, device=device)


def _said(
    teacher: Model, documents: Sequence[Any], listener: Callable[[dict[str, Any]], None]
) -> Any:
    """Return probs_NC; a document of which the teacher keeps nothing is taught as undecided."""
    parts = []
    for start in range(0, len(documents), STRETCH):
        outputs = teacher.outputs(documents[start : start + STRETCH])
        blank = np.zeros_like(next(output for output in outputs if output is not None))
        whole = [blank if output is None else output for output in outputs]
        parts.append(teacher.task.soften(whole, teacher.temperature))
        listener({"event": "teacher", "name": teacher.name, "done": start, "of": len(documents)})
    return np.concatenate(parts)
