"""A graph of a network: a module with named inputs and outputs, as torch runs and exports it.

Legend: B batch, T time, D width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn

from nlpkit.runtime.graphs import BATCH, IDS, LOGITS, MAIN, MASK, TIME, Axes, Signature

if TYPE_CHECKING:
    import numpy as np

Arrays = Mapping[str, "np.ndarray"]
Example = Callable[["np.random.Generator", Arrays], dict[str, "np.ndarray"]]

# What an encoder reads. Where a token is several ids, the export adds their axis.
READS: dict[str, Axes] = {IDS: (BATCH, TIME), MASK: (BATCH, TIME)}


@dataclass(frozen=True)
class Graph:
    """`module` takes the inputs and gives a tuple of the outputs, in the signature's order.

    `example` makes feeds for the export and its gate, from the feeds and outputs of the graphs
    before it; None for a graph that reads ids and mask.
    """

    module: nn.Module
    signature: Signature
    example: Example | None = None


class Whole(nn.Module):
    """ids_BT, mask_BT -> the logits of a head on an encoder."""

    def __init__(self, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        return (self.head(self.encoder(ids, mask), mask)[LOGITS],)


def by_token(encoder: nn.Module, head: nn.Module, width: int) -> dict[str, Graph]:
    """Return the one graph of a head that gives `width` logits for each token."""
    signature = Signature(READS, {LOGITS: (BATCH, TIME, width)})
    return {MAIN: Graph(Whole(encoder, head), signature)}
