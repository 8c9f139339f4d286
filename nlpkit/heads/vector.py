"""The embedding head: masked pooling over time, a projection if sizes differ, and length 1.

Legend: B batch, T time, D width.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import normalize

from nlpkit.heads.graph import READS, Graph
from nlpkit.heads.pooled import POOLINGS
from nlpkit.runtime.graphs import BATCH, EMBEDDING, MAIN, Signature


class VectorHead(nn.Module):
    """Map states_BTD and mask_BT to {"document_embedding": vectors of `size` numbers}."""

    FORCED = ()

    def __init__(self, *, width: int, size: int, pooling: str) -> None:
        super().__init__()
        self.size = size
        self.pool = POOLINGS[pooling](width)
        self.project = nn.Linear(width, size) if size != width else nn.Identity()

    def forward(self, states_BTD: Tensor, mask_BT: Tensor) -> dict[str, Tensor]:
        return {EMBEDDING: self.vector(states_BTD, mask_BT)}

    def vector(self, states_BTD: Tensor, mask_BT: Tensor) -> Tensor:
        """Return the vectors, [B, size]."""
        return normalize(self.project(self.pool(states_BTD, mask_BT)), dim=-1)

    def graphs(self, encoder: nn.Module) -> dict[str, Graph]:
        """Return the graph of the whole network."""
        signature = Signature(READS, {EMBEDDING: (BATCH, self.size)})
        return {MAIN: Graph(Embedding(encoder, self), signature)}


class Embedding(nn.Module):
    """Map ids_BT and mask_BT to a tuple of one array, the vectors."""

    def __init__(self, encoder: nn.Module, head: VectorHead) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor]:
        return (self.head.vector(self.encoder(ids, mask), mask),)
