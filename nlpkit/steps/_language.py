"""Portuguese or English: by the function words that only one of them has."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Literal

Lang = Literal["pt", "en", "auto"]
LANGUAGES = ("pt", "en")
READ = 2000  # characters that decide
_WORD = re.compile(r"[^\W\d_]+")


def languages(lang: Lang) -> tuple[str, ...]:
    """Return the languages that a text may turn out to be in."""
    return LANGUAGES if lang == "auto" else (lang,)


def language_of(lang: Lang) -> Callable[[str], str]:
    """Return what tells a text's language: always `lang`, or found by `auto`."""
    return detect if lang == "auto" else lambda text: lang


def detect(text: str) -> str:
    """Return "en" where English function words outnumber Portuguese ones, else "pt"."""
    portuguese, english = _function_words()
    words = _WORD.findall(text[:READ].lower())
    balance = sum((word in english) - (word in portuguese) for word in words)
    return "en" if balance > 0 else "pt"


@cache
def _function_words() -> tuple[frozenset[str], frozenset[str]]:
    from nlpkit.steps._spacy import stop_words

    # Neither list has these, which decide many a short review; "a", "do" and the like are in both.
    portuguese = stop_words("pt") | {"não", "nao", "é", "o", "um", "uma", "muito", "que", "e", "de"}
    english = stop_words("en") | {"the", "i", "it", "is", "and", "of", "was", "not", "this"}
    return portuguese - english, english - portuguese
