"""Portuguese or English: by the function words that only one of them has."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Literal

Lang = Literal["pt", "en", "auto"]
LANGUAGES = ("pt", "en")
READ = 2000  # characters that decide
FOREIGN = 4  # "I'm at X in Y" is no English text, and ten words of real prose hold as many
# Not in spaCy's lists, yet they decide many a short review; "a", "do" and the like are in several.
_MORE = {
    "pt": {"não", "nao", "é", "o", "um", "uma", "muito", "que", "e", "de"},
    "en": {"the", "i", "it", "is", "and", "of", "was", "not", "this"},
    "es": {"el", "la", "los", "las", "y", "muy", "del", "un", "una", "que", "de", "lo", "con"},
}
_WORD = re.compile(r"[^\W\d_]+")
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|@\w+")


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


def foreign(text: str, lang: str) -> str:
    """Return the language that a text is clearly in rather than `lang`, or "".

    Clearly is by FOREIGN distinct function words, and twice as many as `lang` has: names, quotes
    and short texts prove nothing. Spanish is told apart as well, Portuguese being taken for it.
    """
    words = set(_WORD.findall(_ADDRESS.sub(" ", text[:READ].lower())))
    counts = {other: len(words & own) for other, own in _own_words().items()}
    most = max(counts, key=lambda other: counts[other])
    return most if counts[most] >= max(FOREIGN, 2 * counts[lang] + 1) else ""


@cache
def _own_words() -> dict[str, frozenset[str]]:
    """Return the function words that only one of the languages has."""
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
