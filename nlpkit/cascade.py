"""A cascade: a fast model answers where it is sure, and a better one is asked for the rest.

Whether a document is asked again depends on the fast model's answer to it alone, so a document's
answer is the same in every batch (Varshney & Baral 2022 compare such cascades).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from nlpkit.answers import Label
from nlpkit.tasks import classify

if TYPE_CHECKING:
    from nlpkit.runtime.model import Model
    from nlpkit.text.windows import Windows


@dataclass(frozen=True)
class Rule:
    """When the better model is asked, and how the two answers are mixed.

    Attributes:
        threshold: the better model is asked if the fast model's highest probability is lower.
        weight: of the better model's probabilities; the fast one's have the rest.
        temperature: calibrates the mixture; above 1 it becomes less sure.
    """

    threshold: float
    weight: float
    temperature: float = 1.0

    def mixed(self, fast: Mapping[str, float], best: Mapping[str, float]) -> Label:
        """Return the answer from both models' probabilities of the labels."""
        sums = {
            label: ((1 - self.weight) * fast[label] + self.weight * best[label])
            ** (1 / self.temperature)
            for label in fast
        }
        total = sum(sums.values())
        scores = {label: value / total for label, value in sums.items()}
        label = max(scores, key=scores.__getitem__)
        return Label(label, scores[label], scores)


class Task(classify.Task):
    """The fast model's task, which asks the better model about documents of low scores.

    `asked` counts the documents that the better model was asked about since it was loaded.
    """

    fast: classify.Task
    best: Model
    rule: Rule
    asked = 0

    @classmethod
    def of(cls, fast: classify.Task, best: Model, rule: Rule) -> Self:
        """Return the task of a cascade.

        Raises:
            ValueError: the two models have different labels.
        """
        ours, theirs = (getattr(task, "labels", ()) for task in (fast, best.task))
        if not ours or set(ours) != set(theirs):
            raise ValueError(
                f"{best.name} has the labels {', '.join(theirs) or 'of no classifier'}, the fast "
                f"model {', '.join(ours) or 'has none'}"
            )
        task = cls(fast.config, fast.labels, fast.shift, fast.temperature)
        task.fast, task.best, task.rule = fast, best, rule
        return task

    def gold(self, fields: Mapping[str, Any]) -> Label:
        """Return the row's label as the fast task reads it, such as `negativo` for `negative`."""
        return self.fast.gold(fields)

    def answer(self, model: Model, documents: Sequence[Any], windows: Windows) -> list[Any]:
        """Return the fast model's answers, and those of both models where it is not sure."""
        answers = super().answer(model, documents, windows)
        unsure = [row for row, answer in enumerate(answers) if self._is_unsure(answer)]
        others = self.best.predict([documents[row] for row in unsure])
        for row, other in zip(unsure, others, strict=True):
            if other is not None:
                answers[row] = self.rule.mixed(answers[row].scores, other.scores)
        self.asked += len(unsure)
        return answers

    def _is_unsure(self, answer: Label | None) -> bool:
        return (
            answer is not None and answer.score is not None and (answer.score < self.rule.threshold)
        )
