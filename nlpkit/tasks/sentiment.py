"""Negative, neutral or positive: classification whose labels are given, whatever the data holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from nlpkit.tasks import classify
from nlpkit.tasks.classify import Config as Config

LABELS = ("negative", "neutral", "positive")


class Task(classify.Task):
    """Three labels in a fixed order, so that every sentiment model can be compared."""

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]], config: Config) -> Self:
        """Check that the rows hold two labels at least; raises InputError as `classify` does."""
        classify.Task.from_rows(rows, config)
        return cls(config, LABELS)
