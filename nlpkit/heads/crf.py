"""A linear-chain CRF over the tags of words, and the loss of partly annotated words.

Legend: B batch, T time (tokens), W words, D width, C tags.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from nlpkit.heads.token import TokenHead
from nlpkit.runtime.viterbi import NEVER


class CrfHead(TokenHead):
    """Map states_BTD and mask_BT to {"logits": logits_BTC, "moves": moves_CC}.

    `moves` scores each pair of tags in sequence (Lafferty et al. 2001; Lample et al. 2016). The
    graph has the logits only: the task takes the moves over for its decoding.
    """

    def __init__(self, *, width: int, tags: int, dropout: float) -> None:
        super().__init__(width=width, tags=tags, dropout=dropout)
        self.moves = nn.Parameter(torch.zeros(tags, tags))

    def forward(self, states_BTD: Tensor, mask_BT: Tensor) -> dict[str, Tensor]:
        return super().forward(states_BTD, mask_BT) | {"moves": self.moves}


def partial_loss(
    logits_BTC: Tensor,
    moves_CC: Tensor | None,
    targets: Mapping[str, Tensor],
    smoothing: float,
    start_C: Tensor,
    forbidden_CC: Tensor,
) -> Tensor:
    """Return loss_B of a CRF; where `moves_CC` is None, the loss of each word's tag alone.

    `moves_CC` are the scores of transitions from one tag to the next. `targets` are those of
    `nlpkit.tasks.entities`: a word that is outside of all entities may also have the tags that its
    file never has. `start_C` and `forbidden_CC` hold NEVER for invalid transitions.
    """
    logits_BWC = of_words(logits_BTC, targets["token"]).float()
    outside_BW1 = targets["allowed"][:, :, :1]
    allowed_BWC = targets["allowed"] | (outside_BW1 & targets["unknown"].unsqueeze(1))
    mask_BW = targets["words"]
    if moves_CC is None:
        loss_B = token_loss(logits_BWC, allowed_BWC, mask_BW)
    else:
        valid_CC = moves_CC.float() + forbidden_CC.to(logits_BWC)
        loss_B = crf_loss(logits_BWC, allowed_BWC, mask_BW, start_C.to(logits_BWC), valid_CC)
    if not smoothing:
        return loss_B
    return (1 - smoothing) * loss_B + smoothing * uniform_loss(logits_BWC, mask_BW)


def of_words(logits_BTC: Tensor, token_BW: Tensor) -> Tensor:
    """Return the logits of each word's first token, logits_BWC."""
    return logits_BTC.gather(1, token_BW.unsqueeze(-1).expand(-1, -1, logits_BTC.shape[-1]))


def token_loss(logits_BWC: Tensor, allowed_BWC: Tensor, mask_BW: Tensor) -> Tensor:
    """Return loss_B, whose mean is the batch's mean over words of -log P(an allowed tag).

    A word whose annotation leaves a choice allows several tags (Jin & Ghahramani 2002).
    """
    right_BWC = logits_BWC.masked_fill(~allowed_BWC, NEVER)
    loss_BW = logits_BWC.logsumexp(-1) - right_BWC.logsumexp(-1)
    return (loss_BW * mask_BW).sum(1) * (len(mask_BW) / mask_BW.sum().clamp_min(1))


def uniform_loss(logits_BWC: Tensor, mask_BW: Tensor) -> Tensor:
    """Return loss_B, whose mean is the mean cross-entropy with equal probabilities of all tags."""
    loss_BW = -logits_BWC.log_softmax(-1).mean(-1)
    return (loss_BW * mask_BW).sum(1) * (len(mask_BW) / mask_BW.sum().clamp_min(1))


def crf_loss(
    logits_BWC: Tensor, allowed_BWC: Tensor, mask_BW: Tensor, start_C: Tensor, moves_CC: Tensor
) -> Tensor:
    """Return loss_B, whose mean is the batch's mean over words of -log P(allowed sequences).

    Sequences are normalised as a whole, and those that the annotation allows are summed (fuzzy
    CRF; Tsuboi et al. 2008). `start_C` and `moves_CC` hold NEVER for invalid moves.
    """
    right_BWC = logits_BWC.masked_fill(~allowed_BWC, NEVER)
    total_B = _total(logits_BWC, mask_BW, start_C, moves_CC)
    right_B = _total(right_BWC, mask_BW, start_C, moves_CC)
    return (total_B - right_B) * (len(mask_BW) / mask_BW.sum().clamp_min(1))


def _total(logits_BWC: Tensor, mask_BW: Tensor, start_C: Tensor, moves_CC: Tensor) -> Tensor:
    """Return the logarithm of the summed scores of all sequences, total_B."""
    state_BC = start_C + logits_BWC[:, 0]
    for word in range(1, logits_BWC.shape[1]):
        moved_BC = torch.logsumexp(state_BC.unsqueeze(2) + moves_CC, dim=1) + logits_BWC[:, word]
        state_BC = torch.where(mask_BW[:, word, None], moved_BC, state_BC)
    return state_BC.logsumexp(1)
