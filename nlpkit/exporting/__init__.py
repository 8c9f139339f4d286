"""From torch to ONNX through a gate. This door says which extra is missing."""

from importlib.util import find_spec

from nlpkit.errors import MissingExtra

for needed in ("torch", "safetensors", "onnx", "onnxscript"):
    if find_spec(needed) is None:
        raise MissingExtra("train", needed)
