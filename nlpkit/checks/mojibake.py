"""Find texts that were decoded in the wrong encoding (NÃ£o for Não)."""

from __future__ import annotations

from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import Finding
from nlpkit.checking.texts import DAMAGED_SHARE, around, texts_with

ORDER = 140
SAMPLE = {"train": [("NÃ£o gostei", "no")]}


def find(text: str, lang: str) -> str:
    """Return what ftfy would make of a text: what it can repair was broken for certain.

    Its `is_bad` alone also takes "¬¬", a Brazilian emoticon, for damage.
    """
    if text.isascii():
        return ""
    from ftfy import fix_encoding
    from ftfy.chardata import UTF8_DETECTOR_RE

    # As ftfy does last, but first: it spares nearly all texts the slow `is_bad`.
    if not UTF8_DETECTOR_RE.search(text):
        return ""
    repaired = fix_encoding(text)
    if repaired == text:
        return ""
    pairs = enumerate(zip(text, repaired, strict=False))
    start = next((place for place, (old, new) in pairs if old != new), 0)
    return f"{around(text, start)} → {around(repaired, start)}"


def check(data: Data) -> Iterator[Finding]:
    """Say how many texts of which files were decoded wrongly."""
    return texts_with(
        data,
        find,
        message="decoded in the wrong encoding (mojibake)",
        advice="if it is most of a file, give its --encoding; "
        "else mend the rows: ftfy.fix_text does",
        tolerated=DAMAGED_SHARE,
    )
