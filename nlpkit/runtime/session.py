"""Call an ONNX Runtime session for one of its outputs, on the CPU or by I/O binding.

Legend: B batch, T time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nlpkit.errors import ModelError
from nlpkit.runtime.batcher import TOKEN_BUDGET

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime

ROWS = 4
# The outputs of an exported network. A plain "embedding" is what the exporter calls a table's.
LOGITS, EMBEDDING = "logits", "document_embedding"
# A launch costs a GPU the same for few tokens as for many. Not measured yet (docs/cuda.md).
CUDA_BUDGET = 65_536


class SessionRun:
    """Call a session with arrays: {"ids", "mask"} -> array."""

    def __init__(self, session: onnxruntime.InferenceSession, output: str = LOGITS) -> None:
        self.session, self.output = session, output

    def __call__(self, feeds: Mapping[str, np.ndarray]) -> np.ndarray:
        """Run a batch, filled up to a multiple of ROWS.

        Matrix kernels add in another order for a last few rows: with full groups of rows a
        document's scores are the same to the last bit in any batch (measured for an LSTM).
        """
        try:
            outputs = self._run(filled(feeds))
        except Exception as problem:  # ONNX Runtime's errors share no class but Exception
            reason = str(problem).splitlines()[0][:200]
            raise ModelError(
                f"the network can't take what its tokenizer gives ({reason})"
            ) from None
        return outputs[: len(feeds["ids"])]

    def _run(self, feeds: dict[str, np.ndarray]) -> np.ndarray:
        outputs: np.ndarray = self.session.run([self.output], feeds)[0]
        return outputs


class BoundRun(SessionRun):
    """Call a session by I/O binding: what lies where is said, not inferred.

    Each input is copied, as it is bound, to the device of the nodes that read it. The one output
    asked for is bound where it is made; any other stays there, and dies with the binding. So a
    batch costs one copy there for each input and one back. The calls are the same on any device,
    which lets the CPU test them.
    """

    def _run(self, feeds: dict[str, np.ndarray]) -> np.ndarray:
        binding = self.session.io_binding()  # one for each call: threads may share a model
        for name, array in feeds.items():
            binding.bind_cpu_input(name, array)
        binding.bind_output(self.output)
        self.session.run_with_iobinding(binding)
        outputs: np.ndarray = binding.copy_outputs_to_cpu()[0]
        return outputs


def filled(feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the feeds with their first row repeated until B is a multiple of ROWS."""
    import numpy as np

    lacking = -len(feeds["ids"]) % ROWS
    if not lacking:
        return dict(feeds)
    return {name: np.concatenate([a, a[:1].repeat(lacking, 0)]) for name, a in feeds.items()}


def on_cuda(session: onnxruntime.InferenceSession) -> bool:
    """Tell whether CUDA is what the session runs on."""
    return bool(session.get_providers()[0] == "CUDAExecutionProvider")


def run_of(session: onnxruntime.InferenceSession, output: str = LOGITS) -> SessionRun:
    """Return the run that suits a session's provider: bound on CUDA, plain on the CPU."""
    return (BoundRun if on_cuda(session) else SessionRun)(session, output)


def budget_of(session: onnxruntime.InferenceSession) -> int:
    """Return the tokens of a batch that suit a session's provider."""
    return CUDA_BUDGET if on_cuda(session) else TOKEN_BUDGET
