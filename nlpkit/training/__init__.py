"""Training and pretraining with torch.

Importing it raises MissingExtra where a package of the extra `train` is missing.
"""

from importlib.util import find_spec

from nlpkit.errors import MissingExtra

for needed in ("torch", "safetensors"):
    if find_spec(needed) is None:
        raise MissingExtra("train", needed)
