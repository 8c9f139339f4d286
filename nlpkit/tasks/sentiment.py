"""Sentiment: classification into negative, neutral and positive, fixed in advance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from nlpkit.tasks import classify
from nlpkit.tasks.classify import Config as Config

LABELS = ("negative", "neutral", "positive")
PORTUGUESE = {"negativo": "negative", "neutro": "neutral", "positivo": "positive"}


class Task(classify.Task):
    """Classification into three labels in a fixed order, so that all models are comparable.

    The labels of files may be in Portuguese, and in upper or lower case.
    """

    ADVICE: ClassVar[str] = (
        f"{classify.Task.ADVICE}; 'nlpkit train --task classify' learns other labels"
    )

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]], config: Config) -> Self:
        """Build the task with the three labels, whichever of them the rows have.

        Raises:
            InputError: the rows have fewer than two labels, or a label is of the wrong kind.
        """
        super().from_rows(rows, config)
        return cls(config, LABELS)

    @staticmethod
    def label_of(value: Any) -> str:
        """Return a label as text, in English. Raises InputError if it is of the wrong kind."""
        label = classify.Task.label_of(value)
        known = label.strip().casefold()
        return known if known in LABELS else PORTUGUESE.get(known, label)
