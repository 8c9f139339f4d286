"""Precisions of an exported network: fp32, fp16 for GPUs, int8 and int4 for CPUs.

Legend: V rows of a table, D columns.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from nlpkit.blocks import BLOCK, is_wide
from nlpkit.exporting.recurrent import stored_in_int8
from nlpkit.exporting.rows import in_rows
from nlpkit.exporting.sums import as_sums
from nlpkit.exporting.wide import in_blocks, rewritten
from nlpkit.heads.pooled import MaxPool

BYTES = {"fp32": 4, "fp16": 2}  # of a number
SIZES = {"int8": 1.0, "int4": 0.5 + 2 / BLOCK}  # bytes of a number of a wide matrix
SMALLEST_TABLE = 1 << 10  # elements; smaller tables stay float32, since int8 would save little


def estimate(network: nn.Module, precision: str) -> int:
    """Return the bytes that a network's numbers take in its exported file.

    The graph itself, about 10 kB, is not counted; the estimate is within 0.3% of the size of the
    bundled models' files.
    """
    numbers = sum(tensor.numel() for tensor in (*network.parameters(), *network.buffers()))
    if precision in ("fp32", "fp16"):
        return numbers * BYTES[precision]
    tables = [part.weight for part in network.modules() if isinstance(part, nn.Embedding)]
    wide = [part.weight for part in network.modules() if isinstance(part, nn.Linear)]
    wide = [weight for weight in wide if is_wide(weight.shape)]
    if precision == "int4":
        wide += [table for table in tables if is_wide(table.shape)]
        tables = _recurrent(network)
    tables = [table for table in tables if table.numel() >= SMALLEST_TABLE]
    in_rows = sum(table.numel() for table in tables)
    in_wide = sum(weight.numel() for weight in wide)
    outside = (numbers - in_rows - in_wide) * BYTES["fp32"]
    inside = in_rows + in_wide * SIZES[precision]
    pool = getattr(getattr(network, "head", None), "pool", None)
    if getattr(getattr(network, "encoder", None), "adds_rows", False) and isinstance(pool, MaxPool):
        return int(outside + inside)  # `sums` has one scale in all
    scale = BYTES["fp16" if precision == "int4" else "fp32"]
    return int(outside + inside) + scale * sum(map(len, tables))


def _recurrent(network: nn.Module) -> list[torch.Tensor]:
    """Return the matrices of the recurrent layers, which have a scale for each row like a table."""
    parts = (part for part in network.modules() if isinstance(part, nn.RNNBase))
    return [weight for part in parts for weight in part.parameters() if weight.ndim == 2]


def as_fp32(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model unchanged."""
    return model


def as_fp16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with float16 weights and arithmetic; inputs and outputs keep their types."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    # The exporter's value infos say float32 and would contradict the new types.
    del copy.graph.value_info[:]
    converted: onnx.ModelProto = convert_float_to_float16(copy, keep_io_types=True)
    return converted


def as_int8(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """Return the model with its tables and wide matrices in int8, or None where it has neither.

    Each row of a table has its own scale; where rows are only added and their maximum taken, all
    rows share one scale (`sums`). Wide matrices have a scale for each column, and the activations
    that they multiply one for each row (`rows`); tables beside them are in blocks (`wide`).

    Other activations stay float32: ConvInteger is slower than float32.
    """
    if summed := as_sums(model):
        return summed
    if wide := in_rows(model):
        return in_blocks(wide, 8, ["Gather"]) or wide
    return _with_int8_tables(model)


def as_int4(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """Return the model with wide matrices and tables in blocks of 4 bits, or None without them.

    The matrices of its recurrent layers are in int8 (`recurrent`).
    """
    blocks = in_blocks(model, 4)
    return blocks and stored_in_int8(blocks)


def as_written(model: onnx.ModelProto, bits: int) -> onnx.ModelProto | None:
    """Return a graph of a network that writes, with its matrices and tables in blocks.

    Small matrices too: a step of one token reads each weight once, so that its time is that of the
    memory. The matrices of recurrent layers are in int8.
    """
    blocks = in_blocks(model, bits, least=SMALLEST_TABLE)
    recurrent = stored_in_int8(blocks or model)
    return recurrent if blocks or recurrent.graph != model.graph else None


def _with_int8_tables(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """Return the model with its embedding tables in int8, or None where it has no large table."""
    tables = {
        tensor.name: tensor
        for tensor in model.graph.initializer
        if tensor.data_type == TensorProto.FLOAT
        and len(tensor.dims) == 2
        and tensor.dims[0] * tensor.dims[1] >= SMALLEST_TABLE
    }
    gathered = {
        name
        for name in tables
        if all(
            node.op_type == "Gather" and node.input[0] == name and not _axis(node)
            for node in model.graph.node
            if name in node.input
        )
    }
    if not gathered:
        return None
    nodes = []
    for node in model.graph.node:
        table = node.input[0] if node.op_type == "Gather" else ""
        nodes += _dequantised(node, table) if table in gathered else [node]
    quantised = [
        tensor
        for name in sorted(gathered)
        for tensor in _quantised(name, numpy_helper.to_array(tables[name]))
    ]
    copy = rewritten(model, nodes, gathered, quantised)
    onnx.checker.check_model(copy)
    return copy


def _axis(node: onnx.NodeProto) -> int:
    return next((int(a.i) for a in node.attribute if a.name == "axis"), 0)


def _quantised(name: str, table_VD: np.ndarray) -> list[TensorProto]:
    """Return the int8 rows and their scales; symmetric, so that the padding row stays zero."""
    scale_V1 = np.maximum(np.abs(table_VD).max(axis=1, keepdims=True), 1e-12) / 127
    rows_VD = np.rint(table_VD / scale_V1).astype(np.int8)
    return [
        numpy_helper.from_array(rows_VD, f"{name}_int8"),
        numpy_helper.from_array(scale_V1.astype(np.float32), f"{name}_scale"),
    ]


def _dequantised(node: onnx.NodeProto, table: str) -> list[onnx.NodeProto]:
    """Return the nodes of Cast(Gather(int8, ids)) * Gather(scale, ids) for Gather(table, ids)."""
    ids, out = node.input[1], node.output[0]
    return [
        helper.make_node("Gather", [f"{table}_int8", ids], [f"{out}_int8"]),
        helper.make_node("Cast", [f"{out}_int8"], [f"{out}_cast"], to=TensorProto.FLOAT),
        helper.make_node("Gather", [f"{table}_scale", ids], [f"{out}_scale"]),
        helper.make_node("Mul", [f"{out}_cast", f"{out}_scale"], [out]),
    ]


PRECISIONS: dict[str, Callable[[onnx.ModelProto], onnx.ModelProto | None]] = {
    "fp32": as_fp32,
    "int8": as_int8,
    "int4": as_int4,
    "fp16": as_fp16,
}
# Those of networks that write.
WRITTEN = PRECISIONS | {"int8": partial(as_written, bits=8), "int4": partial(as_written, bits=4)}
