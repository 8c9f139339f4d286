"""Keep the memory of a step for the next one; no other module sets how memory is allocated."""

from __future__ import annotations

import ctypes
import sys

# Names and numbers of glibc's malloc.h.
TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4
LARGEST, STRETCH = 2**31 - 1, 2**28  # bytes


def keep_freed_memory() -> None:
    """Let glibc keep what this process frees, instead of handing it back to the kernel.

    Each step of a training on the CPU frees its large tensors and asks for the same again. By
    default glibc maps them anew, and the kernel fills every page with zeros: a fifth of the time
    of a step (benchmarks/README.md). Does nothing where the C library is another one.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        for option, value in ((MMAP_MAX, 0), (TRIM_THRESHOLD, LARGEST), (TOP_PAD, STRETCH)):
            mallopt(option, value)
