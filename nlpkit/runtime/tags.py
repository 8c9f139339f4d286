"""The numbers of BIO tags: 0 is O, 1 + 2k begins an entity of the type k, 2 + 2k continues it.

Legend: C tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from nlpkit.language.bio import covered
from nlpkit.runtime.viterbi import NEVER

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.answers import Span


class Run(NamedTuple):
    """The first and the last word of an entity, and the index of its type."""

    first: int
    last: int
    kind: int


def begins(kind: int) -> int:
    """Return the tag of the first word of an entity of a type."""
    return 1 + 2 * kind


def continues(kind: int) -> int:
    """Return the tag of the other words of an entity of a type."""
    return 2 + 2 * kind


def count(types: Sequence[str]) -> int:
    """Return the number of tags of the types."""
    return 1 + 2 * len(types)


def constraints(width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return start_C and forbidden_CC: 0, or NEVER where a tag I has no entity to continue."""
    import numpy as np

    start_C, forbidden_CC = np.zeros(width), np.zeros((width, width))
    for kind in range(width // 2):
        inside = begins(kind), continues(kind)
        start_C[continues(kind)] = NEVER
        others = [tag for tag in range(width) if tag not in inside]
        forbidden_CC[others, continues(kind)] = NEVER
    return start_C, forbidden_CC


def runs(tags: Sequence[int]) -> Iterator[Run]:
    """Yield the entities in valid tags."""
    first = kind = -1
    for word, tag in enumerate([*tags, 0]):
        if kind >= 0 and tag != continues(kind):
            yield Run(first, word - 1, kind)
            kind = -1
        if tag % 2:
            first, kind = word, tag // 2


def of_words(
    spans: Iterable[Span], starts: Sequence[int], types: Sequence[str]
) -> Iterator[tuple[int, int]]:
    """Yield (word, tag) of the words in spans; `starts` are the positions of the words.

    A span that begins or ends inside a word takes all of it.
    """
    ends = [*starts[1:], float("inf")]
    for span in spans:
        kind, inside = types.index(span.label), covered(span.start, span.end, starts, ends)
        # A window may begin inside an entity, where I would be invalid.
        yield from (
            (word, begins(kind) if word == inside.start else continues(kind)) for word in inside
        )
