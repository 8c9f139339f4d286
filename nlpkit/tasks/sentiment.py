"""Negative, neutral or positive: classification whose labels are given, whatever the data holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from nlpkit.tasks import classify
from nlpkit.tasks.classify import Config as Config

LABELS = ("negative", "neutral", "positive")
PORTUGUESE = {"negativo": "negative", "neutro": "neutral", "positivo": "positive"}


class Task(classify.Task):
    """Three labels in a fixed order, so that every sentiment model can be compared.

    Files may have them in Portuguese, and in any case.
    """

    ADVICE: ClassVar[str] = (
        f"{classify.Task.ADVICE}; 'nlpkit train --task classify' learns other labels"
    )

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]], config: Config) -> Self:
        """Check that the rows hold two labels at least; raises InputError as `classify` does."""
        super().from_rows(rows, config)
        return cls(config, LABELS)

    @staticmethod
    def label_of(value: Any) -> str:
        """Return a row's label as text, in English. Raises InputError where it is none."""
        label = classify.Task.label_of(value)
        known = label.strip().casefold()
        return known if known in LABELS else PORTUGUESE.get(known, label)
