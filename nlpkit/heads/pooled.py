"""The classification head: masked pooling over time, an optional dense layer, an output layer.

Legend: B batch, T time, D width, C outputs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from nlpkit.heads.graph import READS, Graph
from nlpkit.runtime.graphs import BATCH, EMBEDDING, LOGITS, MAIN, Signature


class PooledHead(nn.Module):
    """Map states_BTD and mask_BT to {"logits": logits_BC}."""

    FORCED = ()

    def __init__(
        self, *, width: int, outputs: int, pooling: str, norm: bool, hidden: int, dropout: float
    ) -> None:
        super().__init__()
        self.pool = POOLINGS[pooling](width)
        self.norm = nn.LayerNorm(width) if norm else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(width, hidden) if hidden else None
        self.output = nn.Linear(hidden or width, outputs)

    def forward(self, states_BTD: Tensor, mask_BT: Tensor) -> dict[str, Tensor]:
        return {LOGITS: self.classify(self.pool(states_BTD, mask_BT))}

    def classify(self, pooled_BD: Tensor) -> Tensor:
        """Return logits_BC of the pooled states, pooled_BD."""
        pooled_BD = self.dropout(self.norm(pooled_BD))
        if self.hidden is not None:
            pooled_BD = self.dropout(torch.relu(self.hidden(pooled_BD)))
        return self.output(pooled_BD)

    def graphs(self, encoder: nn.Module) -> dict[str, Graph]:
        """Return the graph of the whole network, with outputs logits_BC and embedding_BD."""
        outputs = {LOGITS: (BATCH, self.output.out_features), EMBEDDING: (BATCH, encoder.width)}
        return {MAIN: Graph(WithEmbedding(encoder, self), Signature(READS, outputs))}


class WithEmbedding(nn.Module):
    """Map ids_BT and mask_BT to logits_BC and pooled_BD, the documents' embeddings."""

    def __init__(self, encoder: nn.Module, head: PooledHead) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        pooled_BD = self.head.pool(self.encoder(ids, mask), mask)
        return self.head.classify(pooled_BD), pooled_BD


class MaxPool(nn.Module):
    """Pool by the maximum of each feature over the tokens: states_BTD, mask_BT -> pooled_BD."""

    def __init__(self, width: int) -> None:
        super().__init__()

    def forward(self, states_BTD: Tensor, mask_BT: Tensor) -> Tensor:
        return states_BTD.masked_fill(~mask_BT.unsqueeze(-1), float("-inf")).amax(dim=1)


class MeanPool(nn.Module):
    """Pool by the mean over the tokens: states_BTD, mask_BT -> pooled_BD."""

    def __init__(self, width: int) -> None:
        super().__init__()

    def forward(self, states_BTD: Tensor, mask_BT: Tensor) -> Tensor:
        masked_BTD = states_BTD.masked_fill(~mask_BT.unsqueeze(-1), 0.0)
        return masked_BTD.sum(dim=1) / mask_BT.sum(dim=1, keepdim=True)


class AttentionPool(nn.Module):
    """Pool by additive attention of a learned query (Yang et al. 2016), as `MaxPool` maps."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.key = nn.Linear(width, width)
        self.query = nn.Linear(width, 1, bias=False)

    def forward(self, states_BTD: Tensor, mask_BT: Tensor) -> Tensor:
        return _weighted(self.query(torch.tanh(self.key(states_BTD))), states_BTD, mask_BT)


class DotPool(nn.Module):
    """Pool by scaled products with a learned query (Luong et al. 2015), as `MaxPool` maps.

    General attention would be the same: its matrix times a learned query is a learned query.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, 1, bias=False)

    def forward(self, states_BTD: Tensor, mask_BT: Tensor) -> Tensor:
        scores_BT1 = self.query(states_BTD) * states_BTD.shape[-1] ** -0.5
        return _weighted(scores_BT1, states_BTD, mask_BT)


def _weighted(scores_BT1: Tensor, states_BTD: Tensor, mask_BT: Tensor) -> Tensor:
    """Return pooled_BD, the states weighted by the softmax of their scores."""
    hidden_BT1 = ~mask_BT.unsqueeze(-1)
    weights_BT1 = torch.softmax(scores_BT1.masked_fill(hidden_BT1, float("-inf")), dim=1)
    # A masked state has weight 0, but 0 * nan is nan: replace it first.
    return (states_BTD.masked_fill(hidden_BT1, 0.0) * weights_BT1).sum(dim=1)


POOLINGS: dict[str, Any] = {
    "max": MaxPool,
    "mean": MeanPool,
    "attention": AttentionPool,
    "dot": DotPool,
}
