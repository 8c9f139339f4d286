"""Entities: the names in a document, with their types."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, ClassVar, Self

from nlpkit.answers import Span, Spans, table


class Entities(Spans):
    """The named entities of a document, in the order of the text."""

    __slots__ = ()
    OF_LINES: ClassVar[str] = "jsonl"  # the format that answers to plain lines are written in
    FIELD: ClassVar[str] = "entities"  # the name of the list
    KIND: ClassVar[str] = "type"  # the name of a span's label

    @classmethod
    def fields(cls, into: str | None = None) -> tuple[str, ...]:
        """Return FIELD, or `into`."""
        return (into or cls.FIELD,)

    def cells(self) -> tuple[str, ...]:
        """Return the spans as JSON."""
        return (json.dumps(self.plain()[self.FIELD], ensure_ascii=False),)

    @classmethod
    def values(cls, answer: Any, into: str | None = None) -> dict[str, Any]:
        """Return a list of tables with start, end, KIND, text and score."""
        (field,) = cls.fields(into)
        return {field: [table(span, cls.KIND) for span in answer.spans] if answer else []}

    def plain(self) -> dict[str, Any]:
        """Return the spans as tables, scores rounded to four places."""
        return {self.FIELD: [table(span, self.KIND) for span in self.spans]}


class Annotated(Entities):
    """Gold entities, the text that they are in, and the types that were annotated."""

    document: str
    types: frozenset[str] | None  # None: all

    def __new__(
        cls, spans: Iterable[Span], document: str, types: frozenset[str] | None = None
    ) -> Self:
        self = super().__new__(cls, tuple(spans))
        self.document, self.types = document, types
        return self

    def judges(self, label: str) -> bool:
        """Tell whether entities of this type were annotated."""
        return self.types is None or label in self.types
