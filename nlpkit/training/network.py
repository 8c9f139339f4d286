"""Encoder and head as one torch module, and as the `run` that a `Model` calls.

Legend: B batch, T time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nlpkit import catalog
from nlpkit.heads.graph import Graph
from nlpkit.runtime.batcher import padded_length
from nlpkit.runtime.graphs import Signature
from nlpkit.settings.recipe import Part, Recipe
from nlpkit.text import Tokenizer
from nlpkit.training.threads import torch_threads

if TYPE_CHECKING:
    import numpy as np


class Network(nn.Module):
    """ids_BT (int64), mask_BT (bool) -> the head's outputs.

    Of `targets` the head is given those that it names in FORCED (teacher forcing).
    """

    def __init__(self, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(
        self, ids: Tensor, mask: Tensor, targets: Mapping[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        head: Any = self.head
        forced = {name: targets[name] for name in head.FORCED} if targets else {}
        outputs: dict[str, Tensor] = head(self.encoder(ids, mask), mask, **forced)
        return outputs

    def graphs(self) -> dict[str, Graph]:
        """Return the graphs that are exported and that answer, in the order of their use."""
        head: Any = self.head
        made: dict[str, Graph] = head.graphs(self.encoder)
        return made


def build(recipe: Recipe, task: Any, tokenizer: Tokenizer) -> Network:
    """Make the network of a recipe with fresh weights, fit for a tokenizer."""
    encoder = build_encoder(recipe.architecture, recipe.tokenizer.window, tokenizer)
    return Network(encoder, task.head(encoder, tokenizer))


def build_encoder(architecture: Part, window: int, tokenizer: Tokenizer) -> Any:
    """Make an architecture's module with fresh weights, fit for a tokenizer."""
    module = catalog.load("architectures", architecture.name)
    known = {**tokenizer.sizes(), "max_length": padded_length(window)}
    fields = {field.name for field in dataclasses.fields(module.Config)}
    settings = {key: value for key, value in known.items() if key in fields}
    return module.Encoder(dataclasses.replace(architecture.config, **settings))


class TorchRun:
    """Call a network's graphs as ONNX Runtime would: `nlpkit.runtime.graphs.Run`."""

    def __init__(
        self, network: Network, device: torch.device | str = "cpu", *, threads: int = 0
    ) -> None:
        """`threads` on the CPU; 0 uses as many as torch is set to."""
        self.network = network
        self.device = device
        self.threads = threads

    @cached_property
    def graphs(self) -> dict[str, Graph]:
        """The network's graphs."""
        return self.network.graphs()

    @property
    def signatures(self) -> Mapping[str, Signature]:
        """Their inputs and outputs."""
        return {name: graph.signature for name, graph in self.graphs.items()}

    @torch.inference_mode()
    def __call__(
        self, graph: str, feeds: Mapping[str, np.ndarray], outputs: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Run a batch without dropout."""
        called = self.graphs[graph]
        was_training = self.network.training
        self.network.eval()
        names = called.signature.inputs
        with torch_threads(self.threads or torch.get_num_threads()):
            arrays = called.module(*(torch.from_numpy(feeds[n]).to(self.device) for n in names))
        self.network.train(was_training)
        made = dict(zip(called.signature.outputs, arrays, strict=True))
        return {name: _plain(made[name]) for name in outputs}


def _plain(array: Tensor) -> np.ndarray:
    """Return an array of the CPU; half precision becomes float32."""
    plain: np.ndarray = (array.float() if array.is_floating_point() else array).cpu().numpy()
    return plain
