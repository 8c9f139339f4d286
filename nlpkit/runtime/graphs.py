"""The graphs of a model: named networks with named inputs and outputs, and how one is called.

Most models have one graph, "main": ids and mask in, logits out. A model that writes texts has two,
"encode" and "step" (`nlpkit.runtime.generate`).

Legend: B batch, T time, F ids of one token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np

BATCH, TIME = "batch", "time"
MAIN, ENCODE, STEP = "main", "encode", "step"
IDS, MASK, LOGITS = "ids", "mask", "logits"
# A plain "embedding" is what the exporter calls a table's.
EMBEDDING = "document_embedding"

# The axes of an array: a name for one that varies, a number for one that is fixed.
Axes = tuple[str | int, ...]


class Signature(NamedTuple):
    """The inputs and outputs of one graph, in order, each with its axes; the first is the batch."""

    inputs: Mapping[str, Axes]
    outputs: Mapping[str, Axes]

    def to_dict(self) -> dict[str, dict[str, list[str | int]]]:
        """Return plain values for bundle.json."""
        sides = {"inputs": self.inputs, "outputs": self.outputs}
        return {side: {name: list(axes) for name, axes in of.items()} for side, of in sides.items()}


class Run(Protocol):
    """The only place where a network is called; ONNX Runtime and torch both satisfy it."""

    @property
    def signatures(self) -> Mapping[str, Signature]: ...

    def __call__(
        self, graph: str, feeds: Mapping[str, np.ndarray], outputs: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Return the outputs asked for; all arrays have B rows."""
