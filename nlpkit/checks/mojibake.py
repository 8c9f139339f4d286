"""Find texts that were decoded in the wrong encoding (NÃ£o for Não)."""

from __future__ import annotations

from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import Finding
from nlpkit.checking.texts import DAMAGED_SHARE, around, texts_with

ORDER = 140
SAMPLE = {"train": [("NÃ£o gostei", "no")]}


def find(text: str, lang: str) -> str:
    """Return the first damage and ftfy's repair of it, or "".

    A text that `ftfy.fix_encoding` can repair is certainly damaged. `ftfy.is_bad` alone also
    reports "¬¬", a Brazilian emoticon.
    """
    if text.isascii():
        return ""
    from ftfy import fix_encoding
    from ftfy.chardata import UTF8_DETECTOR_RE

    # ftfy makes this test last; made first, it spares nearly all texts the slow `is_bad`.
    if not UTF8_DETECTOR_RE.search(text):
        return ""
    repaired = fix_encoding(text)
    if repaired == text:
        return ""
    pairs = enumerate(zip(text, repaired, strict=False))
    start = next((index for index, (old, new) in pairs if old != new), 0)
    return f"{around(text, start)} → {around(repaired, start)}"


def check(data: Data) -> Iterator[Finding]:
    """Yield a finding for the texts that were decoded in the wrong encoding."""
    return texts_with(
        data,
        find,
        message="decoded in the wrong encoding (mojibake)",
        advice="if it is most of a file, give its --encoding; "
        "else repair the rows with ftfy.fix_text",
        tolerated=DAMAGED_SHARE,
    )
