"""Aspects: the things that a review judges, with the polarity of each."""

from __future__ import annotations

import json
from typing import Any

from nlpkit.answers import table
from nlpkit.answers.entities import Entities


class Aspects(Entities):
    """The aspects of a document, in the order of the text; their labels are polarities."""

    __slots__ = ()

    @classmethod
    def fields(cls, into: str | None = None) -> tuple[str, ...]:
        """Return `aspects`, or `into`."""
        return (into or "aspects",)

    def cells(self) -> tuple[str, ...]:
        """Return the aspects as JSON."""
        return (json.dumps(self.plain()["aspects"], ensure_ascii=False),)

    @classmethod
    def values(cls, answer: Any, into: str | None = None) -> dict[str, Any]:
        """Return a list of tables with start, end, polarity, text and score."""
        (field,) = cls.fields(into)
        return {field: [table(span, "polarity") for span in answer.spans] if answer else []}

    def plain(self) -> dict[str, Any]:
        """Return the aspects as tables, scores rounded to four places."""
        return {"aspects": [table(span, "polarity") for span in self.spans]}
