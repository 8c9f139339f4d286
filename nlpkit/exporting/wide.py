"""Rewrite a graph so that its wide matrices and tables are read in blocks (`nlpkit.blocks`).

ONNX Runtime's `MatMulNBits` multiplies by such a matrix with activations in int8 (accuracy level
4), scaled for each block of a row, so that a row's result does not depend on the other rows of its
batch. `GatherBlockQuantized` looks up rows of such a table. Both want scales in float32; the file
holds them in float16 and ONNX Runtime casts them once, when it loads.

Legend: N rows, K columns.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from nlpkit.blocks import BLOCK, exact, is_wide, packed, quantised

KINDS = ("MatMul", "Gather")
DOMAIN = "com.microsoft"
INT8_ACTIVATIONS = 4  # the accuracy level
STORED, READ = "scales", "wide_scales"  # suffixes of a matrix's scales in float16 and float32


def in_blocks(
    model: onnx.ModelProto, bits: int, kinds: Sequence[str] = KINDS, least: int | None = None
) -> onnx.ModelProto | None:
    """Return the model with its wide matrices (MatMul) and tables (Gather) in `bits`.

    Matrices with fewer elements than `least` stay as they are; None is the usual number. A matrix
    that 4 bits hold exactly takes 4 bits in any case, such as one that was imported in 4 bits and
    not trained. An embedding that is the output layer too is stored once. Return None if there is
    nothing to quantise.
    """
    arrays = {tensor.name: tensor for tensor in model.graph.initializer}
    tied = _tied(model, arrays, least)
    replaced: dict[str, list[TensorProto]] = {}
    used: dict[str, int] = {}  # bits of each matrix
    nodes = []
    for node in model.graph.node:
        if node.op_type == "Transpose" and node.output[0] in tied:
            continue
        name = _read_by(node, tied) or (
            quantisable(node, arrays, model, least) if node.op_type in kinds else None
        )
        if name is None:
            nodes.append(node)
            continue
        shared = name in tied.values()
        is_table = node.op_type == "Gather"
        as_rows = is_table or shared  # a table has its outputs as rows
        if name not in replaced:
            matrix = numpy_helper.to_array(arrays[name])
            used[name], replaced[name] = _stored(
                name, matrix if as_rows else matrix.T, bits, is_table and not shared
            )
            stored, scales = f"{name}_{STORED}", f"{name}_{READ}"
            nodes.append(helper.make_node("Cast", [stored], [scales], to=TensorProto.FLOAT))
            if shared:
                replaced[name] += _shapes(name, len(matrix))
                nodes += _as_table(name, used[name])
        dims = list(arrays[name].dims)
        nodes.append(_reading(node, name, dims[::-1] if as_rows else dims, used[name], shared))
    if not replaced:
        return None
    tensors = [tensor for each in replaced.values() for tensor in each]
    copy = rewritten(model, nodes, replaced.keys(), tensors)
    copy.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    return copy


def _tied(
    model: onnx.ModelProto, arrays: dict[str, TensorProto], least: int | None
) -> dict[str, str]:
    """Return transposed name -> table, of tables that are looked up and multiplied by."""
    found = {}
    for node in model.graph.node:
        table = node.input[0] if node.op_type == "Transpose" else ""
        if table not in arrays or not is_wide(arrays[table].dims, least):
            continue
        of_table = {user.op_type for user in model.graph.node if table in user.input}
        of_transposed = {user.op_type for user in model.graph.node if node.output[0] in user.input}
        if of_table == {"Transpose", "Gather"} and of_transposed == {"MatMul"}:
            found[node.output[0]] = table
    return found


def _read_by(node: NodeProto, tied: dict[str, str]) -> str | None:
    """Return the tied table that a node looks up or multiplies by, or None."""
    if node.op_type == "Gather" and node.input[0] in tied.values():
        return str(node.input[0])
    return tied.get(node.input[1]) if node.op_type == "MatMul" else None


def _shapes(name: str, rows: int) -> list[TensorProto]:
    return [numpy_helper.from_array(np.array([rows, -1]), f"{name}_table_shape")]


def _as_table(name: str, bits: int) -> list[NodeProto]:
    """Return the nodes that read a stored matrix as a table; ONNX Runtime runs them once."""
    parts = ((f"{name}_q{bits}", f"{name}_table"), (f"{name}_{READ}", f"{name}_table_{READ}"))
    return [
        helper.make_node("Reshape", [stored, f"{name}_table_shape"], [table])
        for stored, table in parts
    ]


def rewritten(
    model: onnx.ModelProto,
    nodes: Iterable[NodeProto],
    replaced: Container[str],
    tensors: Iterable[TensorProto],
) -> onnx.ModelProto:
    """Return a copy of the model with these nodes, and `tensors` in place of those `replaced`."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    # The exporter's value infos describe values that may be gone.
    del copy.graph.node[:], copy.graph.initializer[:], copy.graph.value_info[:]
    copy.graph.node.extend(nodes)
    copy.graph.initializer.extend(t for t in model.graph.initializer if t.name not in replaced)
    copy.graph.initializer.extend(tensors)
    return copy


