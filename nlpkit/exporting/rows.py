"""Rewrite a graph so that its wide matrices are multiplied in int8.

Each row of activations has its own scale, so that its result does not depend on the other rows of
its batch, and each column of the matrix has one. ONNX Runtime's `MatMulInteger` sums the products
exactly. Dynamic quantisation (`DynamicQuantizeMatMul`) has one scale for a whole batch instead.

A matrix that 4 bits hold exactly, such as one that was imported in 4 bits and not trained, is
stored in blocks of 4 bits (`nlpkit.blocks`): ONNX Runtime computes its int8 columns when it loads.

Legend: N outputs, K inputs, S blocks of K.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from nlpkit.blocks import BLOCK, exact, packed
from nlpkit.exporting.wide import quantisable, rewritten

# Limit for |a| + |b| of two neighbouring codes of a column, before they are rounded. AVX2 adds the
# two products in 16 bits: 255 * 128 fits, so that every processor computes the same.
LARGEST = 127
ZERO = 128  # the code of an activation of 0, in uint8
OPSET, IR_VERSION = 21, 10  # the first with numbers of 4 bits
TINY = 1e-12  # least scale
CONSTANTS = {
    "rows_last": np.array([-1]),
    "rows_outputs": np.array([1]),
    "rows_tiny": np.float32(TINY),
    "rows_step": np.float32(1 / (ZERO - 1)),
    "rows_zero": np.uint8(ZERO),
    "rows_middle": np.float32(8),  # the code of a weight of 0, in 4 bits
    "rows_column_step": np.float32(1 / LARGEST),
}


def in_rows(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """Return the model with its wide matrices in int8, or None if there are none."""
    arrays = {tensor.name: tensor for tensor in model.graph.initializer}
    tensors = {name: numpy_helper.from_array(np.array(v), name) for name, v in CONSTANTS.items()}
    replaced: set[str] = set()
    coded: set[str] = set()  # activations with codes
    nodes: list[NodeProto] = []
    for node in model.graph.node:
        name = quantisable(node, arrays, model) if node.op_type == "MatMul" else None
        if name is None:
            nodes.append(node)
            continue
        inputs = node.input[0]
        if name not in replaced:
            replaced.add(name)
            stored, reading = _stored(name, numpy_helper.to_array(arrays[name]))
            tensors |= {tensor.name: tensor for tensor in stored}
            nodes += reading
        if inputs not in coded:
            coded.add(inputs)
            width = arrays[name].dims[0]
            tensors[f"rows_{width}"] = numpy_helper.from_array(
                np.array([-1, width]), f"rows_{width}"
            )
            nodes += _coding(inputs, f"rows_{width}")
        nodes += _multiplying(inputs, name, node.output[0])
    if not replaced:
        return None
    read = {name for node in nodes for name in node.input}
    used = [tensor for name, tensor in tensors.items() if name in read]
    copy = rewritten(model, nodes, replaced, used)
    copy.ir_version = max(copy.ir_version, IR_VERSION)
    for domain in copy.opset_import:
        if not domain.domain:
            domain.version = max(domain.version, OPSET)
    return copy


def _stored(name: str, matrix_KN: np.ndarray) -> tuple[list[TensorProto], list[NodeProto]]:
    """Return the tensors of a matrix, and the nodes that make NAME_int8 and NAME_scale of them."""
    blocks = exact(np.ascontiguousarray(matrix_KN.T))
    if blocks is None:
        pairs_N = np.abs(matrix_KN).reshape(-1, 2, matrix_KN.shape[1]).sum(axis=1).max(axis=0)
        scale_N = np.maximum(pairs_N, TINY) / LARGEST
        codes_KN = np.rint(matrix_KN / scale_N).astype(np.int8)
        return [
            numpy_helper.from_array(codes_KN, f"{name}_int8"),
            numpy_helper.from_array(scale_N.astype(np.float32), f"{name}_scale"),
        ], []
    outputs, inputs = blocks.codes_NK.shape
    codes = TensorProto(name=f"{name}_q4", data_type=TensorProto.UINT4)
    codes.dims.extend([outputs, inputs // BLOCK, BLOCK])
    codes.raw_data = packed(blocks.codes_NK, 4).tobytes()
    constants = {
        f"{name}_scales": blocks.scales_NS[:, :, None].astype(np.float16),
        f"{name}_shape": np.array([outputs, inputs]),
        f"{name}_pairs_shape": np.array([outputs, inputs // 2, 2]),
    }
    tensors = [numpy_helper.from_array(array, key) for key, array in constants.items()]
    return [codes, *tensors], list(_widening(name))


def _widening(name: str) -> Iterator[NodeProto]:
    """Yield the nodes that widen 4 bits to int8; their inputs are constant, so they run once."""
    chain = [
        ("Cast", [f"{name}_q4"], "codes", {"to": TensorProto.FLOAT}),
        ("Sub", ["codes", "rows_middle"], "centred", {}),
        ("Cast", [f"{name}_scales"], "steps", {"to": TensorProto.FLOAT}),
        ("Mul", ["centred", "steps"], "blocks", {}),
        ("Reshape", ["blocks", f"{name}_shape"], "matrix", {}),
        ("Abs", ["matrix"], "sizes", {}),
        ("Reshape", ["sizes", f"{name}_pairs_shape"], "pairs", {}),
        ("ReduceSum", ["pairs", "rows_last"], "sums", {"keepdims": 0}),
        ("ReduceMax", ["sums", "rows_outputs"], "largest", {"keepdims": 1}),
        ("Max", ["largest", "rows_tiny"], "bounded", {}),
        ("Mul", ["bounded", "rows_column_step"], "column", {}),
        ("Div", ["matrix", "column"], "divided", {}),
        ("Round", ["divided"], "rounded", {}),
        ("Cast", ["rounded"], "narrow", {"to": TensorProto.INT8}),
        ("Transpose", ["narrow"], "int8", {"perm": [1, 0]}),
        ("Reshape", ["column", "rows_last"], "scale", {}),
    ]
    made = {output for _, _, output, _ in chain}
    for kind, inputs, output, attributes in chain:
        full = [f"{name}_{each}" if each in made else each for each in inputs]
        yield helper.make_node(kind, full, [f"{name}_{output}"], **attributes)


def _coding(inputs: str, flat: str) -> Iterator[NodeProto]:
    """Yield the nodes that code activations in uint8: INPUTS_codes, and the scale of each row."""

    def of(name: str) -> str:
        return f"{inputs}_{name}"

    yield helper.make_node("ReduceMax", [inputs, "rows_last"], [of("most")], keepdims=1)
    yield helper.make_node("ReduceMin", [inputs, "rows_last"], [of("least")], keepdims=1)
    yield helper.make_node("Neg", [of("least")], [of("below")])
    yield helper.make_node("Max", [of("most"), of("below"), "rows_tiny"], [of("largest")])
    yield helper.make_node("Mul", [of("largest"), "rows_step"], [of("scale")])
    yield helper.make_node("Reshape", [of("scale"), "rows_last"], [of("scales")])
    yield helper.make_node("Shape", [of("scales")], [of("count")])
    zero = numpy_helper.from_array(np.array([ZERO], np.uint8), "value")
    yield helper.make_node("ConstantOfShape", [of("count")], [of("zeros")], value=zero)
    yield helper.make_node("Reshape", [inputs, flat], [of("flat")])
    coded = [of("flat"), of("scales"), of("zeros")]
    yield helper.make_node("QuantizeLinear", coded, [of("flat_codes")], axis=0)
    yield helper.make_node("Shape", [inputs], [of("shape")])
    yield helper.make_node("Reshape", [of("flat_codes"), of("shape")], [of("codes")])


def _multiplying(inputs: str, name: str, output: str) -> Iterator[NodeProto]:
    """Yield the nodes that multiply coded activations by a matrix in int8."""
    factors = [f"{inputs}_codes", f"{name}_int8", "rows_zero"]
    yield helper.make_node("MatMulInteger", factors, [f"{output}_sums"])
    yield helper.make_node("Cast", [f"{output}_sums"], [f"{output}_cast"], to=TensorProto.FLOAT)
    yield helper.make_node("Mul", [f"{output}_cast", f"{inputs}_scale"], [f"{output}_rows"])
    yield helper.make_node("Mul", [f"{output}_rows", f"{name}_scale"], [output])
