"""Documents: texts, or lists of words, as models and pipelines take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any, Self

MISSING = ("NAType", "NaTType")  # types of pandas' NA and NaT, by name: pandas need not be imported


class Words(tuple[str, ...]):
    """The words of one document and the annotation style of its gold labels."""

    style: str

    def __new__(cls, words: Iterable[str], style: str = "") -> Self:
        self = super().__new__(cls, words)
        self.style = style
        return self


def whole_text(document: str | Iterable[str]) -> str:
    """Return a document as one text: the words of a list are joined by spaces."""
    return document if isinstance(document, str) else " ".join(document)


def documents_of(values: Iterable[Any]) -> list[Any]:
    """Return the documents of an iterable, in order: texts and lists of words as they are.

    None, NaN and pandas' NA become the empty text. A pandas column is read in the order of its
    rows, not of its index.

    Raises:
        TypeError: `values` is not a list or column of documents, or a document is neither a text
            nor a list of words; the message has its position, from 0.
    """
    is_list = isinstance(values, Iterable) and not isinstance(values, bytes | Mapping)
    if not is_list or getattr(values, "ndim", 1) != 1:
        raise TypeError(f"documents must be a list of texts, not {type(values).__name__}")
    documents = list(values)
    if set(map(type, documents)) <= {str}:
        return documents
    return [_document(value, position) for position, value in enumerate(documents)]


def _document(value: Any, position: int) -> Any:
    if isinstance(value, str) or _is_words(value):
        return value
    missing = value is None or type(value).__name__ in MISSING
    if missing or (isinstance(value, Real) and value != value):
        return ""
    advice = "; decode it first" if isinstance(value, bytes) else ""
    raise TypeError(
        f"document {position} is {type(value).__name__}, not a text or a list of words{advice}"
    )


def _is_words(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(word, str) for word in value)
