"""Importers of pretrained encoders, one file a source: `reads(source)` and `read(source)`.

`reads` tells whether a source, a path or the name of a package, is of the importer's kind; `read`
returns an `Imported`, or raises ModelError with the reason why it cannot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class Imported:
    """A pretrained encoder as nlpkit's architecture `architecture` reads it.

    Attributes:
        architecture: `bert`, or one that also puts bos and eos around windows, has learned
            positions and keeps its layers in `blocks`.
        settings: the architecture's settings, except vocab_size, max_length, bos and eos.
        weights: float32 arrays by the names of the encoder's parameters, each one of them.
        tokenizer: the tree of a tokenizer.json of the library `tokenizers`, of the type Unigram,
            BPE or WordPiece.
        pad, unk, bos, eos: ids in that tokenizer.
        origin: for model cards: `name`, `source` and `licence`; `sha256` of the weights, and
            `use`, if texts need to be prepared, may be left out.
        ignored: names of tensors that the encoder does not have, such as those of a head.
    """

    architecture: str
    settings: Mapping[str, Any]
    weights: Mapping[str, np.ndarray]
    tokenizer: Mapping[str, Any]
    pad: int
    unk: int
    bos: int
    eos: int
    origin: Mapping[str, Any]
    ignored: tuple[str, ...] = ()
