"""Compute teachers' probabilities for every training text (distillation, Hinton et al. 2015).

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

from nlpkit import cascade, zoo
from nlpkit.abilities import Distillable
from nlpkit.errors import InputError, UsageError, quoted
from nlpkit.records import TEXT
from nlpkit.records.rows import read_records
from nlpkit.runtime import onepass
from nlpkit.runtime.model import Model
from nlpkit.settings.recipe import Recipe
from nlpkit.training import checkpoint
from nlpkit.training.data import Split
from nlpkit.training.events import Asked, Listener
from nlpkit.training.opened import open_run

STRETCH = 4096  # documents between two progress events
ANSWERS = ".teachers"  # folder of cached answers beside the runs, shared by all students
# The files that a teacher's answers depend on; their hash is the key of the cache.
HASHED_FILES = ("model.safetensors", "run.json", "bundle.json")


def teacher_probabilities(
    recipe: Recipe,
    task: Any,
    split: Split,
    folder: Path,
    device: str,
    listener: Listener,
) -> Tensor | None:
    """Return probs_NC, the mean of the teachers' calibrated probabilities for each document.

    A teacher is a run, a bundle, or a file of answers: JSON Lines with `text` and `scores`, as
    `predict --to jsonl` writes. Documents without an answer have zeros. Models' answers are cached
    beside the run's folder, for a resumed run and other students. Return None without teachers.

    Raises:
        InputError: a file of answers is malformed.
        ModelError: a teacher is missing or damaged.
        UsageError: a teacher is of another task, has other labels, or answers no document.
    """
    if not recipe.distill.teachers or not isinstance(task, Distillable):
        return None
    sources = [_find(name, recipe.folder) for name in recipe.distill.teachers]
    files = [source for source in sources if source.suffix == ".jsonl"]
    sources = [source for source in sources if source not in files]
    teachers = [_opened(source, device) for source in sources]
    for source, teacher in zip(sources, teachers, strict=True):
        if isinstance(teacher.task, cascade.Task):
            raise UsageError(
                f"teacher {quoted(source)}: a cascade cannot teach; name its better model, "
                f"{teacher.task.best.name}"
            )
        if type(teacher.task) is not type(task) or teacher.task.labels != task.labels:
            theirs, ours = (_described(one) for one in (teacher.task, task))
            raise UsageError(
                f"teacher {quoted(source)}: has {theirs}, the recipe has {ours}; name another"
            )
    shelf = folder.parent / ANSWERS
    shelf.mkdir(exist_ok=True)
    texts = hashlib.sha256(repr(split.documents).encode("utf-8", "replace"))
    total, answered_N1 = torch.zeros(len(split.documents), len(task.labels)), torch.tensor(0.0)
    for file in files:
        probs_NC = torch.from_numpy(_read_answers(file, split.documents, task.labels))
        total, answered_N1 = total + probs_NC, answered_N1 + probs_NC.any(dim=1, keepdim=True)
    for source, teacher in zip(sources, teachers, strict=True):
        digest = texts.copy()
        for name in HASHED_FILES:
            digest.update((source / name).read_bytes() if (source / name).exists() else b"-")
        path = shelf / f"{digest.hexdigest()[:24]}.safetensors"
        if not path.exists():
            probs_NC = torch.from_numpy(_ask(teacher, split.documents, listener).astype(np.float32))
            checkpoint.save_tensors(path, {"said": probs_NC}, {"teacher": teacher.name})
        total, answered_N1 = total + checkpoint.load_tensors(path)[0]["said"], answered_N1 + 1
    return total / answered_N1.clamp_min(1) * torch.tensor(split.taught)[:, None]


def _described(task: Distillable) -> str:
    return f"task {type(task).__module__.rpartition('.')[2]} with {', '.join(task.labels)[:200]}"


def _find(name: str, folder: Path) -> Path:
    """Return a teacher's path: relative to the recipe or the working directory, or a bundle's."""
    paths = [
        path
        for path in (folder / name, Path(name))
        if zoo.is_run(str(path)) or (path.suffix == ".jsonl" and path.is_file())
    ]
    return paths[0] if paths else zoo.find_bundle(name)


def _opened(source: Path, device: str) -> Model:
    """Load a teacher from a run or a bundle."""
    # "auto", since ONNX Runtime may lack the GPU that torch has.
    return (
        open_run(source, device)[0]
        if zoo.is_run(str(source))
        else zoo.load(str(source), device="auto")
    )


def _read_answers(path: Path, documents: Sequence[Any], labels: Sequence[str]) -> Any:
    """Return the probabilities of a file of answers (probs_NC), zeros for documents without one.

    Raises:
        InputError: a line has no text, or not one probability for each label.
        UsageError: the file answers none of the documents.
    """
    rows: dict[str, list[int]] = {}
    for row, document in enumerate(documents):
        rows.setdefault(document, []).append(row)
    answers_NC = np.zeros((len(documents), len(labels)), dtype=np.float32)
    for number, record in enumerate(read_records(str(path), TEXT), 1):
        scores = record.get("scores")
        if not isinstance(scores, dict) or set(scores) != set(labels):
            raise InputError(
                f"{quoted(path)}:{number}: needs scores for exactly {', '.join(labels)}"
            )
        probs_C = np.array([scores[label] for label in labels], dtype=np.float32)
        if not np.isclose(probs_C.sum(), 1, atol=0.01) or probs_C.min() < 0:
            raise InputError(
                f"{quoted(path)}:{number}: scores must be probabilities with sum 1, "
                f"not {probs_C.tolist()}"
            )
        answers_NC[rows.get(record[TEXT], [])] = probs_C
    if not answers_NC.any():
        raise UsageError(
            f"teacher {quoted(path)}: has no answer for any text of the recipe; "
            "answer the training texts with 'nlpkit predict --to jsonl'"
        )
    return answers_NC


def _ask(teacher: Any, documents: Sequence[Any], listener: Listener) -> Any:
    """Return a teacher's probs_NC; documents without tokens get equal probabilities."""
    count = len(teacher.task.labels)
    answers_NC = np.full((len(documents), count), 1 / count)
    for start in range(0, len(documents), STRETCH):
        outputs = onepass.outputs(teacher, documents[start : start + STRETCH])
        rows = [row for row, output in enumerate(outputs) if output is not None]
        if rows:
            answered = [outputs[row] for row in rows]
            answers_NC[start + np.array(rows)] = teacher.task.probabilities(answered)
        listener(Asked(teacher.name, start, len(documents)))
    return answers_NC
