"""nlpkit: NLP for people who work in a shell, Portuguese first.

Importing this package costs nothing: the public names are resolved when first used.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

# Before anything imports ONNX Runtime: it writes a device id and reports home over the network.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

if TYPE_CHECKING:
    from nlpkit.chain import pipeline as pipeline
    from nlpkit.runtime.model import load as load

__version__ = "0.1.0"
__all__ = ["__version__", "load", "pipeline"]


def __getattr__(name: str) -> Any:
    if name == "load":
        from nlpkit.runtime.model import load

        return load
    if name == "pipeline":
        from nlpkit.chain import pipeline

        return pipeline
    raise AttributeError(f"module 'nlpkit' has no attribute {name!r}")
