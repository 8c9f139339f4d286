"""Find texts with control characters, other than tabs and line ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import Finding
from nlpkit.checking.texts import texts_with

ORDER = 150
SAMPLE = {"train": [("bom\x00", "yes")]}

# Control characters but for tab and line ends; C1 is Windows-1252 read as Latin-1.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def find(text: str, lang: str) -> str:
    """Return the first control character, escaped."""
    found = _CONTROL.search(text)
    return repr(found[0])[1:-1] if found else ""


def check(data: Data) -> Iterator[Finding]:
    """Say how many texts of which files have control characters."""
    return texts_with(
        data,
        find,
        message="with control characters",
        advice="remove them: nlpkit clean does",
    )
