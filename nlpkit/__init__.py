"""nlpkit: NLP for people who work in a shell, Portuguese first.

Importing this package costs nothing: the public names are resolved when first used.
"""

from __future__ import annotations

import os
import sys
import warnings
from typing import TYPE_CHECKING, Any

from nlpkit.version import __version__

if TYPE_CHECKING:
    from nlpkit.zoo import load as load, pipeline as pipeline

__all__ = ["__version__", "load", "pipeline"]

TELEMETRY_OFF = "ORT_DISABLE_TELEMETRY"  # ONNX Runtime reads it once, when it is imported
if "onnxruntime" in sys.modules and os.environ.get(TELEMETRY_OFF) != "1":
    warnings.warn(
        "onnxruntime was imported before nlpkit, so its telemetry is on and cannot be stopped: "
        f"import nlpkit first, or set {TELEMETRY_OFF}=1",
        stacklevel=2,
    )
# Before anything imports ONNX Runtime: it writes a device id and reports home over the network.
# Child processes inherit the variable.
os.environ[TELEMETRY_OFF] = "1"
# Before anything imports torch: threads of OpenMP that spin while they wait take the cores from the
# threads they wait for, on a machine that has other work (an LSTM trained 100 times slower).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def __getattr__(name: str) -> Any:
    if name in ("load", "pipeline"):
        from nlpkit import zoo

        return getattr(zoo, name)
    raise AttributeError(f"module 'nlpkit' has no attribute {name!r}")
