"""The words of a document, and the document without some of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# A word with its hyphens, and a number, a link or an address as one; or a run of marks or emoji.
_WORD = re.compile(r"(?:\w[\u0300-\u036f]*)+(?:[-'’.,@/:&%]+(?:\w[\u0300-\u036f]*)+)*|[^\w\s]+")

Span = tuple[int, int]  # [start, end), in characters


def spans(text: str) -> list[Span]:
    """Return [start, end) of each word of a text; punctuation and emoji count as words."""
    return [match.span() for match in _WORD.finditer(text)]


def runs(words: Sequence[Span], most: int) -> list[Span]:
    """Return at most `most` spans of equally many words in a row; few words have one span each."""
    size = -(-len(words) // most)
    if size <= 1:
        return list(words)
    starts = range(0, len(words), size)
    return [(words[i][0], words[min(i + size, len(words)) - 1][1]) for i in starts]


class Variant:
    """A text without some spans, and the white space after each that begins a word."""

    def __init__(self, text: str, removed: Iterable[Span]) -> None:
        """Create the variant; the spans are in order and do not overlap."""
        self.cuts = [_widened(text, start, end) for start, end in removed]
        edges = [0, *(edge for cut in self.cuts for edge in cut), len(text)]
        kept = zip(edges[::2], edges[1::2], strict=True)
        self.text = "".join(text[start:end] for start, end in kept)

    def position(self, place: int) -> int:
        """Return the place in the variant of a place in the text."""
        before = [(start, min(end, place)) for start, end in self.cuts if start < place]
        return place - sum(end - start for start, end in before)


def _widened(text: str, start: int, end: int) -> Span:
    if start == 0 or text[start - 1].isspace():
        while end < len(text) and text[end].isspace() and text[end] != "\n":
            end += 1
    return start, end


def complement(units: Sequence[Span], kept: Iterable[int]) -> list[Span]:
    """Return the spans of `units` other than those with the indices `kept`."""
    inside = set(kept)
    return [span for index, span in enumerate(units) if index not in inside]


def phrases(text: str, units: Sequence[Span], longest: int) -> list[tuple[int, int]]:
    """Return [first, last) of the runs of 2 to `longest` words that no punctuation parts."""
    marks = [not any(map(str.isalnum, text[start:end])) for start, end in units]
    return [
        (first, first + size)
        for size in range(2, longest + 1)
        for first in range(len(units) - size + 1)
        if not any(marks[first : first + size])
    ]
