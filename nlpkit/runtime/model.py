"""A model that is ready to answer: encoder, network and task, wherever the network runs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlpkit.errors import ModelError
from nlpkit.runtime.batcher import TOKEN_BUDGET, batches
from nlpkit.runtime.encoder import Encoder, Windows
from nlpkit.tasks import Task, averaged

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.chain import Pipeline
    from nlpkit.runtime.words import WordEncoder

Run = Callable[[Mapping[str, "np.ndarray"]], "np.ndarray"]


@dataclass(frozen=True)
class Model:
    """Everything between text and predictions.

    Documents are texts, or lists of words where the encoder is one of words. `steps` prepare texts,
    as they did in training.
    `file_bytes` is the size of the files that it was read from.
    `run` is the only place where a network is called: {"ids": ids_BT, "mask": mask_BT} -> outputs
    whose first axis is B. An ONNX Runtime session and a torch module both satisfy it.
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
        self, documents: Sequence[Any], run: Run, combine: Callable[..., np.ndarray]
    ) -> list[np.ndarray | None]:
        return self._run(self.encode(documents), len(documents), run, combine)

    def encode(self, documents: Sequence[Any]) -> Windows:
        """Return the documents' windows: what of the work needs no network."""
        prepared = documents if self.steps is None else self.steps.texts(documents)
        return self.encoder.windows(prepared)

    def _run(
        self, windows: Windows, count: int, run: Run, combine: Callable[..., np.ndarray]
    ) -> list[np.ndarray | None]:
        rows: list[Any] = [None] * len(windows.ids)
        for batch in batches(windows.ids, TOKEN_BUDGET):
            for row, output in zip(batch.rows, run(batch.feeds()), strict=True):
                rows[row] = output
        combined: list[np.ndarray | None] = [None] * count
        for owner, places in _runs(windows.owner):
            combined[owner] = combine(rows[places], windows.spans[places])
        return combined

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
        outputs = self._run(windows, len(documents), self.run, self.task.combine)
        there = [row for row, output in enumerate(outputs) if output is not None]
        answers: list[Any] = [None] * len(documents)
        asked = [documents[row] for row in there]
        kept = [output for output in outputs if output is not None]
        said = self.task.decode(asked, kept, self.temperature)
        for row, answer in zip(there, said, strict=True):
            answers[row] = answer
        return answers


def _runs(owner: Sequence[int]) -> Iterator[tuple[int, slice]]:
    """Yield each document with the places of its windows."""
    start = 0
    for document, places in itertools.groupby(owner):
        end = start + len(list(places))
        yield document, slice(start, end)
        start = end


def load(name: str = "sentiment", *, device: str = "auto", precision: str = "auto") -> Model:
    """Load a bundle by name or path, or the rules by their name.

    Raises:
        ModelError: there is no such bundle, or it is damaged or refused.
        DeviceError: `device` does not really work here.
        MissingExtra: the package of the rules is not installed.
    """
    from nlpkit import zoo
    from nlpkit.runtime import rules

    if name in rules.SOURCES:
        return rules.open_rules(name, device=device, precision=precision)
    from nlpkit.runtime.bundle import open_bundle

    return open_bundle(zoo.find_bundle(name), device=device, precision=precision)
