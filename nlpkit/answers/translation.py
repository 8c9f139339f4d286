"""Translations of documents."""

from __future__ import annotations

from typing import Any

from nlpkit.answers.written import Written


class Translation(Written):
    """A document in another language."""

    @classmethod
    def fields(cls, into: str | None = None) -> tuple[str, ...]:
        """Return `translation`, or `into`."""
        return (into or "translation",)

    def plain(self) -> dict[str, Any]:
        """Return the translation."""
        return {"translation": self.text}
