"""Write a network as ONNX with free batch and time axes.

Legend: B batch, T time.
"""

from __future__ import annotations

import io
import logging
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.export import Dim

from nlpkit.runtime.session import EMBEDDING, LOGITS
from nlpkit.text.windows import Encoder
from nlpkit.text.words import WordEncoder
from nlpkit.training.network import Network

OPSET = 20  # 23 and 24 write an Attention that ONNX Runtime rejects with a boolean mask


def to_onnx(network: Network, encoder: Encoder | WordEncoder) -> onnx.ModelProto:
    """Return the network as ONNX.

    ids (int64, [B, T] or [B, T, F]), mask (bool [B, T]) -> logits, and what the head pooled, a
    document's embedding, where it pools.

    The example has two rows and an odd length: the exporter takes a one for a constant.
    """
    ids = torch.from_numpy(encoder.random(np.random.default_rng(0), 2, 9))
    mask_BT = torch.ones(2, 9, dtype=torch.bool)
    mask_BT[1, 5:] = False
    axes = {0: Dim("batch"), 1: Dim("time")}
    embeds = hasattr(network.head, "pool")
    exported = WithEmbedding(network) if embeds else network
    architecture = sys.modules[type(network.encoder).__module__]
    translations = getattr(architecture, "onnx_translations", dict)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    # The exporter narrates each pass on stdout, which is not a place for that.
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            exported.eval(),
            (ids, mask_BT),
            dynamo=True,
            opset_version=OPSET,
            input_names=["ids", "mask"],
            output_names=[LOGITS, EMBEDDING] if embeds else [LOGITS],
            dynamic_shapes={"ids": axes, "mask": axes},
            external_data=False,
            custom_translation_table=translations(),
        )
    model: onnx.ModelProto = program.model_proto
    _forget_sources(model.graph)
    onnx.checker.check_model(model)
    return model


class WithEmbedding(nn.Module):
    """A network with a pooling head that also gives what it pooled."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.encoder, self.head = network.encoder, network.head

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        pooled_BD = self.head.pool(self.encoder(ids, mask), mask)
        return self.head.classify(pooled_BD), pooled_BD


def _forget_sources(graph: onnx.GraphProto) -> None:
    """Drop the stack traces that the exporter leaves in each node, with paths of this machine."""
    for node in graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in graph.value_info:
        del value.metadata_props[:]
