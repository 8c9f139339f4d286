"""Find texts of no words: there is nothing to learn from them."""

from __future__ import annotations

from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import Finding
from nlpkit.checking.texts import texts_with

ORDER = 120
SAMPLE = {"train": [(" ", "yes")]}


def find(text: str, lang: str) -> str:
    """Return "empty" for a text of no words."""
    return "" if text.strip() else "empty"


def check(data: Data) -> Iterator[Finding]:
    """Say how many texts of which files have no words."""
    return texts_with(
        data,
        find,
        message="of no words",
        advice="leave them out; training does",
    )
