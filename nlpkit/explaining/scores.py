"""The score of a label or an entity in a document and in its variants."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from nlpkit.answers import Label, Spans
from nlpkit.errors import ModelError, UsageError, near_match
from nlpkit.explaining.words import Span, Variant
from nlpkit.runtime.model import Answerer

LEAST = 1e-4  # scores nearer to 0 or 1 count as this near, so that log-odds are finite
KEPT = 1 << 16  # answers that are kept, of variants that methods and measures ask for again


class Target(NamedTuple):
    """What an explanation is of: a label, or an entity, text[start:end]."""

    label: str
    score: float
    start: int | None = None
    end: int | None = None


class Asked(NamedTuple):
    """A document, its words or runs of words, and one target."""

    text: str
    units: Sequence[Span]
    target: Target


Question = tuple[Asked, Sequence[Span]]  # the score of a target without these spans


def check_label(model: Answerer, label: str | None) -> None:
    """Check that the answers of a model can be explained, and that it knows a label.

    Raises:
        ModelError: its answers are neither labels nor spans.
        UsageError: it does not know the label.
    """
    if not issubclass(model.task.answers, Label | Spans):
        raise ModelError(
            f"{model.name}: explanations are for labels and entities, not for "
            f"{', '.join(model.task.answers.fields())}; for a translation, see --matrix"
        )
    known = list(model.task.shown)
    if label is not None and label not in known:
        raise UsageError(
            f"--label {label}: {model.name} does not know it.{near_match(label, known)} "
            f"It knows: {', '.join(known)}"
        )


def targets(answer: Any, label: str | None) -> list[Target]:
    """Return what an answer leaves to explain: its label or `label`; each span, or those of it."""
    if answer is None:
        return []
    if isinstance(answer, Label):
        name = label or answer.label
        return [Target(name, float(answer.scores.get(name, answer.score or 0.0)))]
    return [
        Target(span.label, 1.0 if span.score is None else span.score, span.start, span.end)
        for span in answer.spans
        if label in (None, span.label)
    ]


def log_odds(score: float) -> float:
    """Return log(p / (1 - p)) of a score: a word can matter although the score stays near 1."""
    bounded = min(max(score, LEAST), 1 - LEAST)
    return math.log(bounded / (1 - bounded))


class Scorer:
    """Ask a model for the scores of targets in variants of their documents, in batches."""

    def __init__(self, model: Answerer) -> None:
        self.model = model
        self.known: dict[str, Any] = {}

    def answers(self, texts: Sequence[str]) -> list[Any]:
        """Return the model's answer to each text; each text is asked once."""
        if len(self.known) > KEPT:
            self.known.clear()
        new = [text for text in dict.fromkeys(texts) if text not in self.known]
        if new:
            answered = self.model.answer(new, self.model.encode(new))
            self.known |= dict(zip(new, answered, strict=True))
        return [self.known[text] for text in texts]

    def __call__(self, questions: Sequence[Question]) -> list[float]:
        """Return the score of each target in its document without some spans."""
        variants = [Variant(asked.text, removed) for asked, removed in questions]
        answers = self.answers([variant.text for variant in variants])
        found = zip(questions, variants, answers, strict=True)
        return [self._score(asked.target, variant, answer) for (asked, _), variant, answer in found]

    def _score(self, target: Target, variant: Variant, answer: Any) -> float:
        if target.start is not None and target.end is not None:
            start, end = variant.position(target.start), variant.position(target.end)
            return max(_overlapping(answer, target.label, start, end), default=0.0)
        if answer is None:  # nothing is left to read, so that no label is more likely
            return 1 / max(len(self.model.task.shown), 1)
        return float(answer.scores.get(target.label, 0.0))


def _overlapping(answer: Any, label: str, start: int, end: int) -> Iterator[float]:
    """Yield the scores of the spans with a label that overlap [start, end)."""
    for span in answer.spans if answer else ():
        if span.label == label and span.start < end and start < span.end:
            yield 1.0 if span.score is None else span.score
