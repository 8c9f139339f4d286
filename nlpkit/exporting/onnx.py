"""Conversion of a network's graphs to ONNX with free batch and time axes.

Legend: B batch, T time.
"""

from __future__ import annotations

import inspect
import io
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch.export import Dim

from nlpkit.blocks import TRANSPOSED
from nlpkit.heads.graph import Arrays, Graph
from nlpkit.runtime.graphs import IDS, MASK, Signature
from nlpkit.text import Tokenizer
from nlpkit.training.network import Network, TorchRun

OPSET = 20  # 23 and 24 export an Attention operator that ONNX Runtime rejects with a boolean mask


@dataclass(frozen=True)
class Exported:
    """One graph as ONNX, with the exported axes of its inputs and outputs."""

    model: onnx.ModelProto
    signature: Signature


def to_onnx(network: Network, tokenizer: Tokenizer) -> dict[str, Exported]:
    """Return every graph of a network as ONNX, by name.

    The example input is [2, 9], since the exporter treats an axis of length 1 as a constant.
    """
    ids = tokenizer.random(np.random.default_rng(0), 2, 9)
    mask_BT = np.ones((2, 9), dtype=bool)
    mask_BT[1, 5:] = False
    run, exported = TorchRun(network), {}
    for name, graph, feeds in walked(run, {IDS: ids, MASK: mask_BT}, np.random.default_rng(0)):
        exported[name] = _exported(graph, feeds, network)
    return exported


def walked(
    run: TorchRun, first: Arrays, rng: np.random.Generator
) -> Iterator[tuple[str, Graph, dict[str, np.ndarray]]]:
    """Yield (name, graph, feeds) of each graph; later feeds depend on the outputs of earlier ones.

    `first` holds ids_BT and mask_BT, the feeds of graphs that have no `example`.
    """
    known = dict(first)
    for name, graph in run.graphs.items():
        feeds = dict(first) if graph.example is None else graph.example(rng, known)
        yield name, graph, feeds
        known |= feeds | run(name, feeds, tuple(graph.signature.outputs))


def _exported(graph: Graph, feeds: Arrays, network: Network) -> Exported:
    inputs = {
        name: (
            *axes,
            *feeds[name].shape[len(axes) :],
        )  # plus the axis of ids where tokens have many
        for name, axes in graph.signature.inputs.items()
    }
    signature = graph.signature._replace(inputs=inputs)
    sizes = {axis: Dim(axis) for axes in inputs.values() for axis in axes if isinstance(axis, str)}
    dynamic = [
        {index: sizes[axis] for index, axis in enumerate(axes) if isinstance(axis, str)}
        for axes in inputs.values()
    ]
    # The exporter reports each pass on stdout, which is for data only.
    with _quiet(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        program = torch.onnx.export(
            graph.module.eval(),
            tuple(torch.from_numpy(feeds[name]) for name in inputs),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=list(signature.outputs),
            dynamic_shapes=_nested(dynamic, graph.module),
            external_data=False,
            custom_translation_table=_translations(network),
        )
    model: onnx.ModelProto = program.model_proto
    _forget_sources(model.graph)
    _name_transposed(model.graph, graph.module)
    onnx.checker.check_model(model)
    return Exported(model, signature)


def _nested(dynamic: list[dict[int, Dim]], module: torch.nn.Module) -> tuple[object, ...]:
    """Return the dynamic axes of a module's inputs; those of its `*arrays` are one tuple."""
    parameters = inspect.signature(module.forward).parameters.values()
    named = [each for each in parameters if each.kind is not inspect.Parameter.VAR_POSITIONAL]
    if len(named) == len(parameters):
        return tuple(dynamic)
    return (*dynamic[: len(named)], tuple(dynamic[len(named) :]))


def _translations(network: Network) -> dict[object, object]:
    """Return the `onnx_translations` of all Python modules that define parts of the network."""
    modules = {type(part).__module__ for part in network.modules()}
    translations: dict[object, object] = {}
    for name in sorted(modules):
        translations |= getattr(sys.modules[name], "onnx_translations", dict)()
    return translations


@contextmanager
def _quiet() -> Iterator[None]:
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def _name_transposed(graph: onnx.GraphProto, module: torch.nn.Module) -> None:
    """Rename matrices that the exporter transposed and named anew to NAME + TRANSPOSED.

    `nlpkit train --init` finds a bundle's weights by these names.
    """
    stored = {tensor.name for tensor in graph.initializer}
    missing = {
        (*weight.shape[::-1], weight.detach().T.numpy().tobytes()): name
        for name, weight in module.named_parameters()
        if name not in stored and weight.ndim == 2
    }
    renamed = {}
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor) if len(tensor.dims) == 2 else None
        if array is not None and (name := missing.get((*array.shape, array.tobytes()))):
            renamed[tensor.name] = tensor.name = f"{name}{TRANSPOSED}"
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = renamed.get(name, name)


def _forget_sources(graph: onnx.GraphProto) -> None:
    """Remove the stack traces that the exporter stores in each node, with this machine's paths."""
    for node in graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in graph.value_info:
        del value.metadata_props[:]
