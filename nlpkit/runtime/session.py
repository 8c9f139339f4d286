"""Run graphs in ONNX Runtime sessions, on the CPU or, with I/O binding, on a GPU.

Legend: B rows of a batch."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nlpkit.errors import ModelError
from nlpkit.runtime.batcher import TOKEN_BUDGET
from nlpkit.runtime.graphs import Signature

if TYPE_CHECKING:
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
        self,
        graph: str,
        feeds: Mapping[str, Any],
        outputs: Sequence[str],
        kept: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Run a batch, padded with copies of its first row to a multiple of ROWS.

        Matrix kernels sum in another order in an incomplete last group of rows. With complete
        groups, a document's scores are equal to the last bit in any batch (measured for an LSTM).

        Raises:
            ModelError: ONNX Runtime cannot compute it: the network does not accept the ids of its
                tokenizer, or memory is short.
        """
        rows = len(next(iter(feeds.values())))
        session, whole = self.sessions[graph], filled(feeds)
        try:
            arrays = (
                _bound(session, whole, [*outputs, *kept], set(kept))
                if kept or not all(map(_is_array, whole.values()))
                else self._run(session, whole, outputs)
            )
        except Exception as problem:  # ONNX Runtime's errors share no class but Exception
            reason = str(problem).splitlines()[0][:200]
            raise ModelError(
                f"ONNX Runtime cannot compute the graph {graph!r} ({reason}); if memory is short, "
                "shorten the texts; else install or export the model again"
            ) from None
        by_name = dict(zip([*outputs, *kept], arrays, strict=True))
        return by_name | {name: by_name[name][:rows] for name in outputs}

    def _run(
        self,
        session: onnxruntime.InferenceSession,
        feeds: dict[str, Any],
        outputs: Sequence[str],
    ) -> list[Any]:
        arrays: list[Any] = session.run(list(outputs), feeds)
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
        feeds: dict[str, Any],
        outputs: Sequence[str],
    ) -> list[Any]:
        return _bound(session, feeds, outputs, set())


def _bound(
    session: onnxruntime.InferenceSession,
    feeds: Mapping[str, Any],
    outputs: Sequence[str],
    kept: Container[str],
) -> list[Any]:
    """Run a session with I/O binding; the outputs in `kept` stay on its device, as OrtValues."""
    binding = session.io_binding()  # one per call, because threads may share a model
    device = "cuda" if on_cuda(session) else "cpu"
    for name, array in feeds.items():
        if _is_array(array):
            binding.bind_cpu_input(name, array)
        else:
            binding.bind_ortvalue_input(name, array)
    for name in outputs:
        binding.bind_output(name, device if name in kept else "cpu")
    session.run_with_iobinding(binding)
    values = zip(outputs, binding.get_outputs(), strict=True)
    return [value if name in kept else value.numpy() for name, value in values]


def _is_array(value: Any) -> bool:
    """Return whether a feed is a numpy array, not an output that an earlier call kept."""
    return hasattr(value, "dtype")


def filled(feeds: Mapping[str, Any]) -> dict[str, Any]:
    """Return the feeds with the first row of each array repeated until B is a multiple of ROWS.

    Feeds that an earlier call kept have that many rows already.
    """
    import numpy as np

    lacking = -len(next(iter(feeds.values()))) % ROWS
    if not lacking:
        return dict(feeds)
    return {
        name: np.concatenate([a, a[:1].repeat(lacking, 0)]) if _is_array(a) else a
        for name, a in feeds.items()
    }


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
