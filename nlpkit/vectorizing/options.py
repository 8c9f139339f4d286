"""The options of vectors, the methods that use each, and sklearn's names for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_type_hints

from nlpkit.errors import MissingExtra, UsageError
from nlpkit.settings.declaration import convert, setting

LEARNED = ("count", "tfidf")  # methods that learn a vocabulary
WORDS = (*LEARNED, "hash")  # methods that look at n-grams
USED_BY = {
    **dict.fromkeys(("analyzer", "ngrams", "lowercase", "pretokenized", "binary"), WORDS),
    **dict.fromkeys(("min_df", "max_df", "max_features"), LEARNED),
    "norm": ("tfidf", "hash"),
    "sublinear_tf": ("tfidf",),
    "features": ("hash",),
    "model": ("embed",),
    "device": ("embed",),
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a text becomes a vector; the defaults are scikit-learn's."""

    method: Literal["count", "tfidf", "hash", "embed"] = setting("tfidf", "kind of vectors")
    analyzer: Literal["word", "char", "char_wb"] = setting("word", "what n-grams are made of")
    ngrams: str = setting("1", "lengths of n-grams: 1-2 is words and pairs, 2 is pairs only")
    lowercase: bool = setting(True, "lowercase the text first")
    pretokenized: bool = setting(False, "tokens are what spaces separate, as tokenize gives them")
    binary: bool = setting(False, "whether a term is there, not how often")
    sublinear_tf: bool = setting(False, "1 + log(count) rather than the count")
    norm: Literal["l2", "l1", "none"] = setting("l2", "length that a row is scaled to")
    features: int = setting(2**18, "columns of hash")
    model: str = setting("", "bundle that embeds")
    device: str = setting("auto", "where the bundle runs")

    def __post_init__(self) -> None:
        ngram_range(self.ngrams)
        if not 1 <= self.features < 2**31:
            raise UsageError(f"--features {self.features}: must be from 1 to {2**31 - 1}")
        if self.pretokenized and self.analyzer != "word":
            raise UsageError(
                f"--pretokenized goes with --analyzer word, not {self.analyzer}; leave out one"
            )


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Which terms a vocabulary keeps: whole numbers count documents, others are shares of them."""

    min_df: int | float = 1
    max_df: int | float = 1.0
    max_features: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("--min-df", self.min_df), ("--max-df", self.max_df)):
            if not (value >= 1 if isinstance(value, int) else 0 <= value <= 1):
                raise UsageError(
                    f"{name} {value}: give a number of documents (1 or more), or a share of "
                    "them with a point (0.0 to 1.0)"
                )
        if self.max_features is not None and self.max_features < 1:
            raise UsageError(f"--max-features {self.max_features}: must be at least 1")


NO_LIMITS = Limits()


def options_from(values: Mapping[str, Any]) -> Options:
    """Make options of what a command line gave.

    Raises:
        UsageError: a value is not among those allowed.
    """
    hints = get_type_hints(Options)
    for name, value in values.items():
        try:
            convert(value, hints[name])
        except ValueError as problem:
            raise UsageError(f"{flag(name)} {value}: {problem}") from None
    return Options(**values)


def ngram_range(text: str) -> tuple[int, int]:
    """Return the lengths that `1-2` or `2` means.

    Raises:
        UsageError: it means none.
    """
    if found := re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", text):
        low, high = int(found[1]), int(found[2] or found[1])
        if 1 <= low <= high:
            return low, high
    raise UsageError(f"--ngrams {text}: give lengths from 1 up, such as 1, 2 or 1-3")


def threshold(flag: str, text: str) -> int | float:
    """Read a number of documents (2) or a share of them (0.01).

    Raises:
        UsageError: it is neither.
    """
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        raise UsageError(f"{flag} {text}: give a number such as 2, or a share like 0.5") from None


def check_given(method: str, given: Collection[str]) -> None:
    """Refuse an option that `method` has no use for; it would change nothing, silently.

    Raises:
        UsageError: there is one; the message says which methods have it.
    """
    for name, methods in USED_BY.items():
        if name in given and method not in methods:
            others = " and ".join(methods) if len(methods) < 3 else ", ".join(methods)
            raise UsageError(f"{flag(name)} is for {others}, not {method}; leave it out")


def flag(name: str) -> str:
    """Return the flag of an option."""
    return "--no-lowercase" if name == "lowercase" else "--" + name.replace("_", "-")


def for_sklearn(options: Options) -> dict[str, Any]:
    """Return the arguments that all of sklearn's text vectorizers take."""
    words = {"token_pattern": r"\S+"} if options.pretokenized else {}
    return words | {
        "lowercase": options.lowercase,
        "analyzer": options.analyzer,
        "ngram_range": ngram_range(options.ngrams),
        "binary": options.binary,
    }


def analyzer(options: Options) -> Callable[[str], list[str]]:
    """Return sklearn's own function from a text to its terms."""
    made: Callable[[str], list[str]] = (
        sklearn_text().CountVectorizer(**for_sklearn(options)).build_analyzer()
    )
    return made


def sklearn_text() -> Any:
    """Import and return sklearn.feature_extraction.text.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    try:
        from sklearn.feature_extraction import text
    except ModuleNotFoundError:
        raise MissingExtra("vectors", "scikit-learn") from None
    return text
