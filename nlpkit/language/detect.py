"""Detect the language of a text by the function words that only one language has."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Literal

Lang = Literal["pt", "en", "auto"]
LANGUAGES = ("pt", "en")
READ = 2000  # most characters of a text that are looked at
# Fewest distinct function words of a foreign text: "I'm at X in Y" does not reach it, ten words of
# English prose do.
FOREIGN = 4
# Frequent words of short reviews that spaCy's lists lack. "a" and "do" are words of several
# languages.
_MORE = {
    "pt": {"não", "nao", "é", "o", "um", "uma", "muito", "que", "e", "de"},
    "en": {"the", "i", "it", "is", "and", "of", "was", "not", "this"},
    "es": {"el", "la", "los", "las", "y", "muy", "del", "un", "una", "que", "de", "lo", "con"},
}
_WORD = re.compile(r"[^\W\d_]+")
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|@\w+")


def languages(lang: Lang) -> tuple[str, ...]:
    """Return the languages that `lang` allows: both for "auto"."""
    return LANGUAGES if lang == "auto" else (lang,)


def language_of(lang: Lang) -> Callable[[str], str]:
    """Return a function from a text to its language: `detect` for "auto", else constant."""
    return detect if lang == "auto" else lambda text: lang


def detect(text: str) -> str:
    """Return "en" if English function words outnumber Portuguese ones, else "pt"."""
    portuguese, english = _function_words()
    words = _WORD.findall(text[:READ].lower())
    balance = sum((word in english) - (word in portuguese) for word in words)
    return "en" if balance > 0 else "pt"


def foreign(text: str, lang: str) -> str:
    """Return the language of a text that is clearly not in `lang`, or "".

    A text is foreign if it has at least FOREIGN distinct function words of another language, and
    more than twice as many as of `lang`, so that names, quotes and short texts do not count.
    Spanish is a third language here because it resembles Portuguese.
    """
    words = set(_WORD.findall(_ADDRESS.sub(" ", text[:READ].lower())))
    counts = {other: len(words & own) for other, own in _own_words().items()}
    most = max(counts, key=lambda other: counts[other])
    return most if counts[most] >= max(FOREIGN, 2 * counts[lang] + 1) else ""


@cache
def _own_words() -> dict[str, frozenset[str]]:
    """Return the function words of each language that no other language has."""
    from nlpkit.language.spacy_rules import stop_words

    lists = {lang: stop_words(lang) | more for lang, more in _MORE.items()}
    return {
        lang: words - frozenset().union(*(lists[other] for other in lists.keys() - {lang}))
        for lang, words in lists.items()
    }


@cache
def _function_words() -> tuple[frozenset[str], frozenset[str]]:
    from nlpkit.language.spacy_rules import stop_words

    portuguese, english = (stop_words(lang) | _MORE[lang] for lang in LANGUAGES)
    return portuguese - english, english - portuguese
