"""Int8 for networks that look rows up, add them, and take the largest over time.

max over t of relu(sum of rows + bias), padding masked, is relu(scale * max of sums of int8 rows +
bias) where all tables have one scale: scale, bias and relu are monotone, so they can wait until one
row a document is left. For padding the row behind the last is looked up, the lowest there can be,
so that nothing is masked. Sums of small whole numbers are exact in float32, in any order. The
bundled n-grams take half the time that they take with a scale for each row.

Legend: V rows of a table, D columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

LOWEST = -127
ROUGHEST = 0.1  # a step, beside the largest number of a usual row


@dataclass(frozen=True)
class Sums:
    """The part of a graph that does this; nodes go by the name of their output."""

    last: str  # ReduceMax over time
    gone: set[str]  # what masks, rectifies and adds the bias
    lookups: set[str]
    tables: set[str]
    sums: str
    bias: str
    mask: str


def as_sums(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """Return the model in this form; None where it is none, or one scale would be too rough."""
    found = _found(model.graph)
    if found is None or not _looks_up_int64(model, found):
        return None
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    tables = {
        item.name: numpy_helper.to_array(item)
        for item in model.graph.initializer
        if item.name in found.tables
    }
    scale = np.float32(max(np.abs(table_VD).max() for table_VD in tables.values()) / -LOWEST)
    usual = max(np.median(np.abs(table_VD).max(axis=1)) for table_VD in tables.values())
    if not 0 < scale < ROUGHEST * usual:  # one huge row would make all the others rough
        return None
    nodes = [new for node in copy.graph.node for new in _rewritten(node, found)]
    used = {name for node in nodes for name in node.input}
    kept = [item for item in copy.graph.initializer if item.name in used]
    kept += [_rows(name, table_VD, scale) for name, table_VD in tables.items()]
    kept += [numpy_helper.from_array(np.int64(len(t)), f"{n}_none") for n, t in tables.items()]
    kept.append(numpy_helper.from_array(scale, "sums_scale"))
    del copy.graph.node[:], copy.graph.initializer[:], copy.graph.value_info[:]
    copy.graph.node.extend(nodes)
    copy.graph.initializer.extend(kept)
    try:
        onnx.checker.check_model(copy)
    except onnx.checker.ValidationError:  # a mask that is made after the lookups
        return None
    return copy


def _looks_up_int64(model: onnx.ModelProto, found: Sums) -> bool:
    """Tell whether ids are int64, as the row for padding is."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    types = {value.name: value.type.tensor_type.elem_type for value in graph.value_info}
    types |= {value.name: value.type.tensor_type.elem_type for value in graph.input}
    ids = [node.input[1] for node in graph.node if node.output[0] in found.lookups]
    return all(types.get(name) == TensorProto.INT64 for name in ids)


def _rewritten(node: NodeProto, found: Sums) -> Iterator[NodeProto]:
    """Yield what stands for a node: its like, others, or nothing."""
    name = node.output[0]
    if name == found.last:
        yield helper.make_node(
            "ReduceMax", [found.sums, node.input[1]], [f"{name}_sums"], keepdims=_keeps(node)
        )
        yield helper.make_node("Mul", [f"{name}_sums", "sums_scale"], [f"{name}_scaled"])
        yield helper.make_node("Add", [f"{name}_scaled", found.bias], [f"{name}_biased"])
        yield helper.make_node("Relu", [f"{name}_biased"], [name])
    elif name in found.lookups:
        table, ids = node.input
        yield helper.make_node("Where", [found.mask, ids, f"{table}_none"], [f"{name}_ids"])
        yield helper.make_node("Gather", [f"{table}_int8", f"{name}_ids"], [f"{name}_int8"])
        yield helper.make_node("Cast", [f"{name}_int8"], [name], to=TensorProto.FLOAT)
    elif name not in found.gone:
        yield node


def _rows(name: str, table_VD: np.ndarray, scale: np.float32) -> TensorProto:
    """Return the int8 rows, and one more than there were for padding."""
    rows_VD = np.rint(table_VD / scale).clip(LOWEST, -LOWEST).astype(np.int8)
    none_1D = np.full((1, table_VD.shape[1]), LOWEST, dtype=np.int8)
    return numpy_helper.from_array(np.concatenate([rows_VD, none_1D]), f"{name}_int8")


def _keeps(node: NodeProto) -> int:
    return next((int(a.i) for a in node.attribute if a.name == "keepdims"), 1)


def _found(graph: GraphProto) -> Sums | None:
    """Look for ReduceMax(Where(Not(Unsqueeze(mask)), -inf, Relu(sums + bias)))."""
    made = {node.output[0]: node for node in graph.node}
    uses = Counter(name for node in graph.node for name in node.input)
    arrays = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    for last in graph.node:
        where = _of(made, "Where", last, 0) if last.op_type == "ReduceMax" else None
        hidden = _of(made, "Not", where, 0)
        unsqueeze = _of(made, "Unsqueeze", hidden, 0)
        relu = _of(made, "Relu", where, 2)
        biased = _of(made, "Add", relu, 0)
        if not (where and hidden and unsqueeze and relu and biased):
            continue
        bias = next((name for name in biased.input if arrays.get(name, np.zeros(())).ndim == 1), "")
        sums = next((name for name in biased.input if name != bias), "")
        lookups = list(_lookups(sums, made, uses, arrays))
        once = all(uses[node.output[0]] == 1 for node in (where, hidden, relu, biased))
        over_time = len(last.input) > 1 and arrays.get(last.input[1], np.zeros(1)).tolist() == [1]
        lowest = arrays.get(where.input[1], np.zeros(())).max() == -np.inf
        if bias and once and over_time and lowest and lookups and None not in lookups:
            gone = {node.output[0] for node in (where, hidden, relu, biased)}
            gone |= {unsqueeze.output[0]} if uses[unsqueeze.output[0]] == 1 else set()
            names = {node.output[0] for node in lookups if node}
            tables = {node.input[0] for node in lookups if node}
            if all(
                uses[table] == sum(t.input[0] == table for t in lookups if t) for table in tables
            ):
                return Sums(last.output[0], gone, names, tables, sums, bias, unsqueeze.input[0])
    return None


def _of(
    made: dict[str, NodeProto], kind: str, node: NodeProto | None, place: int
) -> NodeProto | None:
    """Return the node that makes an input of a node, if it is of that kind."""
    found = made.get(node.input[place]) if node else None
    return found if found is not None and found.op_type == kind else None


def _lookups(
    name: str, made: dict[str, NodeProto], uses: Counter[str], arrays: dict[str, np.ndarray]
) -> Iterator[NodeProto | None]:
    """Yield the lookups that are added up; None for anything else in the sum."""
    node = made.get(name)
    if node is None or uses[name] != 1:
        yield None
    elif node.op_type == "Add":
        for part in node.input:
            yield from _lookups(part, made, uses, arrays)
    else:
        table = arrays.get(node.input[0]) if node.op_type == "Gather" else None
        whole = table is not None and table.ndim == 2 and not any(a.i for a in node.attribute)
        yield node if whole else None
