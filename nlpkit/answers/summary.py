"""Summaries of documents."""

from __future__ import annotations

from typing import Any, ClassVar

from nlpkit.answers import Text


class Summary(Text):
    """The summary of a document: sentences on one line."""

    __slots__ = ()
    OF_LINES: ClassVar[str] = "lines"  # the format that answers to plain lines are written in

    @classmethod
    def fields(cls, into: str | None = None) -> tuple[str, ...]:
        """Return `summary`, or `into`."""
        return (into or "summary",)

    def plain(self) -> dict[str, Any]:
        """Return the summary."""
        return {"summary": self.text}
