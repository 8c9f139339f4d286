"""Store the matrices of recurrent layers in int8, for a smaller file.

ONNX's LSTM and RNN compute in float32. The file holds a code for each weight and a scale for each
row, in float16; ONNX Runtime multiplies them once, when it loads, so that the speed is the same.

Legend: N rows, K columns.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from nlpkit.exporting.wide import rewritten

KINDS = ("LSTM", "RNN", "GRU")
MATRICES = slice(1, 3)  # of a node's inputs: that of the layer's input, that of its state
LARGEST = 127


def stored_in_int8(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with the matrices of its recurrent layers in int8, by row."""
    arrays = {tensor.name: tensor for tensor in model.graph.initializer}
    names = sorted(_matrices(model.graph, arrays))
    nodes, tensors = [], []
    for name in names:
        matrix_NK = numpy_helper.to_array(arrays[name])
        scale_N1 = np.abs(matrix_NK).max(axis=1, keepdims=True) / LARGEST
        scale_N1 = np.maximum(scale_N1, np.finfo(np.float16).tiny).astype(np.float16)
        codes_NK = np.rint(matrix_NK / scale_N1).clip(-LARGEST, LARGEST).astype(np.int8)
        tensors += [
            numpy_helper.from_array(codes_NK, f"{name}_int8"),
            numpy_helper.from_array(scale_N1, f"{name}_scale"),
        ]
        for part in ("int8", "scale"):
            nodes.append(
                helper.make_node(
                    "Cast", [f"{name}_{part}"], [f"{name}_wide_{part}"], to=TensorProto.FLOAT
                )
            )
        nodes.append(helper.make_node("Mul", [f"{name}_wide_int8", f"{name}_wide_scale"], [name]))
    return rewritten(model, [*nodes, *model.graph.node], names, tensors)


def _matrices(graph: onnx.GraphProto, arrays: dict[str, TensorProto]) -> set[str]:
    """Return the names of the matrices that recurrent layers read, as a whole or gate by gate."""
    makers = {name: node for node in graph.node for name in node.output}
    found: set[str] = set()
    unread = [name for node in graph.node if node.op_type in KINDS for name in node.input[MATRICES]]
    while unread:
        name = unread.pop()
        if name in makers:
            unread += makers[name].input
        elif name in arrays and len(arrays[name].dims) == 2:
            found.add(name)
    return found
