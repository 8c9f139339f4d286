"""Sessions: runs with I/O binding equal plain runs, and the budget sets batch sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nlpkit.errors import ModelError
from nlpkit.runtime import device
from nlpkit.runtime.batcher import TOKEN_BUDGET
from nlpkit.runtime.bundle import read_bundle
from nlpkit.runtime.graphs import EMBEDDING, LOGITS, MAIN
from nlpkit.runtime.session import (
    CUDA_BUDGET,
    BoundRun,
    SessionRun,
    budget_of,
    run_of,
)

Made = Callable[[str], Path]


@pytest.fixture(params=["lstm", "transformer"])
def sessions(request: pytest.FixtureRequest, tiny_bundle: Made) -> dict[str, Any]:
    bundle = read_bundle(tiny_bundle(request.param))
    return {MAIN: device.session(str(bundle.checked("model.onnx")), "cpu")}


@pytest.mark.parametrize("output", [LOGITS, EMBEDDING])
@pytest.mark.parametrize("shape", [(1, 1), (1, 8), (4, 2), (5, 16), (33, 8)])
def test_io_binding_gives_identical_outputs(
    sessions: Any, output: str, shape: tuple[int, int]
) -> None:
    ids_BT = np.random.default_rng(0).integers(1, 200, shape)
    mask_BT = np.arange(shape[1]) < np.arange(1, shape[0] + 1)[:, None]
    feeds = {"ids": ids_BT * mask_BT, "mask": mask_BT}
    plain, bound = SessionRun(sessions, {}), BoundRun(sessions, {})

    def said(run: SessionRun) -> np.ndarray:
        (array,) = run(MAIN, feeds, (output,)).values()
        return array

    assert len(said(plain)) == shape[0]
    np.testing.assert_array_equal(said(bound), said(plain))
    np.testing.assert_array_equal(said(bound), said(plain))  # the first call leaves no state


def test_io_binding_reports_invalid_inputs(sessions: Any) -> None:
    feeds = {"ids": np.zeros((1, 2, 3), dtype=np.int64), "mask": np.ones((1, 2))}
    with pytest.raises(ModelError, match="cannot compute the graph"):
        BoundRun(sessions, {})(MAIN, feeds, (LOGITS,))


class OnCuda:
    """A session on CUDA."""

    def get_providers(self) -> list[str]:
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]


def test_provider_determines_run_and_token_budget(sessions: Any) -> None:
    cuda: Any = {MAIN: OnCuda()}
    assert type(run_of(sessions, {})) is SessionRun
    assert type(run_of(cuda, {})) is BoundRun
    assert (budget_of(sessions), budget_of(cuda)) == (TOKEN_BUDGET, CUDA_BUDGET)


def test_larger_budget_gives_larger_batches_and_the_same_answers(model: Any) -> None:
    sizes: list[int] = []

    def run(graph: str, feeds: Mapping[str, np.ndarray], outputs: Sequence[str]) -> Any:
        sizes.append(feeds["ids"].size)
        return model.run(graph, feeds, outputs)

    texts = [f"adorei o produto {number}" for number in range(400)]
    answers = []
    for budget in (64, 4096):
        answers.append(replace(model, run=run, budget=budget).predict(texts))
        assert budget // 8 < max(sizes) <= budget
        sizes.clear()
    assert answers[0] == answers[1]
