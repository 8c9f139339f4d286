"""A model whose answers are explanations of another model's answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from nlpkit.answers.explanation import Explanation, Explanations, Weight
from nlpkit.explaining import faithfulness
from nlpkit.explaining.scores import Asked, Question, Scorer, check_label, log_odds, targets
from nlpkit.explaining.words import phrases, runs, spans
from nlpkit.runtime.model import Answerer, Tally
from nlpkit.text.documents import whole_text

MOST = 200  # units of a document; those of a longer one are runs of words
VARIANTS = 1 << 22  # characters of the variants that are asked for at once, about
EACH = 8  # variants of a document that the measure of faithfulness needs, for each unit, about
LONGEST = 3  # words of a phrase
SHOWN = 3  # most phrases of a document
TOGETHER = 0.5  # least difference, in nats, of a phrase's weight from the sum of its words'


@dataclass(frozen=True)
class Explaining:
    """What a stream needs of a task: its answers, its columns and its labels."""

    columns: Any
    shown: Sequence[str]
    answers: type[Explanations] = Explanations


class Explainer:
    """Explain a model's answers by a method; implements `nlpkit.runtime.model.Answerer`."""

    def __init__(
        self,
        model: Answerer,
        method: ModuleType,
        *,
        label: str | None = None,
        faithful: bool = True,
    ) -> None:
        """Create the explainer of a label; None explains each document's own label or entities.

        `method` is a module of `nlpkit/explainers/`. With `faithful`, each explanation has its
        faithfulness, which takes about as long as the explanation.

        Raises:
            ModelError: the model's answers are neither labels nor spans.
            UsageError: the model does not know the label.
        """
        check_label(model, label)
        self.model, self.method, self.label, self.faithful = model, method, label, faithful
        self.name, self.provider, self.budget = model.name, model.provider, model.budget
        self.task = Explaining(model.task.columns, model.task.shown)
        self.score, self.tally = Scorer(model), Tally()

    def encode(self, documents: Sequence[Any]) -> None:
        """Prepare nothing: the documents and their variants are encoded together."""

    def answer(self, documents: Sequence[Any], windows: Any = None) -> list[Explanations | None]:
        """Return the explanations of each document; None for one without an answer."""
        texts = [whole_text(document) for document in documents]
        return [each for group in _groups(texts) for each in self._explained(group)]

    def _explained(self, texts: Sequence[str]) -> list[Explanations | None]:
        answers = self.score.answers(texts)
        each = [targets(answer, self.label) for answer in answers]
        asked = [
            Asked(text, runs(spans(text), MOST), target)
            for text, own in zip(texts, each, strict=True)
            for target in own
        ]
        explained = iter(self._weighed([one for one in asked if one.units]))
        return [
            Explanations(tuple(next(explained) for _ in own)) if answer and spans(text) else None
            for text, own, answer in zip(texts, each, answers, strict=True)
        ]

    def _weighed(self, asked: Sequence[Asked]) -> list[Explanation]:
        weights = self.method.weigh(self.model, self.score, asked)
        measured: Sequence[Any] = [None] * len(asked)
        if self.faithful:
            measured = faithfulness.measure(self.score, asked, weights)
        joint: Sequence[Sequence[Weight]] = [()] * len(asked)
        if self.method.OPENS == "any":
            joint = together(self.score, asked, weights)
        rows = zip(asked, weights, measured, joint, strict=True)
        return [
            Explanation(
                one.target.label,
                one.target.score,
                tuple(
                    _weight(one.text, *span, w) for span, w in zip(one.units, ranks, strict=True)
                ),
                tuple(parts),
                faith,
                one.target.start,
                one.target.end,
                one.text[one.target.start : one.target.end] if one.target.end else "",
            )
            for one, ranks, faith, parts in rows
        ]


def _groups(texts: Sequence[str]) -> Iterator[list[str]]:
    """Yield texts whose variants have about VARIANTS characters, one text at least."""
    group: list[str] = []
    size = 0
    for text in texts:
        size += len(text) * min(len(text) // EACH + 1, MOST) * EACH
        if group and size > VARIANTS:
            yield group
            group, size = [], 0
        group.append(text)
    if group:
        yield group


def together(
    score: Scorer, asked: Sequence[Asked], weights: Sequence[Sequence[float]]
) -> list[list[Weight]]:
    """Return the phrases of each document that weigh otherwise than their words in sum.

    *não gostei* says more against a text than *não* and *gostei* do alone.
    """
    each = [_apart(one) if len(one.units) <= MOST // 2 else [] for one in asked]
    questions: list[Question] = [
        (one, one.units[first:last])
        for one, own in zip(asked, each, strict=True)
        for first, last in own
    ]
    scores = iter(score(questions))
    found = []
    for one, ranks, own in zip(asked, weights, each, strict=True):
        whole = log_odds(one.target.score)
        falls = {phrase: whole - log_odds(next(scores)) for phrase in own}
        found.append([_phrase(one, *phrase, falls[phrase]) for phrase in _chosen(falls, ranks)])
    return found


def _apart(asked: Asked) -> list[tuple[int, int]]:
    """Return the phrases of a document that have no word of the entity that is explained."""
    start, end = asked.target.start or 0, asked.target.end or 0
    units = asked.units
    return [
        (first, last)
        for first, last in phrases(asked.text, units, LONGEST)
        if units[last - 1][1] <= start or end <= units[first][0]
    ]


def _chosen(falls: dict[tuple[int, int], float], ranks: Sequence[float]) -> list[tuple[int, int]]:
    """Return the phrases with the most joint weight, which do not overlap, in their order."""
    extra = {
        (first, last): abs(fall) - abs(sum(ranks[first:last]))
        for (first, last), fall in falls.items()
    }
    chosen: list[tuple[int, int]] = []
    for first, last in sorted(extra, key=lambda phrase: (-extra[phrase], phrase)):
        apart = all(last <= one or other <= first for one, other in chosen)
        if extra[first, last] >= TOGETHER and apart and len(chosen) < SHOWN:
            chosen.append((first, last))
    return sorted(chosen)


def _phrase(asked: Asked, first: int, last: int, weight: float) -> Weight:
    return _weight(asked.text, asked.units[first][0], asked.units[last - 1][1], weight)


def _weight(text: str, start: int, end: int, weight: float) -> Weight:
    return Weight(start, end, text[start:end], weight)
