"""Parts that pretraining objectives share: a tied softmax over pieces, and whole-word masking.

Legend: B batch, T time, W words, D width, E width of embeddings, V vocabulary, M predicted
positions, S sample of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from nlpkit.errors import UsageError
from nlpkit.text import vocabulary

MASK = 1  # the id of the unknown piece, which also serves as the mask and so costs no extra id


class TiedSoftmax(nn.Module):
    """Map states_MD to logits_MV with the embedding as output layer (Press & Wolf 2017)."""

    def __init__(self, width: int, embed: nn.Embedding) -> None:
        super().__init__()
        self.dense = nn.Linear(width, embed.embedding_dim)
        self.norm = nn.LayerNorm(embed.embedding_dim)
        self.bias = nn.Parameter(torch.zeros(embed.num_embeddings))

    def forward(
        self, states_MD: Tensor, embed_VE: Tensor, sample_S: Tensor | None = None
    ) -> Tensor:
        """Return logits_MV, or logits_MS where a sample of piece ids is given."""
        hidden_ME = self.norm(nn.functional.gelu(self.dense(states_MD)))
        bias = self.bias
        if sample_S is not None:
            embed_VE, bias = embed_VE[sample_S], bias[sample_S]
        # The scale makes the untrained logits small, so that the first loss is near log V.
        return nn.functional.linear(hidden_ME, embed_VE) * embed_VE.shape[1] ** -0.5 + bias


def embedding_of(encoder: nn.Module, pieces: Sequence[str], objective: str) -> nn.Embedding:
    """Return the encoder's embedding of pieces, with one row for each piece.

    Raises:
        UsageError: the encoder has no such embedding.
    """
    embed = getattr(encoder, "embed", None)
    if not isinstance(embed, nn.Embedding) or embed.num_embeddings != len(pieces):
        raise UsageError(
            f"{objective} predicts pieces, and this architecture has no `embed` with a vector for "
            "each piece; use transformer, lstm or atnet"
        )
    return embed


class Words:
    """Groups of pieces that form words: one begins at a space mark, at punctuation and after it.

    Where pieces inside a word are marked (WordPiece), one begins at each piece without that mark.
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        mark = vocabulary.mark_of(pieces)
        inside = mark == vocabulary.INSIDE
        texts = [vocabulary.text_of(piece, mark == vocabulary.BYTE_SPACE) for piece in pieces]
        self.opens_V = np.array([piece.startswith(mark) != inside for piece in pieces])
        self.mark_V = np.array([not any(map(_is_in_word, text)) for text in texts])

    def hidden(
        self, ids_BT: np.ndarray, mask_BT: np.ndarray, rate: float, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw a share `rate` of the words; return hidden_BT, True at every piece of those."""
        mark_BT = self.mark_V[ids_BT]
        after_BT = np.pad(mark_BT[:, :-1], ((0, 0), (1, 0)), constant_values=True)
        word_BT = np.cumsum(self.opens_V[ids_BT] | mark_BT | after_BT, axis=1)
        chosen_BW = rng.random((len(ids_BT), word_BT.max() + 1)) < rate
        return np.asarray(np.take_along_axis(chosen_BW, word_BT, axis=1) & mask_BT)


def _is_in_word(char: str) -> bool:
    return char.isalnum() or char == "\ufffd"  # U+FFFD is a byte of a letter, if no sign of its own
