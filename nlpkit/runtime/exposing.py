"""Give the attention weights of an ONNX graph as outputs, without the package onnx.

The weights are the results of the graph's Softmax nodes, in the order of the network. They are no
outputs of the stored file, where they would cost time in every run. A protocol buffer may be
continued: bytes of a second message after the first add to its repeated fields. So a few bytes
after the file's content add the outputs (protobuf.dev/programming-guides/encoding, "last one wins
and merging"; the fields' numbers are those of onnx.proto).
"""

from __future__ import annotations

from collections.abc import Iterator

ATTENTION = "attention"  # the outputs are attention_0, attention_1, ...
GRAPH = 7  # of a model
NODE, OUTPUT = 1, 12  # of a graph
INPUT, RESULT, KIND = 1, 2, 4  # of a node
NAME = 1  # of an output
BYTES = 2  # the wire type of texts and messages
SIZES = {1: 8, 5: 4}  # of the wire types of fixed size


def exposed(content: bytes) -> bytes:
    """Return the content of an ONNX file with an output for the result of each Softmax node.

    The outputs are weights [B, H, T, T] of self-attention, or [B, T] or [B, T, 1] of pooling.

    Raises:
        ValueError: the content is no ONNX model.
    """
    parts = b""
    for number, tensor in enumerate(softmaxes(content)):
        name = f"{ATTENTION}_{number}".encode()
        node = _field(INPUT, tensor) + _field(RESULT, name) + _field(KIND, b"Identity")
        parts += _field(NODE, node) + _field(OUTPUT, _field(NAME, name))
    return content + _field(GRAPH, parts) if parts else content


def softmaxes(content: bytes) -> Iterator[bytes]:
    """Yield the name of the result of each Softmax node. Raises ValueError as `exposed`."""
    view = memoryview(content)
    try:
        for graph in _fields(view, GRAPH):
            for node in _fields(graph, NODE):
                if [bytes(kind) for kind in _fields(node, KIND)] == [b"Softmax"]:
                    yield bytes(next(_fields(node, RESULT)))
    except (IndexError, StopIteration):
        raise ValueError("no ONNX model") from None


def _fields(message: memoryview, wanted: int) -> Iterator[memoryview]:
    """Yield the values of the fields of a message that have this number and a length."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        number, wire = key >> 3, key & 7
        if wire == 0:
            _, position = _varint(message, position)
            continue
        size = SIZES.get(wire)
        if size is None:
            if wire != BYTES:
                raise ValueError("no ONNX model")
            size, position = _varint(message, position)
        if wire == BYTES and number == wanted:
            yield message[position : position + size]
        position += size


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """Return the number at a position, 7 bits a byte, and the position after it."""
    number, shift = 0, 0
    while True:
        byte = message[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, position
        shift += 7


def _field(number: int, value: bytes) -> bytes:
    size, parts = len(value), bytearray()
    while size > 127:
        parts.append(size & 127 | 128)
        size >>= 7
    return bytes([number << 3 | BYTES, *parts, size]) + value
