"""Run a network once on each window, and combine the outputs of a document's windows.

Legend: N documents, W windows, D width, S tokens of all documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

from nlpkit.runtime.batcher import Batch, batches
from nlpkit.runtime.graphs import EMBEDDING, LOGITS, MAIN, Run

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.text.windows import Windows

Outputs = Sequence["np.ndarray"]
Span = tuple[int, int]  # first and one past the last token
PART = 64  # most windows of a long document whose outputs are held at once
Call = Callable[[Batch], "np.ndarray"]
Combine = Callable[[Outputs, Sequence[Span]], "np.ndarray"]


class Reader(Protocol):
    """The members of `nlpkit.runtime.model.Model` that this module uses."""

    @property
    def task(self) -> Any: ...
    @property
    def run(self) -> Run: ...
    @property
    def budget(self) -> int: ...
    def encode(self, documents: Sequence[Any]) -> Windows: ...


class OnePass(Protocol):
    """The protocol of a task whose answers are decoded from one output of one graph."""

    def combine(self, outputs: Outputs, spans: Sequence[Span]) -> np.ndarray:
        """Combine the outputs of a document's windows into the document's output.

        If a window's output is one row, this is called only for documents of several windows.
        """

    def decode(self, documents: Sequence[Any], outputs: Outputs, offsets: Any) -> list[Any]:
        """Return the answers for documents that have tokens, from their outputs.

        `offsets` has an array [T, 2] of character offsets per document if the task sets
        `OFFSETS`, else it is None.
        """


def answers(task: OnePass, model: Reader, documents: Sequence[Any], windows: Windows) -> list[Any]:
    """Return one answer for each document, in order; None for one without tokens."""
    rows, outputs = by_document(model, windows, LOGITS, task.combine)
    full = documents if len(rows) == len(documents) else [documents[row] for row in rows]
    decoded = task.decode(full, outputs, offsets_of(windows, rows))
    return decoded if len(rows) == len(documents) else spread(rows, decoded, len(documents))


def answers_by_part(
    task: OnePass,
    model: Reader,
    documents: Sequence[Any],
    windows: Windows,
    join: Callable[[Sequence[Any]], Any],
) -> list[Any]:
    """Return what `answers` does, in bounded memory: `documents` are lists of words.

    A document of more than PART windows is decoded in parts of so many, whose answers `join` joins.
    """
    import numpy as np

    counts_N = np.bincount(windows.owner_W, minlength=len(documents))
    long = np.flatnonzero(counts_N > PART).tolist()
    if not long:
        return answers(task, model, documents, windows)
    short = windows.select(np.flatnonzero(counts_N[windows.owner_W] <= PART))
    answered = answers(task, model, documents, short)
    for row in long:
        own = windows.select(np.flatnonzero(windows.owner_W == row))
        answered[row] = join(list(_parts(task, model, documents[row], own)))
    return answered


def _parts(task: OnePass, model: Reader, words: Sequence[str], windows: Windows) -> Iterator[Any]:
    """Yield the answers of the parts of one document."""
    import numpy as np

    bounds = _bounds(windows.spans(slice(None)))
    for start in range(0, len(windows), PART):
        kept = bounds[start : start + PART]
        part = windows.select(np.arange(start, start + len(kept)))

        def combine(outputs: Outputs, spans: Sequence[Span], kept: Any = kept) -> np.ndarray:
            return _cut(outputs, spans, kept)

        _, outputs = by_document(model, part, LOGITS, combine)
        yield from task.decode([words[kept[0][0] : kept[-1][1]]], outputs, None)


def outputs(model: Reader, documents: Sequence[Any]) -> list[np.ndarray | None]:
    """Return the logits of each document; None for a document without tokens."""
    return read(model, documents)[0]


def read(
    model: Reader, documents: Sequence[Any]
) -> tuple[list[np.ndarray | None], list[np.ndarray | None] | None]:
    """Return the logits of each document, and the offsets of its tokens if the task has OFFSETS."""
    windows = model.encode(documents)
    rows, arrays = by_document(model, windows, LOGITS, model.task.combine)
    offsets = offsets_of(windows, rows)
    count = len(documents)
    return spread(rows, arrays, count), None if offsets is None else spread(rows, offsets, count)


def embeddings(model: Reader, documents: Sequence[Any]) -> list[np.ndarray | None]:
    """Return the pooled states [D] of each document; None for a document without tokens."""
    rows, arrays = by_document(model, model.encode(documents), EMBEDDING, averaged)
    return spread(rows, arrays, len(documents))


def averaged(outputs: Outputs, spans: Sequence[Span]) -> np.ndarray:
    """Return the mean of the windows' outputs, weighted by their numbers of tokens."""
    import numpy as np

    if len(outputs) == 1:
        return outputs[0]
    weights = np.array([end - start for start, end in spans], dtype=np.float64)
    return np.average(np.stack(outputs), axis=0, weights=weights).astype(outputs[0].dtype)


