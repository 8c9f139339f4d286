"""Sentiment: classification into negative, neutral and positive, fixed in advance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from nlpkit.tasks import classify
from nlpkit.tasks.classify import Config as Config

LABELS = ("negative", "neutral", "positive")


class Task(classify.Task):
    """Classification into three labels in a fixed order, so that all models are comparable."""

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]], config: Config) -> Self:
        """Build the task with the three labels, whichever of them the rows have.

        Raises:
            InputError: the rows have fewer than two labels.
        """
        classify.Task.from_rows(rows, config)
        return cls(config, LABELS)
