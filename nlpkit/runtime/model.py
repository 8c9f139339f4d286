"""A model that is ready to answer: encoder, network and task, wherever the network runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlpkit.runtime.batcher import TOKEN_BUDGET, batches
from nlpkit.runtime.encoder import Encoder
from nlpkit.tasks import Prediction, Task

if TYPE_CHECKING:
    import numpy as np

Run = Callable[[Mapping[str, "np.ndarray"]], "np.ndarray"]


@dataclass(frozen=True)
class Model:
    """Everything between text and predictions.

    `run` is the only place where a network is called: {"ids": ids_BT, "mask": mask_BT} -> outputs
    whose first axis is B. An ONNX Runtime session and a torch module both satisfy it.
    """

    name: str
    task: Task
    encoder: Encoder
    run: Run
    temperature: float = 1.0
    provider: str = "CPU"

    def outputs(self, texts: Sequence[str]) -> list[np.ndarray | None]:
        """Return each document's output (logits); None for a document without tokens."""
        windows = self.encoder.windows(texts)
        rows: list[Any] = [None] * len(windows.ids)
        for batch in batches(windows.ids, TOKEN_BUDGET):
            for row, output in zip(batch.rows, self.run(batch.feeds()), strict=True):
                rows[row] = output
        return self._combined(rows, windows.ids, windows.owner, len(texts))

    def scored(
        self, texts: Sequence[str], golds: Sequence[Any]
    ) -> tuple[list[Any], list[np.ndarray]]:
        """Return golds and outputs of the documents that have tokens."""
        outputs = self.outputs(texts)
        kept = [(gold, o) for gold, o in zip(golds, outputs, strict=True) if o is not None]
        return [gold for gold, _ in kept], [output for _, output in kept]

    def predict(self, texts: Sequence[str]) -> list[Prediction | None]:
        """Return one prediction for each document, in order; None for an empty one."""
        there, outputs = self.scored(texts, range(len(texts)))
        answers: list[Prediction | None] = [None] * len(texts)
        for row, answer in zip(there, self.task.decode(outputs, self.temperature), strict=True):
            answers[row] = answer
        return answers

    def _combined(
        self, rows: list[Any], ids: list[np.ndarray], owner: list[int], documents: int
    ) -> list[np.ndarray | None]:
        import numpy as np

        combined: list[np.ndarray | None] = [None] * documents
        start = 0
        while start < len(rows):
            end = start + 1
            while end < len(rows) and owner[end] == owner[start]:
                end += 1
            combined[owner[start]] = rows[start]
            if end - start > 1:
                weights = np.array([len(window) for window in ids[start:end]], dtype=np.float64)
                combined[owner[start]] = self.task.combine(np.stack(rows[start:end]), weights)
            start = end
        return combined


def load(name: str = "sentiment", *, device: str = "auto", precision: str = "auto") -> Model:
    """Load a bundle by name or path.

    Raises:
        ModelError: there is no such bundle, or it is damaged or refused.
        DeviceError: `device` does not really work here.
    """
    from nlpkit import zoo
    from nlpkit.runtime.bundle import open_bundle

    return open_bundle(zoo.find_bundle(name), device=device, precision=precision)
