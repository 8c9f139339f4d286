"""Find texts that are clearly in another language than the expected one."""

from __future__ import annotations

from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import Finding
from nlpkit.checking.texts import texts_with
from nlpkit.language.detect import foreign

ORDER = 160
SAMPLE = {"train": [("This is not what I have asked them for", "no")]}
LANGUAGES = {"pt": "Portuguese", "en": "English", "es": "Spanish"}


def find(text: str, lang: str) -> str:
    """Return the name of the other language; "" if there is none, or if `lang` is "any"."""
    return LANGUAGES.get(foreign(text, lang), "") if lang in LANGUAGES else ""


def check(data: Data) -> Iterator[Finding]:
    """Yield a finding for the texts in another language."""
    return texts_with(
        data,
        find,
        message=f"with more of another language than {LANGUAGES.get(data.lang, data.lang)}",
        advice="remove them, or check --lang: a model learns little from a few foreign rows",
    )
