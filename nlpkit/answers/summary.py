"""Summaries of documents."""

from __future__ import annotations

from typing import Any

from nlpkit.answers.written import Written


class Summary(Written):
    """The summary of a document: sentences on one line."""

    @classmethod
    def fields(cls, into: str | None = None) -> tuple[str, ...]:
        """Return `summary`, or `into`."""
        return (into or "summary",)

    def plain(self) -> dict[str, Any]:
        """Return the summary."""
        return {"summary": self.text}
