"""A training on the CPU keeps the memory that a step frees."""

import platform
import subprocess
import sys

import pytest

STEPS = """
import resource, sys, torch
from nlpkit.training.memory import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
weight = torch.ones(512, 512, requires_grad=True)
for step in range(6):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    hidden = torch.ones(2**14, 512)  # 32 MiB
    for _ in range(4):
        hidden = torch.tanh(hidden @ weight)
    hidden.sum().backward()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="about glibc")
def test_steps_reuse_the_memory_of_those_before() -> None:
    faults = {
        way: int(subprocess.check_output([sys.executable, "-c", STEPS, way]))
        for way in ("returned", "kept")
    }
    assert faults["kept"] < max(faults["returned"] / 4, 2)
