"""Find texts without words."""

from __future__ import annotations

from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import Finding
from nlpkit.checking.texts import texts_with

ORDER = 120
SAMPLE = {"train": [(" ", "yes")]}


def find(text: str, lang: str) -> str:
    """Return "empty" for a text without words."""
    return "" if text.strip() else "empty"


def check(data: Data) -> Iterator[Finding]:
    """Yield a finding for the texts without words."""
    return texts_with(
        data,
        find,
        message="without words",
        advice="remove them; training leaves them out",
    )
