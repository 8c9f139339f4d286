"""Choose a device, start ONNX Runtime on it and explain why CUDA fails.

ONNX Runtime also lists providers that it cannot start, so every start is verified.
"""

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

# Libraries that libonnxruntime_providers_cuda.so links, and their wheels (CUDA 13, ORT 1.27+).
CUDA_LIBRARIES = {
    "libcudart.so.13": "nvidia-cuda-runtime",
    "libcublas.so.13": "nvidia-cublas",
    "libcublasLt.so.13": "nvidia-cublas",
    "libcufft.so.12": "nvidia-cufft",
    "libcurand.so.10": "nvidia-curand",
    "libcudnn.so.9": "nvidia-cudnn-cu13",
}


def cores() -> int:
    """Return the number of cores that this process may use, or $NLPKIT_THREADS if it is set.

    Raises:
        UsageError: $NLPKIT_THREADS is not a whole number of 1 or more.
    """
    if threads := os.environ.get("NLPKIT_THREADS", ""):
        if threads.isdecimal() and int(threads):
            return int(threads)
        raise UsageError(f"NLPKIT_THREADS={threads}: set a whole number of 1 or more, or unset it")
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def parse(device: str) -> tuple[str, int]:
    """Parse a device into its kind (auto, cpu or cuda) and index.

    Raises:
        UsageError: the text is not auto, cpu, cuda or cuda:N.
    """
    match = re.fullmatch(r"(auto|cpu|cuda)(?::(\d+))?", device)
    if not match or (match[2] and match[1] != "cuda"):
        raise UsageError(f"--device {device}: not one of auto, cpu, cuda, cuda:N")
    return match[1], int(match[2] or 0)


def candidates(device: str) -> list[tuple[str, int]]:
    """Return the devices to try, in order; auto tries CUDA, if its libraries load, then the CPU.

    Raises:
        UsageError: as `parse`.
    """
    kind, index = parse(device)
    if kind != "auto":
        return [(kind, index)]
    return [("cpu", 0)] if why_no_cuda() else [("cuda", 0), ("cpu", 0)]


def session(
    model: bytes | str, kind: str, index: int = 0, threads: int = 0, *, half: bool = False
) -> onnxruntime.InferenceSession:
    """Start a session on "cpu" or "cuda", and check that it runs there.

    `model` is the path or the content of an ONNX file. `threads` 0 uses every core. `half` tells
    that it is in float16.

    Raises:
        DeviceError: CUDA does not work on this machine; the message has the reason and a fix.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or cores()
    options.inter_op_num_threads = 1
    # Threads that spin while they wait take the cores from the threads that read and encode.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if kind == "cpu":
        # Of a float16 LSTM whose embedding is the output layer too, this pass crashes the process
        # (ONNX Runtime 1.31). It makes convolutions faster, which fp16 is not for on a CPU.
        broken = ["NchwcTransformer"] if half else []
        return onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"], disabled_optimizers=broken
        )
    if problem := why_no_cuda():
        raise DeviceError(f"--device cuda: {problem}")
    options.log_severity_level = 4  # the DeviceError below gives the reason in one line
    cuda = {
        "device_id": index,
        "cudnn_conv_algo_search": "HEURISTIC",  # exhaustive search would run again for each shape
        "arena_extend_strategy": "kSameAsRequested",
    }
    with _quiet_preload():
        try:
            started = onnxruntime.InferenceSession(
                model, options, providers=[("CUDAExecutionProvider", cuda), "CPUExecutionProvider"]
            )
        except Exception as problem:  # ONNX Runtime's errors share no class but Exception
            reason = str(problem).splitlines()[0]
            raise DeviceError(f"--device cuda: {reason}; see 'nlpkit doctor'") from None
    if started.get_providers()[0] != "CUDAExecutionProvider":
        raise DeviceError(
            f"--device cuda:{index}: ONNX Runtime fell back to {started.get_providers()[0]}; "
            "'nlpkit doctor' lists what is missing"
        )
    return started


@contextlib.contextmanager
def _quiet_preload() -> Iterator[None]:
    """Load the libraries of the CUDA wheels, without the failures that preload_dlls prints."""
    import onnxruntime

    with contextlib.redirect_stdout(io.StringIO()):
        onnxruntime.preload_dlls()
    yield


def why_no_cuda() -> str | None:
    """Return why CUDA cannot run on this machine and how to fix it; None if it can."""
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
    """Return whether the library of the NVIDIA driver loads."""
    return _loads("libcuda.so.1")


def missing_libraries() -> dict[str, str]:
    """Return the CUDA libraries that do not load: library -> wheel that has it."""
    with _quiet_preload():
        return {name: wheel for name, wheel in CUDA_LIBRARIES.items() if not _loads(name)}


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
