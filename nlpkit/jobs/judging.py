"""Judge cascades of two models by the probabilities of both on dev files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nlpkit import metrics
from nlpkit.cascade import Rule
from nlpkit.errors import InputError

if TYPE_CHECKING:
    from nlpkit.answers import Label
    from nlpkit.jobs.evaluate import Labelled
    from nlpkit.runtime.model import Model


class Judged:
    """The dev documents of several files with both models' probabilities.

    Every file counts alike in the score, as the recipes of the bundled models choose.
    """

    def __init__(self, fast: Model, best: Model, files: Sequence[Labelled]) -> None:
        self.fast = fast
        self.golds: list[Label] = []
        self.documents: list[Any] = []
        owner: list[int] = []
        for number, file in enumerate(files):
            self.documents += file.documents
            self.golds += file.golds
            owner += [number] * len(file.documents)
        pairs = list(zip(*(m.predict(self.documents) for m in (fast, best)), strict=True))
        rows_read = [row for row, (one, two) in enumerate(pairs) if one and two]
        if not rows_read:
            raise InputError("the dev files hold no text that both models can read")
        self.pairs = [pairs[row] for row in rows_read]
        self.golds = [self.golds[row] for row in rows_read]
        self.files = [
            [place for place, row in enumerate(rows_read) if owner[row] == number]
            for number in range(len(files))
        ]

    def answers(self, rule: Rule) -> list[Label]:
        """Return the cascade's answers."""
        return [
            one if one.score >= rule.threshold else rule.mixed(one.scores, two.scores)
            for one, two in self.pairs
        ]

    def score(self, rule: Rule) -> float:
        """Return the task's score, the mean over the files."""
        answers, kind, name = self.answers(rule), self.fast.task.answers, self.fast.task.score
        found = [
            metrics.measure(kind, [self.golds[i] for i in rows], [answers[i] for i in rows])[name]
            for rows in self.files
            if rows
        ]
        return float(sum(found) / len(found))

    def threshold(self, share: float) -> float:
        """Return the threshold below which a share of the documents lies."""
        import numpy as np

        if share >= 1:
            return 1.1  # above every probability
        return round(float(np.quantile([one.score for one, _ in self.pairs], share)), 4)

    def temperature(self, rule: Rule) -> float:
        """Return the temperature of the mixture with the lowest negative log-likelihood."""
        import numpy as np

        asked = [i for i, (one, _) in enumerate(self.pairs) if one.score < rule.threshold]
        if not asked:
            return 1.0

        def loss(temperature: float) -> float:
            hotter = Rule(rule.threshold, rule.weight, temperature)
            mixed = [hotter.mixed(self.pairs[i][0].scores, self.pairs[i][1].scores) for i in asked]
            likely = [m.scores[self.golds[i].label] for m, i in zip(mixed, asked, strict=True)]
            return float(-np.mean(np.log(np.array(likely) + 1e-12)))

        tried: list[float] = np.geomspace(0.5, 2.0, 31).tolist()
        best = min(tried, key=loss)
        return round(best, 4)
