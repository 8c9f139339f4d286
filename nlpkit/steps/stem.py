"""Cut words to their stems, by the rules of Snowball or RSLP.

Snowball: Porter 2001. RSLP: Orengo & Huyck 2001.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from nlpkit.errors import InputError, MissingExtra, UsageError
from nlpkit.language.detect import Lang
from nlpkit.language.words import Words
from nlpkit.settings.declaration import setting
from nlpkit.steps import Load, Step, Tokens, no_models

TAKES, GIVES = "tokens", "tokens"
IDEMPOTENT = False  # a stem may end with another suffix
EXAMPLES = (
    ("", "Gostei dos produtos maravilhosos", "gost dos produt maravilh"),
    ("--lang en", "The meetings were cancelled", "the meet were cancel"),
)
LANGUAGES = {"pt": "portuguese", "en": "english"}


@dataclass(frozen=True, kw_only=True)
class Options:
    """The language and the stemming algorithm."""

    lang: Lang = setting("pt", "language of the texts; auto detects it for each")
    algorithm: Literal["snowball", "rslp"] = setting("snowball", "rslp needs nltk and its data")
    pretokenized: bool = setting(False, "split at spaces only, for text that is tokenized already")


def build(options: Options, load: Load = no_models) -> Step:
    """Return the step.

    Raises:
        UsageError: rslp is asked for another language than Portuguese.
        MissingExtra: rslp needs nltk, which is not installed.
        InputError: rslp's rules are not installed.
    """
    if options.algorithm == "rslp" and options.lang != "pt":
        raise UsageError("--algorithm rslp stems only Portuguese; use --lang pt")
    stemmer = _rslp() if options.algorithm == "rslp" else _snowball()
    words = Words(options.lang, pretokenized=options.pretokenized)

    def stem(texts: Sequence[str]) -> Sequence[Tokens]:
        return [Tokens(stemmer(lang, tokens)) for lang, tokens in words(texts)]

    return stem


def _snowball() -> Callable[[str, list[str]], list[str]]:
    from Stemmer import Stemmer

    stemmers = {lang: Stemmer(name) for lang, name in LANGUAGES.items()}

    def stems(lang: str, tokens: list[str]) -> list[str]:
        lowered = [token.lower() for token in tokens]
        try:
            return list(stemmers[lang].stemWords(lowered))
        except UnicodeEncodeError:  # a lone surrogate, as in a cut JSON string
            return lowered

    return stems


def _rslp() -> Callable[[str, list[str]], list[str]]:
    try:
        from nltk.stem import RSLPStemmer
    except ModuleNotFoundError:
        raise MissingExtra("rslp", "nltk") from None
    try:
        stemmer = RSLPStemmer()
    except LookupError:
        raise InputError(
            "--algorithm rslp: nltk's rules are not on this machine; "
            "run python -m nltk.downloader rslp once"
        ) from None
    return lambda lang, tokens: [stemmer.stem(token.lower()) or token.lower() for token in tokens]
