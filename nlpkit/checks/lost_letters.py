"""Find texts that have lost letters: U+FFFD, or half of a surrogate pair."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import Finding
from nlpkit.checking.texts import DAMAGED_SHARE, around, texts_with

ORDER = 130
SAMPLE = {"train": [("n\ufffdo gostei", "no")]}

# A decoder writes U+FFFD for bytes that it cannot read; a cut emoji leaves half a surrogate pair.
_LOST = re.compile("[\ufffd\ud800-\udfff]")


def find(text: str, lang: str) -> str:
    """Return the text around the first lost letter, or ""."""
    match = _LOST.search(text)
    return around(text, match.start()) if match else ""


def check(data: Data) -> Iterator[Finding]:
    """Yield a finding for the texts with lost letters."""
    return texts_with(
        data,
        find,
        message="with lost letters (U+FFFD, half a character)",
        advice="convert the file again from its source in the right encoding; "
        "they cannot be restored from this file",
        tolerated=DAMAGED_SHARE,
    )
