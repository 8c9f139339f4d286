"""Widen a graph for CUDA, where ONNX Runtime has no kernel for matrices in int8 by row.

`MatMulInteger` with activations in uint8 (`exporting/rows.py`) would run on the CPU, with a copy of
the activations there and back for each matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx

SUMS = "MatMulInteger"


def for_cuda(path: Path) -> bytes | str:
    """Return the path of an ONNX file, or its content with all matrices in float32.

    Without the package onnx, which the extra `cuda` installs, the file is loaded as it is.
    """
    content = path.read_bytes()
    if SUMS.encode() not in content:
        return str(path)
    try:
        import onnx
    except ImportError:
        return str(path)
    model = onnx.load_model_from_string(content)
    nodes = list(_needed([*_widened(model.graph)], {item.name for item in model.graph.output}))
    del model.graph.node[:]
    model.graph.node.extend(reversed(nodes))
    read = {name for node in nodes for name in node.input}
    arrays = [array for array in model.graph.initializer if array.name in read]
    del model.graph.initializer[:]
    model.graph.initializer.extend(arrays)
    return bytes(model.SerializeToString())


def _widened(graph: onnx.GraphProto) -> Iterator[Any]:
    """Yield the nodes of a graph, with each product of codes replaced by one of float32."""
    from onnx import TensorProto, helper

    readers = {name: node for node in graph.node for name in node.input}
    widened = set()
    last = {}  # the output that ends a product: its factors
    for node in graph.node:
        if node.op_type == SUMS:
            codes, matrix, _ = node.input
            end = node
            for _ in ("Cast", "Mul by the scales of rows", "Mul by the scale of columns"):
                end = readers[end.output[0]]
            last[end.output[0]] = codes.removesuffix("_codes"), matrix, end.input[1]
    for node in graph.node:
        if node.output[0] not in last:
            yield node
            continue
        inputs, matrix, scale = last[node.output[0]]
        wide = f"{matrix}_wide"
        if wide not in widened:
            widened.add(wide)
            yield helper.make_node("Cast", [matrix], [f"{wide}_codes"], to=TensorProto.FLOAT)
            yield helper.make_node("Mul", [f"{wide}_codes", scale], [wide])
        yield helper.make_node("MatMul", [inputs, wide], [node.output[0]])


def _needed(nodes: list[Any], wanted: set[str]) -> Iterator[Any]:
    """Yield, from the last to the first, the nodes that the outputs depend on."""
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            yield node
