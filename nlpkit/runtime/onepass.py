"""Answers of tasks whose network reads a window once: outputs by window, then by document.

Legend: N documents, W windows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

from nlpkit.runtime.batcher import batches
from nlpkit.runtime.graphs import EMBEDDING, LOGITS, MAIN, Run

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.text.windows import Windows

Outputs = Sequence["np.ndarray"]
Span = tuple[int, int]  # first and one past the last token
Combine = Callable[[Outputs, Sequence[Span]], "np.ndarray"]


class Reader(Protocol):
    """The part of `nlpkit.runtime.model.Model` that this module needs."""

    @property
    def task(self) -> Any: ...
    @property
    def run(self) -> Run: ...
    @property
    def budget(self) -> int: ...
    def encode(self, documents: Sequence[Any]) -> Windows: ...


class OnePass(Protocol):
    """What a task has whose answers follow from one output of one graph."""

    def combine(self, outputs: Outputs, spans: Sequence[Span]) -> np.ndarray:
        """Return one document's output from those of its windows.

        Where outputs are one row each, it is asked only of documents with several windows.
        """

    def decode(self, documents: Sequence[Any], outputs: Outputs, offsets: Any) -> list[Any]:
        """Return answers from documents with tokens and their outputs.

        `offsets`: of each document, where the task asked for them (`OFFSETS`), else None.
        """


def answers(task: OnePass, model: Reader, documents: Sequence[Any], windows: Windows) -> list[Any]:
    """Return one answer for each document, in order; None for one without tokens."""
    there, outputs = by_document(model, windows, LOGITS, task.combine)
    asked = documents if len(there) == len(documents) else [documents[row] for row in there]
    said = task.decode(asked, outputs, _offsets(windows, there))
    return said if len(there) == len(documents) else spread(there, said, len(documents))


def outputs(model: Reader, documents: Sequence[Any]) -> list[np.ndarray | None]:
    """Return each document's output (logits); None for a document without tokens."""
    there, made = by_document(model, model.encode(documents), LOGITS, model.task.combine)
    return spread(there, made, len(documents))


def embeddings(model: Reader, documents: Sequence[Any]) -> list[np.ndarray | None]:
    """Return each document's pooled states; None for a document without tokens."""
    there, made = by_document(model, model.encode(documents), EMBEDDING, averaged)
    return spread(there, made, len(documents))


def averaged(outputs: Outputs, spans: Sequence[Span]) -> np.ndarray:
    """Return the mean of windows' outputs, each weighed by its tokens."""
    import numpy as np

    if len(outputs) == 1:
        return outputs[0]
    weights = np.array([end - start for start, end in spans], dtype=np.float64)
    return np.average(np.stack(outputs), axis=0, weights=weights).astype(outputs[0].dtype)


def joined(outputs: Outputs, spans: Sequence[Span]) -> np.ndarray:
    """Return outputs by token of a document, of which windows that overlap give half each.

    The first half of what two windows share comes from the earlier one: a token is answered where
    it has more context on both sides.
    """
    import numpy as np

    parts = []
    for place, (output, (start, end)) in enumerate(zip(outputs, spans, strict=True)):
        first = start if not place else (start + spans[place - 1][1]) // 2
        after = place + 1 < len(spans)
        last = (spans[place + 1][0] + end) // 2 if after else end
        parts.append(output[first - start : last - start])
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def spread(there: Sequence[int], things: Sequence[Any], count: int) -> list[Any]:
    """Return a list of `count` with things in their places and None elsewhere."""
    spread: list[Any] = [None] * count
    for row, thing in zip(there, things, strict=True):
        spread[row] = thing
    return spread


def by_document(
    model: Reader, windows: Windows, output: str, combine: Combine
) -> tuple[list[int], Outputs]:
    """Return which documents have tokens, in order, and their outputs.

    Where an output is one row they are an array: its rows are the documents' outputs.
    """
    import numpy as np

    made: Any = [None] * len(windows)
    for batch in batches(windows, model.budget):
        array = model.run(MAIN, batch.feeds(), (output,))[output]
        if array.ndim == 2:
            if isinstance(made, list):
                made = np.empty((len(windows), array.shape[1]), dtype=array.dtype)
            made[batch.rows] = array
        else:
            for row, one in zip(batch.rows, array, strict=True):
                made[row] = one
    first = np.flatnonzero(np.diff(windows.owner_W, prepend=-1))
    there = windows.owner_W[first].tolist()
    if len(there) == len(windows) and not isinstance(made, list):
        return there, made
    edges = [*first.tolist(), len(windows)]
    places = [slice(start, end) for start, end in pairwise(edges)]
    if isinstance(made, list):
        return there, [combine(made[place], windows.spans(place)) for place in places]
    by_row = made[first]
    for row, place in enumerate(places):
        if place.stop - place.start > 1:
            by_row[row] = combine(made[place], windows.spans(place))
    return there, by_row


def _offsets(windows: Windows, there: Sequence[int]) -> list[np.ndarray] | None:
    from nlpkit.text import split

    encoded = windows.encoded
    if encoded.offsets_S2 is None:
        return None
    each = split(encoded.offsets_S2, encoded.lengths_N)
    return [each[row] for row in there]
