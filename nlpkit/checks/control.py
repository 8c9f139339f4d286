"""Find texts with control characters other than tabs and line ends, or invisible ones."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import Finding
from nlpkit.checking.texts import texts_with
from nlpkit.text.unicode import invisible

ORDER = 150
SAMPLE = {"train": [("bom\x00", "yes")]}

# C0 and DEL without tab and line ends, and C1, which is Windows-1252 text read as Latin-1.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def find(text: str, lang: str) -> str:
    """Return the first control character, or else the first invisible one, escaped."""
    control = _CONTROL.search(text)
    return ascii(control[0] if control else invisible(text))[1:-1]


def check(data: Data) -> Iterator[Finding]:
    """Yield a finding for the texts with control or invisible characters."""
    return texts_with(
        data,
        find,
        message="with control or invisible characters",
        advice="remove them with 'nlpkit clean'",
    )
