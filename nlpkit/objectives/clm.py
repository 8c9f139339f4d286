"""Causal language modelling: predict each piece from those before it (Mikolov et al. 2010).

A network that also reads backwards (lstm) predicts each piece from those after it as well (ELMo,
Peters et al. 2018).

Legend: B batch, T time, D width, E width of embeddings, V vocabulary, M predicted positions,
S sample of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nlpkit.errors import UsageError
from nlpkit.heads.pieces import TiedSoftmax, embedding_of
from nlpkit.runtime.batcher import Batch
from nlpkit.settings.declaration import setting

BOUNDS = True  # the tokenizer has bos and eos, for the language models that start from the run


@dataclass(frozen=True, kw_only=True)
class Config:
    sample: int = setting(
        0, "random pieces in each step's softmax (sampled softmax); 0 takes all pieces", 0
    )


class Objective(nn.Module):
    """Cross-entropy of every next piece, averaged over the encoder's directions."""

    def __init__(self, config: Config, encoder: nn.Module, pieces: Sequence[str]) -> None:
        super().__init__()
        if not hasattr(encoder, "causal"):
            raise UsageError(
                "clm needs an architecture with a method `causal`, which reads in one direction "
                "(lstm, transformer); use mlm for this one"
            )
        self.config = config
        self.encoder = encoder
        # A list hides the embedding from nn.Module: it is registered in the encoder already.
        self.embed = [embedding_of(encoder, pieces, "clm")]
        widths: Sequence[int] = encoder.causal_widths
        self.softmaxes = nn.ModuleList(TiedSoftmax(width, self.embed[0]) for width in widths)
        self.metrics: dict[str, Any] = {}

    def views(self, batch: Batch, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Return ids_BT, mask_BT and, with sampled softmax, the sorted piece ids sample_S."""
        feeds = {"ids_BT": batch.ids_BT, "mask_BT": batch.mask_BT}
        if not self.config.sample:
            return feeds
        drawn_S = rng.integers(2, self.embed[0].num_embeddings, self.config.sample)
        # The targets must be in the sample: add the batch's own pieces.
        own = np.unique(batch.ids_BT[batch.mask_BT])
        return feeds | {"sample_S": np.union1d(drawn_S, own)}

    def forward(self, ids_BT: Tensor, mask_BT: Tensor, sample_S: Tensor | None = None) -> Tensor:
        embed_VE = self.embed[0].weight
        # Forward states predict the next piece, backward ones the previous; both must be tokens.
        pair_BT = mask_BT[:, 1:] & mask_BT[:, :-1]
        losses, right = [], []
        states = self.encoder.causal(ids_BT, mask_BT)
        for direction, (states_BTD, softmax) in enumerate(zip(states, self.softmaxes, strict=True)):
            ahead = direction == 0
            states_MD = (states_BTD[:, :-1] if ahead else states_BTD[:, 1:])[pair_BT]
            gold_M = (ids_BT[:, 1:] if ahead else ids_BT[:, :-1])[pair_BT]
            if sample_S is None or not self.training:
                logits = softmax(states_MD, embed_VE)
            else:
                gold_M = torch.searchsorted(sample_S, gold_M)
                logits = softmax(states_MD, embed_VE, sample_S)
            losses.append(nn.functional.cross_entropy(logits.float(), gold_M))
            right.append((logits.detach().argmax(1) == gold_M).float().mean())
        self.metrics = {"accuracy": sum(right) / len(right)}
        return torch.stack(losses).mean()
