"""Texts that a model writes, for its card: drawn at random, so that nobody picks the good ones."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from nlpkit.abilities import Writes
from nlpkit.errors import InputError, UsageError, quoted
from nlpkit.runtime.choosing import Sampler
from nlpkit.runtime.model import Model
from nlpkit.runtime.writing import Manner, prompt_of, reads_sources
from nlpkit.settings.files import resolve

COUNT = 20  # texts in a card
SEED = 0
LONGEST = 60  # tokens of a continuation
TOP_P, TEMPERATURE = 0.95, 0.8  # of a continuation, the defaults of `nlpkit generate`


def samples(model: Model, path: str, folder: Path) -> str:
    """Return the section of a card with COUNT lines of a file and what the model writes.

    Raises:
        UsageError: the model writes no texts.
        InputError: the file cannot be read, or is empty.
    """
    if not isinstance(model.task, Writes):
        raise UsageError("export.samples: only models that write texts have samples")
    (file, *_) = resolve(path, folder)
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not lines:
        raise InputError(f"{quoted(file)}: has no texts")
    drawn = Random(SEED).sample(lines, min(COUNT, len(lines)))
    task: Any = model.task
    if reads_sources(task):
        written = task.write(model, drawn, [0] * len(drawn), _as_configured(task))
        head = "| source | written |\n|---|---|"
        rows = [f"| {_cell(line)} | {_cell(text.text)} |" for line, text in _pairs(drawn, written)]
        how = ""
    else:
        sampler = Sampler(temperature=TEMPERATURE, top_p=TOP_P, seed=SEED)
        manner = Manner(longest=LONGEST, sampler=sampler)
        written = task.write(model, drawn, [0] * len(drawn), manner)
        head = "| prompt and continuation |\n|---|"
        rows = [
            f"| **{_cell(line)}**{_cell(text.text[len(prompt_of(line)) :])} |"
            for line, text in _pairs(drawn, written)
        ]
        how = f", with temperature {TEMPERATURE} and top-p {TOP_P}"
    intro = f"{len(drawn)} of {len(lines)} texts of ours, drawn at random (seed {SEED}){how}:"
    return "\n\n".join(["## Samples", intro, "\n".join([head, *rows])])


def _as_configured(task: Any) -> Manner:
    return Manner(longest=task.config.longest, beams=task.config.beams)


def _pairs(lines: list[str], written: list[Any]) -> list[tuple[str, Any]]:
    return [(line, text) for line, text in zip(lines, written, strict=True) if text is not None]


def _cell(text: str) -> str:
    """Return a text for a cell of a Markdown table."""
    return " ".join(text.split("\n")).replace("|", "\\|")
