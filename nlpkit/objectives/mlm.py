"""Masked language modelling: mask words and predict them from both sides (Devlin et al. 2019).

Whole words are masked (Cui et al. 2021), since a piece within a word is too easy to predict. With
`next_sentence`, half of the texts get another text's second half and the network predicts which
(next sentence prediction, NSP).

Legend: B batch, T time, D width, E width of embeddings, V vocabulary, M predicted positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from nlpkit.heads.pieces import MASK, TiedSoftmax, Words, embedding_of
from nlpkit.runtime.batcher import Batch
from nlpkit.settings.declaration import setting


@dataclass(frozen=True, kw_only=True)
class Config:
    rate: float = setting(0.15, "share of the words to predict", 0.01, 0.9)
    keep: float = setting(0.1, "share of the predicted pieces that stay as they are", 0, 1)
    swap: float = setting(0.1, "share of the predicted pieces replaced by a random piece", 0, 1)
    next_sentence: bool = setting(
        False, "also predict whether the second half belongs to the first (NSP)"
    )


class Objective(nn.Module):
    """Cross-entropy of the masked pieces, plus that of NSP with `next_sentence`."""

    def __init__(self, config: Config, encoder: nn.Module, pieces: Sequence[str]) -> None:
        super().__init__()
        self.config = config
        self.encoder = encoder
        # A list hides the embedding from nn.Module: it is registered in the encoder already.
        self.embed = [embedding_of(encoder, pieces, "mlm")]
        self.softmax = TiedSoftmax(encoder.width, self.embed[0])
        self.follows = nn.Linear(encoder.width, 2) if config.next_sentence else None
        self.words = Words(pieces)
        self.metrics: dict[str, Any] = {}

    def views(self, batch: Batch, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Return the masked ids_BT, mask_BT, gold_M and places_M, the targets' flat positions.

        With `next_sentence` also follows_B: 1 where the second half is the text's own.
        """
        ids_BT, mask_BT, extra = batch.ids_BT, batch.mask_BT, {}
        if self.config.next_sentence:
            ids_BT, mask_BT, extra["follows_B"] = second_halves_swapped(ids_BT, mask_BT, rng)
        hidden_BT = self.words.hidden(ids_BT, mask_BT, self.config.rate, rng)
        hidden_BT[0, 0] |= not hidden_BT.any()  # the mean loss of no targets would be nan
        places_M = np.flatnonzero(hidden_BT)
        gold_M = ids_BT.reshape(-1)[places_M]
        shown_BT = ids_BT.copy()
        draw_M = rng.random(len(places_M))
        shown_M = np.where(draw_M < self.config.keep, gold_M, MASK)
        swapped_M = (draw_M >= self.config.keep) & (draw_M < self.config.keep + self.config.swap)
        shown_M[swapped_M] = rng.integers(2, self.embed[0].num_embeddings, int(swapped_M.sum()))
        shown_BT.reshape(-1)[places_M] = shown_M
        views = {"ids_BT": shown_BT, "mask_BT": mask_BT, "places_M": places_M, "gold_M": gold_M}
        return views | extra

    def forward(
        self,
        ids_BT: Tensor,
        mask_BT: Tensor,
        places_M: Tensor,
        gold_M: Tensor,
        follows_B: Tensor | None = None,
    ) -> Tensor:
        states_BTD = self.encoder(ids_BT, mask_BT)
        states_MD = states_BTD.flatten(0, 1)[places_M]
        logits_MV = self.softmax(states_MD, self.embed[0].weight).float()
        loss = nn.functional.cross_entropy(logits_MV, gold_M)
        self.metrics = {"accuracy": (logits_MV.detach().argmax(1) == gold_M).float().mean()}
        if self.follows is None or follows_B is None:
            return loss
        mean_BD = (states_BTD * mask_BT.unsqueeze(-1)).sum(1) / mask_BT.sum(1, keepdim=True)
        logits_B2 = self.follows(mean_BD).float()
        right_B = logits_B2.detach().argmax(1) == follows_B
        self.metrics["next_sentence_accuracy"] = right_B.float().mean()
        return loss + nn.functional.cross_entropy(logits_B2, follows_B)


def second_halves_swapped(
    ids_BT: np.ndarray, mask_BT: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give half of the rows the second half of the row above.

    Return ids_BT, mask_BT and follows_B, 1 where the row kept its own half and 0 elsewhere. Halves
    are counted in tokens, since most texts are one sentence. Rows of a batch have similar lengths,
    so the length does not reveal the answer.
    """
    swapped_B = (rng.random(len(ids_BT)) < 0.5) & (len(ids_BT) > 1)
    half = mask_BT.sum(1).min() // 2
    mixed_ids_BT, mixed_mask_BT = ids_BT.copy(), mask_BT.copy()
    for mixed, own in ((mixed_ids_BT, ids_BT), (mixed_mask_BT, mask_BT)):
        mixed[swapped_B, half:] = np.roll(own, 1, axis=0)[swapped_B, half:]
    return mixed_ids_BT, mixed_mask_BT, (~swapped_B).astype(np.int64)
