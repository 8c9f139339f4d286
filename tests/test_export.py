"""Export: the gate enforces its limits, and bundles match the trained network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from conftest import TEXTS, Cli, Made

import nlpkit
from nlpkit import catalog
from nlpkit.errors import GateError, ModelError, UsageError
from nlpkit.exporting.gate import Report
from nlpkit.jobs.export import export
from nlpkit.runtime import onepass
from nlpkit.settings.sections import Export


@pytest.mark.parametrize("arch", catalog.names("architectures"))
def test_bundle_outputs_are_close_to_torch(arch: str, tiny_run: Made, tiny_bundle: Made) -> None:
    from nlpkit.training.opened import open_run

    torch_model, *_ = open_run(tiny_run(arch))
    for precision, most in (("fp32", 1e-5), ("int8", 0.3), ("fp16", 0.03)):
        onnx_model = nlpkit.load(str(tiny_bundle(arch)), device="cpu", precision=precision)
        both = (onepass.outputs(model, TEXTS) for model in (torch_model, onnx_model))
        for theirs, ours in zip(*both, strict=True):
            assert (theirs is None) == (ours is None)
            if theirs is not None:
                assert np.abs(theirs - ours).max() < most


def test_report_is_in_the_manifest_and_the_card(tiny_bundle: Made) -> None:
    folder = tiny_bundle("atnet")
    manifest = json.loads((folder / "bundle.json").read_text())
    assert list(manifest["precisions"]) == ["fp32", "int8", "fp16"]
    assert manifest["precisions"]["fp32"]["logit_diff"] < 1e-4
    assert manifest["precisions"]["fp32"]["padding_diff"] < 1e-5
    assert manifest["labels"] == ["negative", "neutral", "positive"]
    assert "train.jsonl" in (folder / "README.md").read_text()
    assert {path.name for path in folder.iterdir()} == {*manifest["files"], "bundle.json"}


def test_manifest_describes_graph_inputs_and_outputs(tiny_bundle: Made) -> None:
    manifest = json.loads((tiny_bundle("atnet") / "bundle.json").read_text())
    assert manifest["format"] == 2
    assert manifest["tokenizer"] == {"kind": "bpe", "file": "tokenizer.json"}
    (graph,) = manifest["graphs"].values()
    assert graph["inputs"] == {"ids": ["batch", "time"], "mask": ["batch", "time"]}
    assert graph["outputs"] == {"logits": ["batch", 3], "document_embedding": ["batch", 16]}
    assert list(graph["files"]) == list(manifest["precisions"])
    assert set(graph["files"].values()) <= set(manifest["files"])


@pytest.mark.parametrize(
    ("precision", "measured", "said"),
    [
        ("fp32", {"agreement": 0.98}, "fp32: min_agreement is 0.99, measured 0.98"),
        ("fp32", {"agreement": 0.9, "changed": 2, "score_drop": 0.1}, None),  # 2 of 20
        ("int8", {"agreement": 1 - 3 / 144, "changed": 3, "score_drop": 0.02}, None),
        ("int8", {"agreement": 0.9, "changed": 15}, "int8: min_agreement is 0.99, measured 0.9"),
        (
            "int8",
            {"agreement": 1 - 3 / 144, "changed": 3, "score_drop": 0.05},
            "int8: max_score_drop is 0.005, measured 0.05",
        ),
        ("fp32", {"score_drop": 0.02}, "fp32: max_score_drop is 0.005, measured 0.02"),
        ("fp32", {"logit_diff": 2e-4}, "fp32: max_logit_diff is 0.0001, measured 0.0002"),
        ("fp32", {"logit_diff": float("inf")}, "fp32: max_logit_diff is 0.0001, measured inf"),
        ("fp16", {"logit_diff": 0.1}, "fp16: max_logit_diff_fp16 is 0.05, measured 0.1"),
        ("fp16", {"padding_diff": 0.1}, "fp16: max_padding_diff_fp16 is 0.02, measured 0.1"),
        ("int8", {"padding_diff": 2e-5}, "int8: max_padding_diff is 1e-05, measured 2e-05"),
        ("int8", {"logit_diff": 0.1}, None),
        ("fp16", {"logit_diff": 0.01}, None),
    ],
)
def test_gate_checks_each_limit(
    precision: str, measured: dict[str, float], said: str | None
) -> None:
    good = {"logit_diff": 0.0, "padding_diff": 0.0, "agreement": 1.0, "score_drop": 0.0}
    rest = {
        "precision": precision,
        "bytes": 1,
        "changed": 30,
        "score": 0.9,
        "docs_per_second": 1.0,
        "one_thread": False,
    }
    failures = Report(**good | rest | measured).failures(Export())
    assert failures == ([said] if said else [])


def test_a_limit_beyond_all_answers_fails_a_small_dev_set_too() -> None:
    few = Report("int8", 1, 0.0, 0.0, 0.9, 2, 0.9, 0.0, 1.0, False)
    assert few.failures(Export(min_agreement=1.01)) == ["int8: min_agreement is 1.01, measured 0.9"]


def test_wrong_conversion_is_refused_and_leaves_no_file(
    tiny_run: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate notices a graph with a single wrong weight."""
    from nlpkit.exporting import export as exporting

    real = exporting.to_onnx

    def broken(network: Any, tokenizer: Any) -> dict[str, Any]:
        graphs = real(network, tokenizer)
        weights = graphs["main"].model.graph.initializer
        bias = next(item for item in weights if item.name == "head.output.bias")
        values = onnx.numpy_helper.to_array(bias).copy()
        values[0] += 0.01
        bias.CopyFrom(onnx.numpy_helper.from_array(values, bias.name))
        return graphs

    monkeypatch.setattr(exporting, "to_onnx", broken)
    with pytest.raises(GateError, match="fp32: max_logit_diff"):
        export(str(tiny_run("atnet")), tmp_path / "out", overrides=[], listener=lambda report: None)
    assert list(tmp_path.iterdir()) == []


def test_failed_gate_exits_6(tiny_run: Made, tmp_path: Path, quick_cli: Cli) -> None:
    limit = ("--set", "export.min_agreement=1.01", "--precision", "fp32")
    done = quick_cli("export", tiny_run("atnet"), "-o", "out", *limit)
    assert done.returncode == 6
    assert b"nothing was written" in done.stderr
    assert not (tmp_path / "out").exists()
    assert b"Traceback" not in done.stderr


def test_export_refuses_to_replace_a_folder_that_is_no_bundle(
    tiny_run: Made, tmp_path: Path
) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(UsageError, match="not empty and not a bundle"):
        export(str(tiny_run("atnet")), tmp_path, overrides=[], listener=lambda report: None)
    with pytest.raises(ModelError, match="not a training run"):
        export(str(tmp_path), tmp_path / "out", overrides=[], listener=lambda report: None)


def test_export_accepts_overrides_of_its_own_section_only(tiny_run: Made, tmp_path: Path) -> None:
    for override in ("tokenizer.window=4", "train.seed=9", "data.languages=['xx']"):
        with pytest.raises(UsageError, match="can set export.KEY only"):
            export(
                str(tiny_run("bow")), tmp_path / "x", overrides=[override], listener=lambda r: None
            )
