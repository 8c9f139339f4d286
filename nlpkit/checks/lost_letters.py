"""Find texts with U+FFFD or half a character: their letters are lost."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import Finding
from nlpkit.checking.texts import DAMAGED_SHARE, around, texts_with

ORDER = 130
SAMPLE = {"train": [("n\ufffdo gostei", "no")]}

# U+FFFD stands where a letter was lost; half of a surrogate pair is what is left of a cut emoji.
_LOST = re.compile("[\ufffd\ud800-\udfff]")


def find(text: str, lang: str) -> str:
    """Return what stands around the first lost letter."""
    found = _LOST.search(text)
    return around(text, found.start()) if found else ""


def check(data: Data) -> Iterator[Finding]:
    """Say how many texts of which files have lost letters."""
    return texts_with(
        data,
        find,
        message="with lost letters (U+FFFD, half a character)",
        advice="convert the file again from its source in the right encoding; here they are gone",
        tolerated=DAMAGED_SHARE,
    )
