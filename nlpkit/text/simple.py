"""Split a text into the words of entities: runs of letters and digits, and single marks.

"R$ 1.299,90 (Ana)" is R $ 1 . 299 , 90 ( Ana ). A name may end before any mark: no word holds one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nlpkit.text.unicode import is_hidden

if TYPE_CHECKING:
    import numpy as np

WORD = r"(?:\w[\u0300-\u036f]*)+|[^\w\s]"  # a letter keeps its combining accents
_word = re.compile(WORD)


def words(text: str) -> list[str]:
    """Return the words of a text, in order."""
    return _word.findall(text)


def starts_word(text: str, position: int) -> bool:
    """Return whether a word of `text` may start at `position`, in characters.

    Tokenizers do not read invisible characters, so they do not part words.
    """
    before = position - 1
    while before >= 0 and is_hidden(text[before]):
        before -= 1
    return before < 0 or not (_inside(text[before]) and _inside(text[position]))


def _inside(char: str) -> bool:
    return char.isalnum() or char == "_" or "\u0300" <= char <= "\u036f"


def spans(text: str) -> list[tuple[int, int]]:
    """Return [start, end) of each word of a text, in characters."""
    return [match.span() for match in _word.finditer(text)]


def first_tokens(text: str, offsets_T2: np.ndarray) -> list[int]:
    """Return the indices of the tokens that begin a word of a text.

    `offsets_T2` has [start, end) of each token, in characters. A token with no character, or with
    those of the token before it, begins none.
    """
    first, reached = [], 0
    for token, (start, end) in enumerate(offsets_T2.tolist()):
        if start < end and start >= reached and starts_word(text, start):
            first.append(token)
        reached = max(reached, end)
    return first


def word_spans(offsets_T2: np.ndarray, first: Sequence[int]) -> list[tuple[int, int]]:
    """Return [start, end) of each word: from its first token to the end of its last.

    A token with no character, such as the space before a mark, ends no word.
    """
    ends_T = offsets_T2[:, 1] * (offsets_T2[:, 0] < offsets_T2[:, 1])
    edges = [*first[1:], len(offsets_T2)]
    return [
        (int(offsets_T2[begin, 0]), int(ends_T[begin:edge].max()))
        for begin, edge in zip(first, edges, strict=True)
    ]
