"""Text to ids and back. `tokenizers/` is the shelf: one file is one kind of tokenizer.

A tokenizer's file has two functions:

    learn(documents, settings, *, bounds=False, vectors=NO_VECTORS) -> Tokenizer
    load(content, languages) -> Tokenizer  # of what `to_json` wrote, for a model of languages;
                                           # raises ValueError, KeyError, TypeError

`settings` are the `[tokenizer]` section of a recipe. With `bounds` the vocabulary has ids for the
begin and the end of a text, which tasks that write texts need. The kind is kept beside the file (in
the recipe, in the bundle's manifest), never guessed from its contents.

Legend: N documents, S tokens of all documents, B batch, T time, F ids of one token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import is_
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from nlpkit import catalog
from nlpkit.text.documents import Words
from nlpkit.text.unicode import spans_before, visible

if TYPE_CHECKING:
    import numpy as np


class Encoded(NamedTuple):
    """The ids of many documents in one array, one document after another.

    `ids_S` (int64; [S, F] where a token is several ids), `lengths_N` tokens of each document and,
    where they were asked for, `offsets_S2`: first and one past the last character of each token.
    `words` are those of each document, from a tokenizer whose tokens are words. Arrays of a few
    dozen ids each would cost more than the ids themselves.
    """

    ids_S: np.ndarray
    lengths_N: np.ndarray
    offsets_S2: np.ndarray | None = None
    words: Sequence[Sequence[str]] | None = None

    def each(self) -> list[np.ndarray]:
        """Return each document's ids."""
        return split(self.ids_S, self.lengths_N)


def encode(tokenizer: Tokenizer, documents: Sequence[Any], *, offsets: bool = False) -> Encoded:
    """Return the ids of documents normalised by `visible`; offsets point into the originals.

    Every model reads its documents by this function, in training and in serving.
    """
    seen = [seen_document(document) for document in documents]
    encoded = tokenizer.encode(seen, offsets=offsets)
    if encoded.offsets_S2 is None or all(map(is_, seen, documents)):
        return encoded
    return encoded._replace(offsets_S2=_before(documents, seen, encoded))


def seen_document(document: Any) -> Any:
    """Return a text, or a list of words, normalised by `visible`; no word is dropped."""
    if isinstance(document, str):
        return visible(document)
    words = [visible(word) or word for word in document]
    if all(map(is_, words, document)):
        return document
    return Words(words, document.style) if isinstance(document, Words) else words


def _before(documents: Sequence[Any], seen: Sequence[Any], encoded: Encoded) -> np.ndarray:
    """Return the offsets of all tokens in the original documents, offsets_S2."""
    import numpy as np

    assert encoded.offsets_S2 is not None
    each = split(encoded.offsets_S2, encoded.lengths_N)
    for row, (document, other) in enumerate(zip(documents, seen, strict=True)):
        if other is not document:
            text = document if isinstance(document, str) else " ".join(document)
            spans = spans_before(text, each[row].tolist())
            each[row] = np.array(spans, dtype=np.int64).reshape(-1, 2)
    return np.concatenate(each)


def split(array_S: np.ndarray, lengths_N: np.ndarray) -> list[np.ndarray]:
    """Return each document's part of an array over all tokens."""
    import numpy as np

    return np.split(array_S, np.cumsum(lengths_N)[:-1]) if len(lengths_N) else []


class Tokenizer(Protocol):
    """The contract of every tokenizer, for type checkers.

    `pad` is always 0. `bos` and `eos` are None where the vocabulary has no such ids.
    """

    kind: str
    vocab_size: int
    pad: int
    unk: int
    bos: int | None
    eos: int | None

    def encode(self, documents: Sequence[Any], *, offsets: bool = False) -> Encoded:
        """Return the ids of documents: texts, or lists of words."""

    def pieces(self, ids: Sequence[Any]) -> list[str]:
        """Return what each id stands for, as the vocabulary spells it."""

    def text(self, ids: Sequence[Any]) -> str:
        """Return the text that ids stand for, without `pad`, `bos` and `eos`."""

    def sizes(self) -> Mapping[str, int]:
        """Return the settings of an architecture that follow from the vocabulary."""

    def random(self, rng: np.random.Generator, batch: int, time: int) -> np.ndarray:
        """Return ids such as these, [B, T] or [B, T, F], for exports and their gate."""

    def to_json(self) -> str:
        """Return the contents of tokenizer.json."""


class WordVectors(NamedTuple):
    """Words and their vectors_VD (float32), learned before; V may be 0."""

    words: Sequence[str] = ()
    vectors_VD: Any = None

    @property
    def width(self) -> int:
        """The columns of the vectors; 0 without words."""
        return int(self.vectors_VD.shape[1]) if len(self.words) else 0


NO_VECTORS = WordVectors()


def load(kind: str, content: str, languages: Sequence[str] = ()) -> Tokenizer:
    """Return the tokenizer of that kind from the contents of tokenizer.json.

    `languages` are the model's: where words are tokens, the rules of the first split texts.

    Raises:
        UsageError: there is no such kind.
        ValueError: the content is damaged.
    """
    module = catalog.load("tokenizers", kind)
    try:
        tokenizer: Tokenizer = module.load(content, languages)
    except KeyError as problem:
        raise ValueError(f"lacks {problem}") from None
    except (TypeError, AttributeError, OverflowError, RecursionError) as problem:
        raise ValueError(str(problem)) from None
    return tokenizer
