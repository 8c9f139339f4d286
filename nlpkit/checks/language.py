"""Find texts that are clearly in another language than the one asked for."""

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
    """Return the name of the other language; nothing where any language will do."""
    return LANGUAGES.get(foreign(text, lang), "") if lang in LANGUAGES else ""


def check(data: Data) -> Iterator[Finding]:
    """Say how many texts of which files are in another language."""
    return texts_with(
        data,
        find,
        message=f"with more of another language than {LANGUAGES.get(data.lang, data.lang)}",
        advice="leave them out, or check --lang: a model learns little from a few foreign rows",
    )
