"""A model that is ready to answer: encoder, network and task, wherever the network runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from nlpkit.errors import ModelError
from nlpkit.runtime.batcher import TOKEN_BUDGET, batches
from nlpkit.tasks import Outputs, Task, averaged
from nlpkit.text.windows import Encoder, Windows

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.chain import Pipeline
    from nlpkit.text.words import WordEncoder

Run = Callable[[Mapping[str, "np.ndarray"]], "np.ndarray"]
Combine = Callable[[Outputs, Sequence[tuple[int, int]]], "np.ndarray"]


@dataclass(frozen=True)
class Model:
    """Everything between text and predictions.

    Documents are texts, or lists of words where the encoder is one of words. `steps` prepare texts,
    as they did in training.
    `file_bytes` is the size of the files that it was read from.
    `run` is the only place where a network is called: {"ids": ids_BT, "mask": mask_BT} -> outputs
    whose first axis is B. An ONNX Runtime session and a torch module both satisfy it.
    `budget` is how many tokens, padding included, it is given at once.
    """

    name: str
    task: Task
    encoder: Encoder | WordEncoder
    run: Run
    temperature: float = 1.0
    provider: str = "CPU"
    embedder: Run | None = None
    steps: Pipeline | None = None
    file_bytes: int = 0
    budget: int = TOKEN_BUDGET

    def outputs(self, documents: Sequence[Any]) -> list[np.ndarray | None]:
        """Return each document's output (logits); None for a document without tokens."""
        return self._answers(documents, self.run, self.task.combine)

    def embed(self, documents: Sequence[Any]) -> np.ndarray:
        """Return embeddings_ND (float32): pooled states; zeros for a document without tokens.

        Windows of a long document are averaged, each weighed by its tokens.

        Raises:
            ModelError: the model pools nothing, or was exported before embeddings were kept.
        """
        import numpy as np

        if self.embedder is None:
            raise ModelError(f"{self.name} gives no embeddings; export its run again")
        made = self._answers(documents, self.embedder, averaged)
        width = next((len(row) for row in made if row is not None), 0)
        if not width:  # no document has tokens: ask for one, to know the width
            ids = self.encoder.random(np.random.default_rng(0), 1, 1)
            width = self.embedder({"ids": ids, "mask": np.ones((1, 1), bool)}).shape[1]
        zero = np.zeros(width, dtype=np.float32)
        rows = [zero if row is None else row for row in made]
        return np.stack(rows) if rows else np.zeros((0, width), dtype=np.float32)

    def _answers(
        self, documents: Sequence[Any], run: Run, combine: Combine
    ) -> list[np.ndarray | None]:
        there, outputs = combined(self.encode(documents), run, combine, self.budget)
        answers: list[np.ndarray | None] = [None] * len(documents)
        for row, output in zip(there, outputs, strict=True):
            answers[row] = output
        return answers

    def encode(self, documents: Sequence[Any]) -> Windows:
        """Return the documents' windows: what of the work needs no network."""
        prepared = documents if self.steps is None else self.steps.texts(documents)
        return self.encoder.windows(prepared)

    def scored(
        self, documents: Sequence[Any], golds: Sequence[Any]
    ) -> tuple[list[Any], list[np.ndarray]]:
        """Return golds and outputs of the documents that have tokens."""
        outputs = self.outputs(documents)
        kept = [(gold, o) for gold, o in zip(golds, outputs, strict=True) if o is not None]
        return [gold for gold, _ in kept], [output for _, output in kept]

    def predict(self, documents: Sequence[Any]) -> list[Any]:
        """Return one prediction for each document, in order; None for an empty one."""
        return self.decode(documents, self.encode(documents))

    def decode(self, documents: Sequence[Any], windows: Windows) -> list[Any]:
        """Return the predictions for documents that `encode` has made windows of."""
        there, outputs = combined(windows, self.run, self.task.combine, self.budget)
        asked = documents
        if len(there) < len(documents):
            asked = [documents[row] for row in there]
        said = self.task.decode(asked, outputs, self.temperature)
        if len(there) == len(documents):
            return said
        answers: list[Any] = [None] * len(documents)
        for row, answer in zip(there, said, strict=True):
            answers[row] = answer
        return answers


def combined(
    windows: Windows, run: Run, combine: Combine, budget: int
) -> tuple[list[int], Outputs]:
    """Return which documents have tokens, in order, and their outputs.

    Where an output is one row they are an array: its rows are the documents' outputs.
    """
    import numpy as np

    made: Any = [None] * len(windows)
    for batch in batches(windows, budget):
        output = run(batch.feeds())
        if output.ndim == 2:
            if isinstance(made, list):
                made = np.empty((len(windows), output.shape[1]), dtype=output.dtype)
            made[batch.rows] = output
        else:
            for row, one in zip(batch.rows, output, strict=True):
                made[row] = one
    first = np.flatnonzero(np.diff(windows.owner_W, prepend=-1))
    there = windows.owner_W[first].tolist()
    if len(there) == len(windows) and not isinstance(made, list):
        return there, made
    edges = [*first.tolist(), len(windows)]
    places = [slice(start, end) for start, end in pairwise(edges)]
    if isinstance(made, list):
        return there, [combine(made[place], windows.spans(place)) for place in places]
    outputs = made[first]
    for row, place in enumerate(places):
        if place.stop - place.start > 1:
            outputs[row] = combine(made[place], windows.spans(place))
    return there, outputs
