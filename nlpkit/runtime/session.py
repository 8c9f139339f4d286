"""Run graphs in ONNX Runtime sessions, on the CPU or, with I/O binding, on a GPU.

Legend: B rows of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nlpkit.errors import ModelError
from nlpkit.runtime.batcher import TOKEN_BUDGET
from nlpkit.runtime.graphs import Signature

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime

ROWS = 4  # a batch is padded to a multiple of this
# Tokens of a batch on a GPU, which needs as long to launch a small batch as a large one.
# Not measured yet (docs/cuda.md).
CUDA_BUDGET = 65_536

Sessions = Mapping[str, "onnxruntime.InferenceSession"]


class SessionRun:
    """Run each graph in its session; implements `nlpkit.runtime.graphs.Run`."""

    def __init__(self, sessions: Sessions, signatures: Mapping[str, Signature]) -> None:
        self.sessions, self.signatures = sessions, signatures

    def __call__(
        self, graph: str, feeds: Mapping[str, np.ndarray], outputs: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Run a batch, padded with copies of its first row to a multiple of ROWS.

        Matrix kernels sum in another order in an incomplete last group of rows. With complete
        groups, a document's scores are equal to the last bit in any batch (measured for an LSTM).

        Raises:
            ModelError: the network does not accept the ids of its tokenizer.
        """
        rows = len(next(iter(feeds.values())))
        try:
            arrays = self._run(self.sessions[graph], filled(feeds), outputs)
        except Exception as problem:  # ONNX Runtime's errors share no class but Exception
            reason = str(problem).splitlines()[0][:200]
            raise ModelError(
                f"the network rejects the ids of its tokenizer ({reason}); "
                "install or export the model again"
            ) from None
        return {name: array[:rows] for name, array in zip(outputs, arrays, strict=True)}

    def _run(
        self,
        session: onnxruntime.InferenceSession,
        feeds: dict[str, np.ndarray],
        outputs: Sequence[str],
    ) -> list[np.ndarray]:
        arrays: list[np.ndarray] = session.run(list(outputs), feeds)
        return arrays


class BoundRun(SessionRun):
    """Run sessions with I/O binding, which copies each array once.

    An input is copied to the device of the nodes that read it, and a requested output is copied
    back; other outputs stay on the device and are freed with the binding. The calls are the same on
    every device, so tests can run them on a CPU.
    """

    def _run(
        self,
        session: onnxruntime.InferenceSession,
        feeds: dict[str, np.ndarray],
        outputs: Sequence[str],
    ) -> list[np.ndarray]:
        binding = session.io_binding()  # one per call, because threads may share a model
        for name, array in feeds.items():
            binding.bind_cpu_input(name, array)
        for name in outputs:
            binding.bind_output(name)
        session.run_with_iobinding(binding)
        arrays: list[np.ndarray] = binding.copy_outputs_to_cpu()
        return arrays


def filled(feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the feeds with their first row repeated until B is a multiple of ROWS."""
    import numpy as np

    lacking = -len(next(iter(feeds.values()))) % ROWS
    if not lacking:
        return dict(feeds)
    return {name: np.concatenate([a, a[:1].repeat(lacking, 0)]) for name, a in feeds.items()}


def on_cuda(session: onnxruntime.InferenceSession) -> bool:
    """Return whether the session runs on CUDA."""
    return bool(session.get_providers()[0] == "CUDAExecutionProvider")


def run_of(sessions: Sessions, signatures: Mapping[str, Signature]) -> SessionRun:
    """Return a `BoundRun` for sessions on CUDA, a `SessionRun` on the CPU."""
    bound = any(map(on_cuda, sessions.values()))
    return (BoundRun if bound else SessionRun)(sessions, signatures)


def budget_of(sessions: Sessions) -> int:
    """Return the most tokens of a batch for the sessions' device."""
    return CUDA_BUDGET if any(map(on_cuda, sessions.values())) else TOKEN_BUDGET
