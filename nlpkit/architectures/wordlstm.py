"""Bidirectional LSTM over words, embedded from hashed features and letters (Ma & Hovy 2016).

Use when: each word gets a tag; to classify documents take an architecture that reads subwords.

A small convolution reads the letters (Kim et al. 2016); form, affixes and shape are rows of one
hashed table. Each state is the word's context followed by its own vector, so a head sees both.

Legend: B batch, T time (words), D width, F ids of a word, L letters of a word, K filters.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nlpkit.recurrent import Lstm, onnx_translations, reverse_index, take
from nlpkit.settings.declaration import setting
from nlpkit.text.tokenizers.words import FORM, KNOWN, LETTERS, OTHERS, SLOTS, STYLE, SUFFIXES

__all__ = ["TOKENIZER", "Config", "Encoder", "onnx_translations"]

TOKENIZER = {"kind": "words", "vocab_size": 20000, "window": 128, "overlap": 32}
SCALE = 0.15  # standard deviation that pretrained vectors are scaled to


@dataclass(frozen=True, kw_only=True)
class Config:
    vocab_size: int = setting(0, "set from the tokenizer")
    known: int = setting(0, "set from the tokenizer's vocabulary")
    known_width: int = setting(0, "set from the tokenizer's vectors")
    embedding: int = setting(64, "width of a feature's vector", 1, tune=[32, 64, 128])
    letter_embedding: int = setting(32, "width of a letter's vector", 1)
    filters: int = setting(48, "filters of each kernel over the letters", 1, tune=[32, 48, 64, 96])
    kernels: tuple[int, ...] = setting(
        (3, 5), "widths of the kernels, in letters (odd)", tune=[(3,), (5,), (3, 5)]
    )
    hidden: int = setting(128, "width of each direction's state", 1, tune=[64, 128, 192, 256])
    layers: int = setting(2, "stacked bidirectional layers", 1, tune=[1, 2])
    dropout: float = setting(0.35, "dropout on words and between layers", 0, 1, tune=(0.1, 0.5))
    word_dropout: float = setting(
        0.15,
        "share of words whose form is hidden in training; affixes and letters stay",
        0,
        1,
        tune=(0.0, 0.3),
    )
    style_dropout: float = setting(
        0.15, "share of words whose annotation style is hidden in training", 0, 1
    )

    def __post_init__(self) -> None:
        if not self.kernels or any(kernel % 2 == 0 for kernel in self.kernels):
            raise ValueError(f"kernels = {list(self.kernels)}: widths must be odd")


class Encoder(nn.Module):
    """Map ids_BTF and mask_BT to states_BTD: both directions' states, then the word's vector."""

    pooling = "attention"

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        word = 3 * config.embedding + len(config.kernels) * config.filters + config.known_width
        self.width = 2 * config.hidden + word
        self.embed = nn.Embedding(config.vocab_size, config.embedding, padding_idx=0)
        nn.init.normal_(self.embed.weight, std=0.1)
        if config.known:
            self.known = nn.Embedding(config.known + 1, config.known_width, padding_idx=0)
        self.letters = nn.Embedding(LETTERS, config.letter_embedding, padding_idx=0)
        self.convolutions = nn.ModuleList(
            # A 2-D convolution over [T, L]: flattening B and T would fix both in the ONNX graph.
            nn.Conv2d(
                config.letter_embedding, config.filters, (1, kernel), padding=(0, kernel // 2)
            )
            for kernel in config.kernels
        )
        self.dropout = nn.Dropout(config.dropout)
        widths = [word] + [2 * config.hidden] * (config.layers - 1)
        self.forwards, self.backwards = (
            nn.ModuleList(Lstm(width, config.hidden, batch_first=True) for width in widths)
            for _ in range(2)
        )

    def forward(self, ids_BTF: Tensor, mask_BT: Tensor) -> Tensor:
        word_BTD = self.dropout(self._words(self._hidden(ids_BTF)))
        index_BT1 = reverse_index(mask_BT).unsqueeze(-1)
        states_BTD = word_BTD
        for layer, (ahead, back) in enumerate(zip(self.forwards, self.backwards, strict=True)):
            if layer:
                states_BTD = self.dropout(states_BTD)
            ahead_BTD, _ = ahead(states_BTD)
            back_BTD, _ = back(take(states_BTD, index_BT1))
            states_BTD = torch.cat([ahead_BTD, take(back_BTD, index_BT1)], dim=-1)
        return torch.cat([states_BTD, word_BTD], dim=-1)

    def _hidden(self, ids_BTF: Tensor) -> Tensor:
        """Hide random forms and styles in training, so that the network does not rely on them."""
        if not self.training:
            return ids_BTF
        ids_BTF = ids_BTF.clone()
        rates = (([FORM, KNOWN], self.config.word_dropout), ([STYLE], self.config.style_dropout))
        for slots, share in rates:
            keep_BT1 = torch.rand(*ids_BTF.shape[:2], 1, device=ids_BTF.device) >= share
            ids_BTF[:, :, slots] *= keep_BT1
        return ids_BTF

    def _words(self, ids_BTF: Tensor) -> Tensor:
        features = self.embed(ids_BTF[:, :, :KNOWN])
        others = features[:, :, OTHERS].sum(2) + features[:, :, STYLE]
        parts = [features[:, :, FORM], features[:, :, SUFFIXES].sum(2), others]
        if self.config.known:
            parts.append(self.known(ids_BTF[:, :, KNOWN]))
        return torch.cat([*parts, self._spelling(ids_BTF[:, :, SLOTS:])], dim=-1)

    def _spelling(self, letters_BTL: Tensor) -> Tensor:
        """Return the maximum of each filter over a word's letters, maxima_BTK."""
        letters_BDTL = self.letters(letters_BTL).permute(0, 3, 1, 2)
        maxima = [torch.relu(conv(letters_BDTL)).amax(dim=3) for conv in self.convolutions]
        return torch.cat(maxima, dim=1).transpose(1, 2)

    @torch.no_grad()
    def start_from(self, vectors_VD: Tensor) -> None:
        """Set the vectors of the vocabulary's words, scaled like those of the other features."""
        self.known.weight[1:] = vectors_VD * (SCALE / vectors_VD.std())
