"""Build the network of a recipe (an encoder and a head) and run its graphs.

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
from nlpkit.abilities import Learned
from nlpkit.heads.graph import Graph
from nlpkit.runtime.batcher import padded_length
from nlpkit.runtime.graphs import Signature
from nlpkit.settings.parts import Part
from nlpkit.settings.recipe import Recipe
from nlpkit.text import Tokenizer
from nlpkit.training.threads import torch_threads

if TYPE_CHECKING:
    import numpy as np


class Network(nn.Module):
    """Map ids_BT (int64) and mask_BT (bool) to the head's outputs, by name.

    The head receives those `targets` that it names in FORCED (teacher forcing). Without an encoder,
    as in a language model, it reads the ids themselves.
    """

    def __init__(self, encoder: nn.Module | None, head: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(
        self, ids: Tensor, mask: Tensor, targets: Mapping[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        head: Any = self.head
        forced = {name: targets[name] for name in head.FORCED} if targets else {}
        states = ids if self.encoder is None else self.encoder(ids, mask)
        outputs: dict[str, Tensor] = head(states, mask, **forced)
        return outputs

    def graphs(self) -> dict[str, Graph]:
        """Return the graphs to export and to run, in the order of their use."""
        head: Any = self.head
        graphs: dict[str, Graph] = head.graphs(self.encoder)
        return graphs


def build(recipe: Recipe, task: Any, tokenizer: Tokenizer) -> Network:
    """Return the network of a recipe with random weights, sized for a tokenizer."""
    encoder = None
    if recipe.architecture:
        encoder = build_encoder(recipe.architecture, recipe.tokenizer.window, tokenizer)
    if recipe.decoder is None:
        return Network(encoder, task.head(encoder, tokenizer))
    decoder = build_decoder(recipe.decoder, encoder.width if encoder else 0, tokenizer)
    return Network(encoder, task.head(encoder, tokenizer, decoder))


def build_encoder(architecture: Part, window: int, tokenizer: Tokenizer) -> Any:
    """Return an architecture's encoder with random weights, sized for a tokenizer and a window."""
    known = {**tokenizer.sizes(), "max_length": padded_length(window)}
    module = catalog.load("architectures", architecture.name)
    return module.Encoder(_sized(architecture, known))


def build_decoder(decoder: Part, source: int, tokenizer: Tokenizer) -> Any:
    """Return a decoder with random weights; `source` is the encoder's width, or 0 without one."""
    module = catalog.load("decoders", decoder.name)
    return module.Decoder(_sized(decoder, tokenizer.sizes()), source)


def _sized(part: Part, known: Mapping[str, int]) -> Any:
    """Return the settings of a part with those that are known of its data."""
    fields = {field.name for field in dataclasses.fields(part.config)}
    settings = {key: value for key, value in known.items() if key in fields}
    return dataclasses.replace(part.config, **settings)


def learned(task: Any, network: nn.Module) -> None:
    """Give a task the numbers that the network's head has learned for it, if it needs any."""
    if isinstance(task, Learned):
        task.learn(network.head)


class TorchRun:
    """A network's graphs as a `nlpkit.runtime.graphs.Run`, with numpy arrays in and out."""

    def __init__(
        self, network: Network, device: torch.device | str = "cpu", *, threads: int = 0
    ) -> None:
        """Create the run; `threads` is for the CPU, 0 uses torch's setting."""
        self.network = network
        self.device = device
        self.threads = threads

    @cached_property
    def graphs(self) -> dict[str, Graph]:
        """The network's graphs."""
        return self.network.graphs()

    @property
    def signatures(self) -> Mapping[str, Signature]:
        """The inputs and outputs of each graph."""
        return {name: graph.signature for name, graph in self.graphs.items()}

    @torch.inference_mode()
    def __call__(
        self,
        graph: str,
        feeds: Mapping[str, Any],
        outputs: Sequence[str],
        kept: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Run a graph on a batch, in evaluation mode; return the named outputs as float32.

        Those named in `kept` are returned as tensors.
        """
        module_graph = self.graphs[graph]
        was_training = self.network.training
        self.network.eval()
        names = module_graph.signature.inputs
        with torch_threads(self.threads or torch.get_num_threads()):
            tensors = [self._tensor(feeds[name]) for name in names]
            arrays = module_graph.module(*tensors)
        self.network.train(was_training)
        by_name = dict(zip(module_graph.signature.outputs, arrays, strict=True))
        return {name: by_name[name] for name in kept} | {
            name: _plain(by_name[name]) for name in outputs
        }

    def _tensor(self, value: Any) -> Tensor:
        tensor = value if isinstance(value, Tensor) else torch.from_numpy(value)
        return tensor.to(self.device)


def _plain(array: Tensor) -> np.ndarray:
    """Return a tensor as a numpy array; half precision becomes float32."""
    plain: np.ndarray = (array.float() if array.is_floating_point() else array).cpu().numpy()
    return plain
