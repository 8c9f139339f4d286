"""nlpkit vectorize --method embed, and vectorize as a step of a chain."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.datasets import load_svmlight_file
from vectorize_helpers import (
    DOCUMENTS,
    FORMATS,
    Fake,
    Run,
    docs as docs,
    embedder as embedder,
    model as model,
    run as run,
)

from nlpkit import zoo
from nlpkit.errors import ModelError, UsageError
from nlpkit.steps import vectorize as step


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "npz"])
def test_embeddings_in_every_dense_format(
    format: str, run: Run, docs: Path, embedder: list[object], tmp_path: Path
) -> None:
    how = ("--method", "embed", "--model", "mine", "--device", "cpu")
    run(*how, docs, "-o", f"v.{format}")
    assert embedder == [("mine", "cpu")]
    path, expected = tmp_path / f"v.{format}", Fake().embed(DOCUMENTS)
    if format == "npy":
        read = np.load(path)
        assert read.dtype == np.float32
    elif format == "svmlight":
        read = load_svmlight_file(path, n_features=3, zero_based=True)[0].toarray()
    elif format == "parquet":
        read = np.stack(pq.read_table(path)["vector"].to_numpy())
    else:
        read = [json.loads(line)["vector"] for line in path.read_text().splitlines()]
    assert np.array_equal(np.asarray(read, np.float32), expected)


def test_sparse_output_and_non_finite_embeddings_are_refused(
    run: Run, docs: Path, embedder: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    how = ("--method", "embed", "--model", "mine", docs)
    assert "use --to npy" in run(*how, "--to", "npz", code=2).stderr
    monkeypatch.setattr(Fake, "embed", lambda self, texts: np.full((len(texts), 2), math.nan))
    assert "not finite" in run(*how, code=4).stderr


def test_step_gives_the_vectors_of_the_command(
    model: Path, run: Run, docs: Path, embedder: list[object]
) -> None:
    vectors = step.build(step.Options(with_=str(model)))(DOCUMENTS)
    lines = run("--with", model, docs, "--to", "jsonl").stdout.splitlines()
    assert vectors == [json.loads(line)["vector"] for line in lines]
    assert step.build(step.Options(method="hash"))([]) == []
    (row,) = step.build(step.Options(method="embed", model="mine"), zoo.load)(["abc"])
    assert row == [3.0, 1.0, 0.1]
    with pytest.raises(UsageError, match="already sets --binary, --method"):
        step.build(step.Options(with_=str(model), method="embed", binary=True))
    with pytest.raises(UsageError, match="--features is for hash"):
        step.build(step.Options(method="embed", model="mine", features=3))
    with pytest.raises(ModelError):
        step.build(step.Options(with_="none.json"))


def test_example_and_flag_of_the_step() -> None:
    assert step.Options.__dataclass_fields__["with_"].metadata["flag"] == "with"
    ((_, before, after),) = step.EXAMPLES
    assert step.build(step.Options(method="hash", features=8, norm="none"))([before]) == [after]
