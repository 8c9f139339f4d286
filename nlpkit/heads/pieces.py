"""What objectives share: tied softmax over the vocabulary, and where words begin.

Legend: B batch, T time, D width, E width of embeddings, V vocabulary, M predicted places, S sample.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from nlpkit.errors import UsageError

SPACE = "▁"  # what a piece that begins a word begins with (Kudo & Richardson 2018)
MASK = 1  # the unknown piece also stands for a hidden one: no vocabulary is spent on it


class TiedSoftmax(nn.Module):
    """states_MD -> logits over the pieces, through the embedding itself (Press & Wolf 2017)."""

    def __init__(self, width: int, embed: nn.Embedding) -> None:
        super().__init__()
        self.dense = nn.Linear(width, embed.embedding_dim)
        self.norm = nn.LayerNorm(embed.embedding_dim)
        self.bias = nn.Parameter(torch.zeros(embed.num_embeddings))

    def forward(
        self, states_MD: Tensor, embed_VE: Tensor, sample_S: Tensor | None = None
    ) -> Tensor:
        """Return logits_MV, or those of a sample of the pieces, logits_MS."""
        hidden_ME = self.norm(nn.functional.gelu(self.dense(states_MD)))
        bias = self.bias
        if sample_S is not None:
            embed_VE, bias = embed_VE[sample_S], bias[sample_S]
        # Scaled so, the first guesses are near those of chance.
        return nn.functional.linear(hidden_ME, embed_VE) * embed_VE.shape[1] ** -0.5 + bias


def embedding_of(encoder: nn.Module, pieces: Sequence[str], objective: str) -> nn.Embedding:
    """Return the encoder's embedding of pieces. Raises UsageError where there is none."""
    embed = getattr(encoder, "embed", None)
    if not isinstance(embed, nn.Embedding) or embed.num_embeddings != len(pieces):
        raise UsageError(
            f"{objective} predicts pieces, and this architecture has no `embed` with a vector for "
            "each of them; take transformer, lstm or atnet"
        )
    return embed


class Words:
    """Which pieces make a word: it begins at a space mark, at punctuation, and after it."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self.opens_V = np.array([piece.startswith(SPACE) for piece in pieces])
        self.mark_V = np.array([not any(c.isalnum() for c in piece) for piece in pieces])

    def hidden(
        self, ids_BT: np.ndarray, mask_BT: np.ndarray, rate: float, rng: np.random.Generator
    ) -> np.ndarray:
        """Choose a share of the words; hidden_BT is True at all pieces of those."""
        mark_BT = self.mark_V[ids_BT]
        after_BT = np.pad(mark_BT[:, :-1], ((0, 0), (1, 0)), constant_values=True)
        word_BT = np.cumsum(self.opens_V[ids_BT] | mark_BT | after_BT, axis=1)
        chosen_BW = rng.random((len(ids_BT), word_BT.max() + 1)) < rate
        return np.asarray(np.take_along_axis(chosen_BW, word_BT, axis=1) & mask_BT)
