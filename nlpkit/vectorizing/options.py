"""The options of vectorizing, the methods that use each, and scikit-learn's names for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_type_hints

from nlpkit.errors import MissingExtra, UsageError
from nlpkit.settings.declaration import convert, setting

LEARNED = ("count", "tfidf")  # methods that learn a vocabulary
WORDS = (*LEARNED, "hash")  # methods that count n-grams
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
    """The settings that turn a text into a vector; the defaults are scikit-learn's.

    Raises:
        UsageError: a value is out of range, or contradicts another.
    """

    method: Literal["count", "tfidf", "hash", "embed"] = setting("tfidf", "kind of vectors")
    analyzer: Literal["word", "char", "char_wb"] = setting("word", "unit of the n-grams")
    ngrams: str = setting("1", "lengths of n-grams: 1-2 is words and pairs, 2 is pairs only")
    lowercase: bool = setting(True, "lowercase the text first")
    pretokenized: bool = setting(False, "split at spaces only, as for the output of tokenize")
    binary: bool = setting(False, "1 for a term that occurs, however often")
    sublinear_tf: bool = setting(False, "1 + log(count) instead of the count")
    norm: Literal["l2", "l1", "none"] = setting("l2", "norm that scales each row to length 1")
    features: int = setting(2**18, "number of columns of hash")
    model: str = setting("", "bundle that embeds the texts")
    device: str = setting("auto", "device that the bundle runs on")

    def __post_init__(self) -> None:
        ngram_range(self.ngrams)
        if not 1 <= self.features < 2**31:
            raise UsageError(f"--features {self.features}: must be from 1 to {2**31 - 1}")
        if self.pretokenized and self.analyzer != "word":
            raise UsageError(
                f"--pretokenized needs --analyzer word, not {self.analyzer}; leave one of them out"
            )


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of a vocabulary: integers count documents, floats are shares of the documents.

    Raises:
        UsageError: a limit is out of range.
    """

    min_df: int | float = 1
    max_df: int | float = 1.0
    max_features: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("--min-df", self.min_df), ("--max-df", self.max_df)):
            if not (value >= 1 if isinstance(value, int) else 0 <= value <= 1):
                raise UsageError(
                    f"{name} {value}: give a number of documents (1 or more), or a share with a "
                    "decimal point (0.0 to 1.0)"
                )
        if self.max_features is not None and self.max_features < 1:
            raise UsageError(f"--max-features {self.max_features}: must be at least 1")


NO_LIMITS = Limits()


def options_from(values: Mapping[str, Any]) -> Options:
    """Build options from the values of a command line, by field name.

    Raises:
        UsageError: a value is not allowed.
    """
    hints = get_type_hints(Options)
    for name, value in values.items():
        try:
            convert(value, hints[name])
        except ValueError as problem:
            raise UsageError(f"{flag(name)} {value}: {problem}") from None
    return Options(**values)


def ngram_range(text: str) -> tuple[int, int]:
    """Parse `1-2` or `2` into the shortest and the longest length of n-grams.

    Raises:
        UsageError: the text is not such a range.
    """
    if match := re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", text):
        low, high = int(match[1]), int(match[2] or match[1])
        if 1 <= low <= high:
            return low, high
    raise UsageError(f"--ngrams {text}: give lengths from 1 up, such as 1, 2 or 1-3")


def threshold(flag: str, text: str) -> int | float:
    """Parse a number of documents (2) or a share of them (0.01).

    Raises:
        UsageError: the text is not a number.
    """
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        raise UsageError(
            f"{flag} {text}: give a number such as 2, or a share such as 0.5"
        ) from None


def check_given(method: str, given: Collection[str]) -> None:
    """Reject options that `method` does not use, which would otherwise be ignored silently.

    Raises:
        UsageError: there is one; the message names the methods that use it.
    """
    for name, methods in USED_BY.items():
        if name in given and method not in methods:
            others = " and ".join(methods) if len(methods) < 3 else ", ".join(methods)
            raise UsageError(f"{flag(name)} is for {others}, not {method}; leave it out")


def flag(name: str) -> str:
    """Return the command-line flag of an option."""
    return "--no-lowercase" if name == "lowercase" else "--" + name.replace("_", "-")


def for_sklearn(options: Options) -> dict[str, Any]:
    """Return the arguments that all text vectorizers of scikit-learn share."""
    words = {"token_pattern": r"\S+"} if options.pretokenized else {}
    return words | {
        "lowercase": options.lowercase,
        "analyzer": options.analyzer,
        "ngram_range": ngram_range(options.ngrams),
        "binary": options.binary,
    }


def analyzer(options: Options) -> Callable[[str], list[str]]:
    """Return scikit-learn's function from a text to its terms.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    analyze: Callable[[str], list[str]] = (
        sklearn_text().CountVectorizer(**for_sklearn(options)).build_analyzer()
    )
    return analyze


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
