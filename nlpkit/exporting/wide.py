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
    model: onnx.ModelProto, bits: int, kinds: Sequence[str] = KINDS
) -> onnx.ModelProto | None:
    """Return the model with its wide matrices (MatMul) and tables (Gather) in `bits`.

    A matrix that 4 bits hold exactly takes 4 bits in any case, such as one that was imported in 4
    bits and not trained. Return None if there is nothing to quantise.
    """
    arrays = {tensor.name: tensor for tensor in model.graph.initializer}
    replaced: dict[str, list[TensorProto]] = {}
    used: dict[str, int] = {}  # bits of each matrix
    nodes = []
    for node in model.graph.node:
        name = quantisable(node, arrays, model) if node.op_type in kinds else None
        if name is None:
            nodes.append(node)
            continue
        is_table = node.op_type == "Gather"
        if name not in replaced:
            matrix = numpy_helper.to_array(arrays[name])
            used[name], replaced[name] = _stored(
                name, matrix if is_table else matrix.T, bits, is_table
            )
            stored, scales = f"{name}_{STORED}", f"{name}_{READ}"
            nodes.append(helper.make_node("Cast", [stored], [scales], to=TensorProto.FLOAT))
        nodes.append(_reading(node, name, arrays[name].dims, used[name]))
    if not replaced:
        return None
    tensors = [tensor for each in replaced.values() for tensor in each]
    copy = rewritten(model, nodes, replaced.keys(), tensors)
    copy.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    return copy


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
    node: NodeProto, arrays: dict[str, TensorProto], model: onnx.ModelProto
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
    return name if is_read_alike and is_wide(dims) else None


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


def _reading(node: NodeProto, name: str, dims: list[int], bits: int) -> NodeProto:
    """Return the node that reads the quantised matrix."""
    if node.op_type == "Gather":
        return helper.make_node(
            "GatherBlockQuantized",
            [f"{name}_q{bits}", node.input[1], f"{name}_{READ}"],
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
