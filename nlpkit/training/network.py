"""Encoder and head as one torch module, and as the `run` that a `Model` calls.

Legend: B batch, T time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nlpkit import catalog
from nlpkit.runtime.batcher import padded_length
from nlpkit.settings.recipe import Part, Recipe
from nlpkit.tasks import Task
from nlpkit.text.windows import Encoder
from nlpkit.text.words import WordEncoder

if TYPE_CHECKING:
    import numpy as np


class Network(nn.Module):
    """ids_BT (int64), mask_BT (bool) -> the task's outputs."""

    def __init__(self, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return self.head(self.encoder(ids, mask), mask)


def build(recipe: Recipe, task: Task, encoder: Encoder | WordEncoder) -> Network:
    """Make the network of a recipe with fresh weights, fit for what an encoder reads."""
    made = build_encoder(recipe.architecture, recipe.tokenizer.window, encoder)
    return Network(made, task.head(made.width, made.pooling))


def build_encoder(architecture: Part, window: int, encoder: Encoder | WordEncoder) -> Any:
    """Make an architecture's module with fresh weights, fit for what an encoder reads."""
    module = catalog.load("architectures", architecture.name)
    longest = padded_length(window)
    known: dict[str, Any] = {"vocab_size": encoder.vocab_size, "max_length": longest}
    if isinstance(encoder, WordEncoder):
        known |= {"known": len(encoder.vocabulary), "known_width": encoder.width}
    fields = {field.name for field in dataclasses.fields(module.Config)}
    settings = {key: value for key, value in known.items() if key in fields}
    return module.Encoder(dataclasses.replace(architecture.config, **settings))


class TorchRun:
    """Call a network as ONNX Runtime would be called: arrays in, arrays out."""

    def __init__(self, network: nn.Module, device: torch.device | str = "cpu") -> None:
        self.network = network
        self.device = device

    @torch.inference_mode()
    def __call__(self, feeds: Mapping[str, np.ndarray]) -> np.ndarray:
        was_training = self.network.training
        self.network.eval()
        ids = torch.from_numpy(feeds["ids"]).to(self.device)
        mask = torch.from_numpy(feeds["mask"]).to(self.device)
        outputs = self.network(ids, mask).float().cpu().numpy()
        self.network.train(was_training)
        return outputs
