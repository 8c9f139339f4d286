"""Gather the report of a training run: curves, errors, calibration, data."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nlpkit.answers import Label
from nlpkit.errors import InputError, ModelError, Note, UsageError, quoted
from nlpkit.text.documents import whole_text

BINS = 10  # of confidence
ERRORS = 30  # that are shown
LONGEST = 600  # characters of a text that is shown
LENGTHS = (5, 10, 20, 40, 80, 160)  # words up to which texts are counted together
METRICS, GRADIENTS = "metrics.jsonl", "gradients.jsonl"


def gather(folder: Path) -> dict[str, Any]:
    """Return what is known of a finished run, with its answers on dev if their files are here.

    Raises:
        ModelError: the folder holds no finished run, or its files are damaged.
    """
    from nlpkit.training.opened import open_run
    from nlpkit.training.summary import PretrainingSummary, read

    try:
        summary = read(folder)
    except FileNotFoundError:
        raise ModelError(
            f"{quoted(folder)}: no finished run here (run.json is missing); train it to its end"
        ) from None
    except (KeyError, TypeError, ValueError) as problem:
        raise ModelError(f"{quoted(folder)}: its run.json is damaged ({problem})") from None
    if isinstance(summary, PretrainingSummary):
        raise ModelError(f"{quoted(folder)}: a pretraining, which has no answers to report on")
    model, recipe, _ = open_run(folder)
    values = summary.to_dict() | {
        "folder": str(folder),
        "task": recipe.task.name,
        "architecture": (recipe.architecture or recipe.decoder).name,  # type: ignore[union-attr]
        "score": model.task.score,
        "curves": _lines(folder / METRICS, "epoch"),
        "gradients": _lines(folder / GRADIENTS),
        "recipe": (folder / "recipe.toml").read_text(encoding="utf-8"),
    }
    return values | _answers(model, recipe)


def _lines(path: Path, event: str = "") -> list[dict[str, Any]]:
    """Return the lines of a file, those of one event; [] if there is no such file.

    Raises:
        ModelError: a line is no JSON object.
    """
    if not path.exists():
        return []
    lines = []
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            lines.append(dict(json.loads(line)))
    except (TypeError, ValueError) as problem:
        raise ModelError(f"{quoted(path)}: damaged after line {len(lines)} ({problem})") from None
    return [line for line in lines if not event or line.get("event") == event]


def _answers(model: Any, recipe: Any) -> dict[str, Any]:
    """Return errors, calibration and scores by length, {} if the dev files cannot be read."""
    from nlpkit.training.data import load_dev

    if model.task.columns.target == model.task.columns.text:  # a language model has no wrong answer
        return {}
    try:
        dev = load_dev(recipe, model.task)
    except (InputError, UsageError) as problem:
        warnings.warn(
            Note(f"the dev files cannot be read, so errors are left out: {problem}"), stacklevel=2
        )
        return {}
    answers = model.predict(dev.documents)
    rows = [
        (whole_text(document), gold, answer)
        for document, gold, answer in zip(dev.documents, dev.golds, answers, strict=True)
        if answer is not None
    ]
    labelled = issubclass(model.task.answers, Label)
    return {
        "errors": _errors(rows, labelled),
        "lengths": _by_length(rows),
        "calibration": _calibration(rows) if labelled else [],
    }


def _right(gold: Any, answer: Any) -> float:
    hits, parts = answer.matches(gold)
    return hits / max(parts, 1)


def _errors(rows: Sequence[tuple[str, Any, Any]], labelled: bool) -> list[dict[str, Any]]:
    """Return the wrong answers: the surest labels first, other answers by how wrong they are."""
    wrong = [(text, gold, answer) for text, gold, answer in rows if _right(gold, answer) < 1]
    if labelled:
        wrong.sort(key=lambda row: -(row[2].score or 0.0))
    else:
        wrong.sort(key=lambda row: _right(row[1], row[2]))
    return [
        {
            "text": text if len(text) <= LONGEST else text[: LONGEST - 1] + "…",
            "gold": _cell(gold),
            "answer": _cell(answer),
            "score": round(answer.score, 4) if answer.score is not None else None,
        }
        for text, gold, answer in wrong[:ERRORS]
    ]


def _cell(answer: Any) -> str:
    return answer.label if isinstance(answer, Label) else " / ".join(map(str, answer.cells()))


def _by_length(rows: Sequence[tuple[str, Any, Any]]) -> list[dict[str, Any]]:
    """Return the share of right answers (of parts of answers) by the number of words."""
    groups: dict[int, list[float]] = {}
    for text, gold, answer in rows:
        words = len(text.split())
        place = next((i for i, most in enumerate(LENGTHS) if words <= most), len(LENGTHS))
        groups.setdefault(place, []).append(_right(gold, answer))
    ends = [1, *(most + 1 for most in LENGTHS)]
    return [
        {
            "words": f"{ends[place]}–{LENGTHS[place]}" if place < len(LENGTHS) else f"{ends[-1]}+",
            "n": len(groups[place]),
            "right": round(sum(groups[place]) / len(groups[place]), 4),
        }
        for place in sorted(groups)
    ]


def _calibration(rows: Sequence[tuple[str, Any, Any]]) -> list[dict[str, Any]]:
    """Return the mean score and the share of right answers, by bins of the score."""
    bins: dict[int, list[tuple[float, float]]] = {}
    for _, gold, answer in rows:
        place = min(int(answer.score * BINS), BINS - 1)
        bins.setdefault(place, []).append((answer.score, _right(gold, answer)))
    return [
        {
            "score": round(sum(score for score, _ in bins[place]) / len(bins[place]), 4),
            "right": round(sum(right for _, right in bins[place]) / len(bins[place]), 4),
            "n": len(bins[place]),
        }
        for place in sorted(bins)
    ]
