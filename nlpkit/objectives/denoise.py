"""Denoising: write a text from one with gaps, by an encoder and a decoder.

T5 (Raffel et al. 2020, section 3.1.4) masks spans of words and writes the masked words only, span
by span; BART (Lewis et al. 2020) writes the whole text again. The run holds encoder and decoder,
from which `nlpkit train` starts a translation or the like.

Legend: B batch, T time, U tokens of the target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from nlpkit import catalog
from nlpkit.errors import UsageError
from nlpkit.heads.pieces import MASK, embedding_of
from nlpkit.heads.written import Writer, written_loss
from nlpkit.runtime.batcher import Batch
from nlpkit.runtime.writing import IGNORED
from nlpkit.settings.declaration import setting

BOUNDS = True  # the tokenizer needs bos and eos


@dataclass(frozen=True, kw_only=True)
class Config:
    style: Literal["bart", "t5"] = setting("bart", "write the whole text, or the masked spans only")
    rate: float = setting(0.3, "share of the tokens that are masked", 0.01, 0.9)
    span: float = setting(3.0, "mean length of a masked span, in tokens", 1, 100)
    decoder: str = setting("transformer", "decoder, with the width of the encoder")
    layers: int = setting(2, "layers of the decoder", 1)


class Objective(nn.Module):
    """Cross-entropy of the target's tokens, given the text with one mask for each span."""

    def __init__(self, config: Config, encoder: Any, pieces: Sequence[str]) -> None:
        super().__init__()
        self.config, self.encoder = config, encoder
        embedding_of(encoder, pieces, "denoise")
        self.bos, self.eos = (pieces.index(piece) for piece in ("[BOS]", "[EOS]"))
        module = catalog.load("decoders", config.decoder)
        width = "width" if hasattr(module.Config, "width") else "embedding"
        sizes = {width: encoder.width, "layers": config.layers, "vocab_size": len(pieces)}
        try:
            self.head = Writer(module.Decoder(module.Config(**sizes), encoder.width))
        except ValueError as problem:
            raise UsageError(f"[objective] decoder = {config.decoder!r}: {problem}") from None
        if self.head.decoder.embed.weight.shape == encoder.embed.weight.shape:
            self.head.decoder.embed = encoder.embed
        self.metrics: dict[str, Any] = {}

    def views(self, batch: Batch, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Return the texts with masks, ids_BT and mask_BT, and the targets of teacher forcing."""
        sources, targets = [], []
        for ids_T, length in zip(batch.ids_BT, batch.mask_BT.sum(axis=1).tolist(), strict=True):
            source, target = self._noised(ids_T[:length], rng)
            sources.append(source)
            targets.append(target)
        width = max(map(len, targets)) + 1
        previous_BU = np.zeros((len(targets), width), dtype=np.int64)
        wanted_BU = np.full((len(targets), width), IGNORED, dtype=np.int64)
        for row, ids in enumerate(targets):
            previous_BU[row, : len(ids) + 1] = [self.bos, *ids]
            wanted_BU[row, : len(ids) + 1] = [*ids, self.eos]
        ids_BT = np.zeros((len(sources), max(map(len, sources))), dtype=np.int64)
        for row, source in enumerate(sources):
            ids_BT[row, : len(source)] = source
        return {
            "ids_BT": ids_BT,
            "mask_BT": ids_BT != 0,
            "previous_BU": previous_BU,
            "wanted_BU": wanted_BU,
        }

    def forward(
        self, ids_BT: Tensor, mask_BT: Tensor, previous_BU: Tensor, wanted_BU: Tensor
    ) -> Tensor:
        states_BTD = self.encoder(ids_BT, mask_BT)
        outputs = self.head(states_BTD, mask_BT, previous_BU, wanted_BU)
        gold_M = wanted_BU[wanted_BU != IGNORED]
        right_M = outputs["logits"][: len(gold_M)].detach().argmax(1) == gold_M
        self.metrics = {"accuracy": right_M.float().mean()}
        return torch.mean(written_loss(outputs, 0.0))

    def _noised(self, ids_T: np.ndarray, rng: np.random.Generator) -> tuple[list[int], list[int]]:
        """Return the text with a mask for each span, and the target."""
        hidden_T = spans(len(ids_T), self.config.rate, self.config.span, rng)
        source: list[int] = []
        gaps: list[int] = []
        for token, hidden, before in zip(
            ids_T.tolist(), hidden_T.tolist(), [False, *hidden_T[:-1].tolist()], strict=True
        ):
            if not hidden:
                source.append(token)
                continue
            if not before:
                source.append(MASK)
                gaps.append(MASK)
            gaps.append(token)
        return source, ids_T.tolist() if self.config.style == "bart" else gaps


def spans(length: int, rate: float, mean: float, rng: np.random.Generator) -> np.ndarray:
    """Return hidden_T, True in random spans of Poisson-distributed lengths; one token at least.

    Spans may touch, and then count as one.
    """
    hidden_T = np.zeros(length, dtype=bool)
    wanted = max(round(length * rate), 1)
    while hidden_T.sum() < wanted:
        size = min(max(int(rng.poisson(mean)), 1), wanted - int(hidden_T.sum()))
        start = int(rng.integers(0, max(length - size, 0) + 1))
        hidden_T[start : start + size] = True
    return hidden_T