def joined(outputs: Outputs, spans: Sequence[Span]) -> np.ndarray:
    """Join the outputs per token of a document's windows into one output per token.

    Of the tokens that two windows share, the first half is taken from the earlier window and the
    rest from the later one, the window in which the token has more context.
    """
    return _cut(outputs, spans, _bounds(spans))


def _bounds(spans: Sequence[Span]) -> list[Span]:
    """Return the tokens that each window of a document answers for."""
    edges = [(start + end) // 2 for (_, end), (start, _) in pairwise(spans)]
    return list(zip([spans[0][0], *edges], [*edges, spans[-1][1]], strict=True))


def _cut(outputs: Outputs, spans: Sequence[Span], bounds: Sequence[Span]) -> np.ndarray:
    import numpy as np

    parts = [
        output[first - start : last - start]
        for output, (start, _), (first, last) in zip(outputs, spans, bounds, strict=True)
    ]
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def spread(rows: Sequence[int], items: Sequence[Any], count: int) -> list[Any]:
    """Return a list of length `count` with `items` at the indices `rows`, None elsewhere."""
    spread: list[Any] = [None] * count
    for row, item in zip(rows, items, strict=True):
        spread[row] = item
    return spread


def by_document(
    model: Reader, windows: Windows, output: str | Call, combine: Combine
) -> tuple[list[int], Outputs]:
    """Call the network, and return the indices of documents with tokens and their outputs.

    `output` is an output of the graph "main", or a function that maps a batch to arrays by token.
    The outputs are one array if a window's output is one row, else a list of arrays.
    """
    import numpy as np

    by_window: Any = [None] * len(windows)
    for batch in batches(windows, model.budget):
        if isinstance(output, str):
            array = model.run(MAIN, batch.feeds(), (output,))[output]
        else:
            array = output(batch)
        if array.ndim == 2 and isinstance(output, str):
            if isinstance(by_window, list):
                by_window = np.empty((len(windows), array.shape[1]), dtype=array.dtype)
            by_window[batch.rows] = array
        else:
            for row, one in zip(batch.rows, array, strict=True):
                by_window[row] = one
    first = np.flatnonzero(np.diff(windows.owner_W, prepend=-1))
    documents = windows.owner_W[first].tolist()
    if len(documents) == len(windows) and not isinstance(by_window, list):
        return documents, by_window
    edges = [*first.tolist(), len(windows)]
    slices = [slice(start, end) for start, end in pairwise(edges)]
    if isinstance(by_window, list):
        return documents, [combine(by_window[part], windows.spans(part)) for part in slices]
    by_row = by_window[first]
    for row, part in enumerate(slices):
        if part.stop - part.start > 1:
            by_row[row] = combine(by_window[part], windows.spans(part))
    return documents, by_row


def offsets_of(windows: Windows, rows: Sequence[int]) -> list[np.ndarray] | None:
    """Return the character offsets of each document in `rows`, or None if none were encoded."""
    from nlpkit.text import split

    encoded = windows.encoded
    if encoded.offsets_S2 is None:
        return None
    each = split(encoded.offsets_S2, encoded.lengths_N)
    return [each[row] for row in rows]
