"""Which provider really runs. What ONNX Runtime says it has is not what it starts."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nlpkit.errors import DeviceError, UsageError, install_extra

if TYPE_CHECKING:
    import onnxruntime

# What libonnxruntime_providers_cuda.so links, and what brings it (CUDA 13 wheels, ORT 1.27+).
CUDA_LIBRARIES = {
    "libcudart.so.13": "nvidia-cuda-runtime",
    "libcublas.so.13": "nvidia-cublas",
    "libcublasLt.so.13": "nvidia-cublas",
    "libcufft.so.12": "nvidia-cufft",
    "libcurand.so.10": "nvidia-curand",
    "libcudnn.so.9": "nvidia-cudnn-cu13",
}


def cores() -> int:
    """Return the cores this process may use; $NLPKIT_THREADS says fewer."""
    if (told := os.environ.get("NLPKIT_THREADS", "")).isdecimal():
        return max(int(told), 1)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def parse(device: str) -> tuple[str, int]:
    """Return ("auto" | "cpu" | "cuda", index). Raises UsageError for anything else."""
    found = re.fullmatch(r"(auto|cpu|cuda)(?::(\d+))?", device)
    if not found or (found[2] and found[1] != "cuda"):
        raise UsageError(f"--device {device}: not one of auto, cpu, cuda, cuda:N")
    return found[1], int(found[2] or 0)


def candidates(device: str) -> list[tuple[str, int]]:
    """Return (kind, index) in the order to try: auto is CUDA where nothing is missing, then CPU.

    Raises:
        UsageError: there is no such device.
    """
    kind, index = parse(device)
    if kind != "auto":
        return [(kind, index)]
    return [("cpu", 0)] if why_no_cuda() else [("cuda", 0), ("cpu", 0)]


def session(
    model: bytes | str, kind: str, index: int = 0, threads: int = 0
) -> onnxruntime.InferenceSession:
    """Start a session on "cpu" or "cuda" and make sure that it is the device asked for.

    `model` is the file's path, or what it holds. `threads` 0 are as many as there are cores.

    Raises:
        DeviceError: CUDA does not run here; the message says why.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or cores()
    options.inter_op_num_threads = 1
    # Threads that wait in a loop take the cores from those that read and encode meanwhile.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if kind == "cpu":
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    if problem := why_no_cuda():
        raise DeviceError(f"--device cuda: {problem}")
    options.log_severity_level = 4  # the reason is ours to tell, in one line
    cuda = {
        "device_id": index,
        "cudnn_conv_algo_search": "HEURISTIC",  # exhaustive search would run again for each shape
        "arena_extend_strategy": "kSameAsRequested",
    }
    with _quiet_preload():
        try:
            made = onnxruntime.InferenceSession(
                model, options, providers=[("CUDAExecutionProvider", cuda), "CPUExecutionProvider"]
            )
        except Exception as problem:  # ONNX Runtime's errors share no class but Exception
            reason = str(problem).splitlines()[0]
            raise DeviceError(f"--device cuda: {reason}; see 'nlpkit doctor'") from None
    if made.get_providers()[0] != "CUDAExecutionProvider":
        raise DeviceError(
            f"--device cuda:{index}: ONNX Runtime fell back to {made.get_providers()[0]}; "
            "'nlpkit doctor' tells what is missing"
        )
    return made


@contextlib.contextmanager
def _quiet_preload() -> Iterator[None]:
    """Load the CUDA wheels' libraries; preload_dlls prints its failures, so listen to them."""
    import onnxruntime

    with contextlib.redirect_stdout(io.StringIO()):
        onnxruntime.preload_dlls()
    yield


def why_no_cuda() -> str | None:
    """Return the reason, with its mend, why CUDA can't run here; None when nothing is missing."""
    import onnxruntime

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        return (
            "this onnxruntime was built without CUDA; "
            "pip uninstall onnxruntime && pip install onnxruntime-gpu"
        )
    if not driver_loads():
        return "no NVIDIA driver here (libcuda.so.1 does not load); install it, or use --device cpu"
    if missing := missing_libraries():
        wheels = ", ".join(sorted(set(missing.values())))
        return f"missing {', '.join(missing)} ({wheels}); {install_extra('cuda')}"
    return None


def driver_loads() -> bool:
    """Tell whether the NVIDIA driver's library is here."""
    return _loads("libcuda.so.1")


def missing_libraries() -> dict[str, str]:
    """Return the CUDA libraries that do not load, each with the wheel that brings it."""
    with _quiet_preload():
        return {name: wheel for name, wheel in CUDA_LIBRARIES.items() if not _loads(name)}


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
