"""Process Portuguese and English text from the shell or from Python.

Importing the package loads no model: `load` and `pipeline` are imported when first used.
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
# Set this before ONNX Runtime is imported, which would write a device id and send telemetry over
# the network. Child processes inherit the variable.
os.environ[TELEMETRY_OFF] = "1"
# Set this before torch is imported. On a busy machine, OpenMP threads that spin while they wait
# occupy the cores of the threads that they wait for: an LSTM trained 100 times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used.

    Raises:
        AttributeError: the package has no such name.
    """
    if name in ("load", "pipeline"):
        from nlpkit import zoo

        return getattr(zoo, name)
    raise AttributeError(f"module 'nlpkit' has no attribute {name!r}")
