"""Detect the language of a text by the function words that only one language has.

`--lang auto` asks lingua, if it is installed, about texts whose function words leave it open.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from typing import Literal

from nlpkit.errors import Note, install_extra

Lang = Literal["pt", "en", "auto"]
LANGUAGES = ("pt", "en")
READ = 2000  # most characters of a text that are looked at
# Fewest distinct function words of a foreign text: "I'm at X in Y" does not reach it, ten words of
# English prose do.
FOREIGN = 4
# Words by which one language must lead to be chosen without lingua: 3 is as accurate and slower.
CLEAR = 2
# Fewest words of a text for lingua, which calls one in six single Portuguese words English.
FEWEST = 2
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
    """Return a function from a text to its language: constant unless `lang` is "auto".

    For "auto" it is `detect` with lingua's help, or `detect` alone and a note, once in a process,
    if lingua is not installed.
    """
    if lang != "auto":
        return lambda text: lang
    lingua = _lingua()
    if lingua is None:
        _note_missing()
        return detect
    return lambda text: _detect_with(lingua, text)


def detect(text: str) -> str:
    """Return "en" if English function words outnumber Portuguese ones, else "pt"."""
    return "en" if _lead_of_english(_words(text)) > 0 else "pt"


def _detect_with(lingua: Callable[[str], str], text: str) -> str:
    """Return the answer of `detect` where it is clear or the text is very short, else lingua's."""
    words = _words(text)
    lead = _lead_of_english(words)
    if abs(lead) >= CLEAR or len(words) < FEWEST:
        return "en" if lead > 0 else "pt"
    return lingua(text[:READ].encode("utf-8", "replace").decode())  # "?" for lone surrogates


def _words(text: str) -> list[str]:
    return _WORD.findall(text[:READ].lower())


def _lead_of_english(words: Sequence[str]) -> int:
    """Return how many more function words of English than of Portuguese there are."""
    portuguese, english = _function_words()
    return sum((word in english) - (word in portuguese) for word in words)


def _lingua() -> Callable[[str], str] | None:
    """Return lingua's detector of LANGUAGES, or None if lingua is not installed.

    It loads its models for the first text. It reads one text at a time, because its call for many
    starts a thread for each core and takes no less CPU time.
    """
    try:
        from lingua import IsoCode639_1, LanguageDetectorBuilder
    except ImportError:  # also where PyPI's other package of this name is installed
        return None
    codes = [IsoCode639_1.from_str(lang) for lang in LANGUAGES]
    detector = LanguageDetectorBuilder.from_iso_codes_639_1(*codes).build()

    def language(text: str) -> str:
        best = detector.detect_language_of(text)  # None for a text in another script
        return "pt" if best is None else str(best.iso_code_639_1.name).lower()

    return language


@cache
def _note_missing() -> None:
    note = "--lang auto: lingua, which is better at short texts, is not installed"
    warnings.warn(Note(f"{note}: {install_extra('lang')}"), stacklevel=3)


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
