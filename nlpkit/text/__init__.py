"""The tokenizer contract: text to ids and back. Each file in `tokenizers/` is a kind of tokenizer.

A tokenizer's file has two functions:

    learn(documents, settings, *, bounds=False, vectors=NO_VECTORS) -> Tokenizer
    load(content, languages) -> Tokenizer  # read the output of `to_json`;
                                           # raises ValueError, KeyError, TypeError

`settings` is the `[tokenizer]` section of a recipe. `bounds` adds ids for the beginning and the
end of a text to the vocabulary, for tasks that generate text. The kind is stored beside the file
(in the recipe and in the bundle's manifest), never inferred from its contents.

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
    """The ids of many documents, concatenated: one array a document would cost more than the ids.

    Attributes:
        ids_S: ids (int64); [S, F] if a token has several ids.
        lengths_N: number of tokens of each document.
        offsets_S2: on request, [start, end) of each token, in characters.
        words: the words of each document, from tokenizers whose tokens are words.
    """

    ids_S: np.ndarray
    lengths_N: np.ndarray
    offsets_S2: np.ndarray | None = None
    words: Sequence[Sequence[str]] | None = None

    def each(self) -> list[np.ndarray]:
        """Return one array of ids for each document."""
        return split(self.ids_S, self.lengths_N)


def encode(
    tokenizer: Tokenizer,
    documents: Sequence[Any],
    *,
    offsets: bool = False,
    bounds: tuple[int, int] | None = None,
) -> Encoded:
    """Normalize documents by `visible` and tokenize them; offsets refer to the original documents.

    `bounds`, the ids of bos and eos, are put around the ids of each document that has any.
    Training and inference both read documents through this function.
    """
    seen = [seen_document(document) for document in documents]
    encoded = tokenizer.encode(seen, offsets=offsets)
    if encoded.offsets_S2 is not None and not all(map(is_, seen, documents)):
        encoded = encoded._replace(offsets_S2=_before(documents, seen, encoded))
    return _bounded(encoded, *bounds) if bounds else encoded


def _bounded(encoded: Encoded, bos: int, eos: int) -> Encoded:
    """Return documents between bos and eos, whose offsets are empty spans at the text's ends."""
    import numpy as np

    full_N = encoded.lengths_N > 0
    ends_N = np.cumsum(encoded.lengths_N)
    first, last = (ends_N - encoded.lengths_N)[full_N], ends_N[full_N]
    # np.insert keeps the order of equal places: eos of a document, then bos of the next.
    places = np.stack([first, last], axis=1).ravel()
    ids_S = np.insert(encoded.ids_S, places, np.tile([bos, eos], len(first)))
    offsets_S2 = encoded.offsets_S2
    if offsets_S2 is not None:
        edges = np.stack([offsets_S2[first, 0], offsets_S2[last - 1, 1]], axis=1).ravel()
        offsets_S2 = np.insert(offsets_S2, places, np.stack([edges, edges], axis=1), axis=0)
    lengths_N = encoded.lengths_N + 2 * full_N
    return Encoded(ids_S, lengths_N, offsets_S2, encoded.words)


def seen_document(document: Any) -> Any:
    """Return a text or a list of words, normalized by `visible`.

    A word of invisible characters only is left unchanged, so that the words keep their number.
    """
    if isinstance(document, str):
        return visible(document)
    words = [visible(word) or word for word in document]
    if all(map(is_, words, document)):
        return document
    return Words(words, document.style) if isinstance(document, Words) else words


def _before(documents: Sequence[Any], seen: Sequence[Any], encoded: Encoded) -> np.ndarray:
    """Return offsets_S2 mapped from the normalized documents to the original ones."""
    import numpy as np

    assert encoded.offsets_S2 is not None
    each = split(encoded.offsets_S2, encoded.lengths_N)
    for row, (document, normalized) in enumerate(zip(documents, seen, strict=True)):
        if normalized is not document:
            text = document if isinstance(document, str) else " ".join(document)
            spans = spans_before(text, each[row].tolist())
            each[row] = np.array(spans, dtype=np.int64).reshape(-1, 2)
    return np.concatenate(each)


def split(array_S: np.ndarray, lengths_N: np.ndarray) -> list[np.ndarray]:
    """Split an array over all tokens into one array for each document."""
    import numpy as np

    return np.split(array_S, np.cumsum(lengths_N)[:-1]) if len(lengths_N) else []


class Tokenizer(Protocol):
    """The interface of every tokenizer.

    `pad` is always 0. `bos` and `eos` are None if the vocabulary has no such ids.
    """

    kind: str
    vocab_size: int
    pad: int
    unk: int
    bos: int | None
    eos: int | None

    def encode(self, documents: Sequence[Any], *, offsets: bool = False) -> Encoded:
        """Tokenize documents, which are texts or lists of words."""

    def pieces(self, ids: Sequence[Any]) -> list[str]:
        """Return the vocabulary entry of each id."""

    def text(self, ids: Sequence[Any]) -> str:
        """Decode ids to a text, without `pad`, `bos` and `eos`."""

    def sizes(self) -> Mapping[str, int]:
        """Return the architecture settings that follow from the vocabulary."""

    def random(self, rng: np.random.Generator, batch: int, time: int) -> np.ndarray:
        """Return random valid ids, [B, T] or [B, T, F], for the export and its checks."""

    def to_json(self) -> str:
        """Return the contents of tokenizer.json."""


class WordVectors(NamedTuple):
    """Pretrained word vectors: V words and their vectors_VD (float32); V may be 0."""

    words: Sequence[str] = ()
    vectors_VD: Any = None

    @property
    def width(self) -> int:
        """Dimensions of a vector (D); 0 if there are no words."""
        return int(self.vectors_VD.shape[1]) if len(self.words) else 0


NO_VECTORS = WordVectors()


def load(kind: str, content: str, languages: Sequence[str] = ()) -> Tokenizer:
    """Load a tokenizer of a kind from the contents of tokenizer.json.

    Args:
        kind: name of a file in `tokenizers/`.
        content: the contents of tokenizer.json.
        languages: languages of the model; a word tokenizer splits texts by the rules of the first.

    Raises:
        UsageError: the kind is unknown.
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
