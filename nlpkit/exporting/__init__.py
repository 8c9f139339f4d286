"""Export of trained models: ONNX graphs, precisions, the gate, the model card.

Importing it raises MissingExtra where a package of the extra `train` is missing.
"""

from importlib.util import find_spec

from nlpkit.errors import MissingExtra

for needed in ("torch", "safetensors", "onnx", "onnxscript"):
    if find_spec(needed) is None:
        raise MissingExtra("train", needed)
