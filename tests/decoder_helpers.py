"""Tiny networks that write, of every decoder in the catalogue, with and without a source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from nlpkit import catalog
from nlpkit.exporting.onnx import Exported
from nlpkit.heads.written import LanguageHead, Writer, empty
from nlpkit.runtime.session import SessionRun
from nlpkit.training.network import Network

VOCAB, WINDOW = 50, 20
SOURCE = 7  # width of the encoder's states
SMALL = {"embedding": 8, "hidden": 6, "width": 8, "layers": 2, "heads": 2, "feedforward": 16}
# Wide enough to be quantised: matrices of 1024 elements, rows of 32.
WIDE = SMALL | {"width": 32, "embedding": 32, "hidden": 32, "feedforward": 64}
PIECES = 400
Variant = tuple[str, dict[str, Any], int]  # decoder, settings, width of the source or 0


def settings_of(name: str) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = catalog.load("decoders", name).Config.__dataclass_fields__
    return fields


def variants() -> list[Variant]:
    """Return every decoder with each choice of its settings, and in windows where it has them."""
    made: list[Variant] = []
    for name in catalog.names("decoders"):
        config = catalog.load("decoders", name).Config
        given: list[dict[str, Any]] = [{}]
        for key, kind in get_type_hints(config).items():
            choices = [not getattr(config(), key)] if kind is bool else get_args(kind)
            given += [{key: choice} for choice in choices if choice != getattr(config(), key)]
            given += [{"near": 3}] if key == "near" else []
        made += [(name, each, source) for each in given for source in (SOURCE, 0)]
    return made


def named(variant: Variant) -> str:
    name, given, source = variant
    parts = [name, *(f"{key}={value}" for key, value in given.items())]
    return "-".join([*parts, "source" if source else "alone"])


class Embedded(nn.Module):
    """An encoder whose states are those of the tokens alone."""

    width = SOURCE

    def __init__(self, vocab: int) -> None:
        super().__init__()
        self.table = nn.Embedding(vocab, SOURCE)

    def forward(self, ids_BT: Tensor, mask_BT: Tensor) -> Tensor:
        return self.table(ids_BT)


class Ids:
    """The members of a tokenizer that the export and its checks use."""

    def __init__(self, vocab_size: int = VOCAB) -> None:
        self.vocab_size = vocab_size

    def random(self, rng: np.random.Generator, batch: int, time: int) -> np.ndarray:
        return rng.integers(1, self.vocab_size, (batch, time))


def decoder_of(variant: Variant, sizes: Mapping[str, Any] = SMALL, vocab: int = VOCAB) -> Any:
    torch.manual_seed(0)
    name, given, source = variant
    module, known = catalog.load("decoders", name), settings_of(name)
    settings = {key: value for key, value in sizes.items() if key in known}
    decoder = module.Decoder(module.Config(**settings | given, vocab_size=vocab), source)
    for weight in decoder.parameters():  # so that no bias is zero
        nn.init.normal_(weight, std=0.3)
    return decoder.eval()


def network_of(variant: Variant, sizes: Mapping[str, Any] = SMALL, vocab: int = VOCAB) -> Network:
    decoder = decoder_of(variant, sizes, vocab)
    if variant[2]:
        return Network(Embedded(vocab), Writer(decoder))
    return Network(None, LanguageHead(decoder))


def numbers(seed: int, *shape: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape).astype("float32"))


def ids(seed: int, *shape: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(1, VOCAB, shape))


def begun(
    decoder: Any, source: int, states_BSD: Tensor, mask_BS: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the memory of a source, and the states before the first token."""
    if not source:
        return {}, empty(decoder, mask_BS)
    memory = decoder.memory(states_BSD, mask_BS)
    return memory, empty(decoder, mask_BS) | decoder.start(memory)


def session_run(graphs: Mapping[str, Exported], models: Mapping[str, Any]) -> SessionRun:
    """Return the sessions of ONNX models, whose signatures `graphs` have."""
    sessions = {
        name: onnxruntime.InferenceSession(
            model.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        for name, model in models.items()
    }
    return SessionRun(sessions, {name: graph.signature for name, graph in graphs.items()})
