"""The signatures of a model's graphs, and the protocol by which a graph is called.

A graph is a network with named inputs and outputs. Most models have one, "main", from ids and mask
to logits. A model that generates texts has "encode", "step" and "take" (`nlpkit.runtime.generate`).

Legend: B batch, T time, F ids of one token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np

BATCH, TIME = "batch", "time"
SOURCE, TOKENS, PAST, HELD = "source", "tokens", "past", "held"  # axes of networks that write
MAIN, ENCODE, STEP, TAKE = "main", "encode", "step", "take"
IDS, MASK, LOGITS = "ids", "mask", "logits"
SURPRISE, ROWS, NEXT = "surprise", "rows", "next_"
PLACE = "place"  # the number of tokens read so far (int64); other states are float32
EMBEDDING = "document_embedding"  # the exporter uses "embedding" for an embedding table

# The axes of an array: a name for a dynamic axis, a number for a fixed one.
Axes = tuple[str | int, ...]


def zeros(arrays: Mapping[str, Axes], lengths: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Return arrays of zeros with these axes; `lengths` are those of the dynamic axes."""
    import numpy as np

    kinds = {IDS: np.int64, ROWS: np.int64, PLACE: np.int64, MASK: np.bool_}
    return {
        name: np.zeros(
            [axis if isinstance(axis, int) else lengths[axis] for axis in axes],
            dtype=kinds.get(name, np.float32),
        )
        for name, axes in arrays.items()
    }


class Signature(NamedTuple):
    """The inputs and outputs of one graph, in order, with their axes; the first axis is B."""

    inputs: Mapping[str, Axes]
    outputs: Mapping[str, Axes]

    def to_dict(self) -> dict[str, dict[str, list[str | int]]]:
        """Return plain values for bundle.json."""
        sides = {"inputs": self.inputs, "outputs": self.outputs}
        return {side: {name: list(axes) for name, axes in of.items()} for side, of in sides.items()}


class Run(Protocol):
    """The protocol of a function that calls a network, in ONNX Runtime or torch."""

    @property
    def signatures(self) -> Mapping[str, Signature]: ...

    def __call__(
        self,
        graph: str,
        feeds: Mapping[str, Any],
        outputs: Sequence[str],
        kept: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Run a graph on `feeds` and return the named outputs; every array has B rows.

        The outputs named in `kept` stay on the device, in a form that only a later call's feeds can
        use; they may have more rows than B.
        """
