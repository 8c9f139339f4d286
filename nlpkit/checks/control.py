"""Find texts with control characters other than tabs and line ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import Finding
from nlpkit.checking.texts import texts_with

ORDER = 150
SAMPLE = {"train": [("bom\x00", "yes")]}

# C0 and DEL without tab and line ends, and C1, which is Windows-1252 text read as Latin-1.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def find(text: str, lang: str) -> str:
    """Return the first control character, escaped."""
    match = _CONTROL.search(text)
    return repr(match[0])[1:-1] if match else ""


def check(data: Data) -> Iterator[Finding]:
    """Yield a finding for the texts with control characters."""
    return texts_with(
        data,
        find,
        message="with control characters",
        advice="remove them with 'nlpkit clean'",
    )
