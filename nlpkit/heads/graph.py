"""A network's graph: a torch module with named inputs and outputs, to run and to export.

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

# The inputs of an encoder. Where a token is several ids, the export adds their axis.
READS: dict[str, Axes] = {IDS: (BATCH, TIME), MASK: (BATCH, TIME)}


@dataclass(frozen=True)
class Graph:
    """A module whose inputs and outputs follow the signature's order; the outputs are a tuple.

    `example(rng, arrays)` returns feeds for the export and its gate, given the feeds and outputs of
    the graphs before this one. It is None for a graph that reads ids and mask.
    """

    module: nn.Module
    signature: Signature
    example: Example | None = None


class Whole(nn.Module):
    """An encoder and a head in one module: ids_BT, mask_BT -> (logits,)."""

    def __init__(self, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        return (self.head(self.encoder(ids, mask), mask)[LOGITS],)


def by_token(encoder: nn.Module, head: nn.Module, width: int) -> dict[str, Graph]:
    """Return the single graph of a head with `width` logits for each token, logits_BTC."""
    signature = Signature(READS, {LOGITS: (BATCH, TIME, width)})
    return {MAIN: Graph(Whole(encoder, head), signature)}