def quantisable(
    node: NodeProto,
    arrays: dict[str, TensorProto],
    model: onnx.ModelProto,
    least: int | None = None,
) -> str | None:
    """Return the name of the matrix that a node reads, if it can be quantised."""
    place = 1 if node.op_type == "MatMul" else 0  # of the matrix among the inputs
    name = node.input[place]
    if any(attribute.name == "axis" and attribute.i for attribute in node.attribute):
        return None  # a Gather of columns
    if name not in arrays or arrays[name].data_type != TensorProto.FLOAT:
        return None
    dims = arrays[name].dims if node.op_type == "Gather" else arrays[name].dims[::-1]
    users = {
        (user.op_type, at)
        for user in model.graph.node
        for at, each in enumerate(user.input)
        if each == name
    }
    is_read_alike = users == {(node.op_type, place)}
    return name if is_read_alike and is_wide(dims, least) else None


def _stored(
    name: str, matrix_NK: np.ndarray, bits: int, is_table: bool
) -> tuple[int, list[TensorProto]]:
    """Return the bits that are used, and the tensors NAME_qBITS and NAME_scales."""
    blocks = exact(matrix_NK)
    bits = bits if blocks is None else 4
    blocks = blocks or quantised(matrix_NK, bits)
    codes = packed(blocks.codes_NK, bits)
    scales = blocks.scales_NS.astype(np.float16)
    if not is_table:
        codes = codes.reshape(len(codes), matrix_NK.shape[1] // BLOCK, -1)
        scales = scales.reshape(-1)
    return bits, [
        numpy_helper.from_array(np.ascontiguousarray(codes), f"{name}_q{bits}"),
        numpy_helper.from_array(np.ascontiguousarray(scales), f"{name}_{STORED}"),
    ]


def _reading(node: NodeProto, name: str, dims: list[int], bits: int, shared: bool) -> NodeProto:
    """Return the node that reads the quantised matrix of K inputs and N outputs, `dims`."""
    if node.op_type == "Gather":
        codes, scales = f"{name}_q{bits}", f"{name}_{READ}"
        if shared:
            codes, scales = f"{name}_table", f"{name}_table_{READ}"
        return helper.make_node(
            "GatherBlockQuantized",
            [codes, node.input[1], scales],
            list(node.output),
            domain=DOMAIN,
            bits=bits,
            block_size=BLOCK,
            gather_axis=0,
            quantize_axis=1,
        )
    return helper.make_node(
        "MatMulNBits",
        [node.input[0], f"{name}_q{bits}", f"{name}_{READ}"],
        list(node.output),
        domain=DOMAIN,
        K=dims[0],
        N=dims[1],
        bits=bits,
        block_size=BLOCK,
        accuracy_level=INT8_ACTIVATIONS,
    )
