"""The gate and the bundle: what is written is what was trained, and nothing else is trusted."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from conftest import ROOT
from onnx import TensorProto, helper
from torch.export import Dim

import nlpkit
from nlpkit import catalog, zoo
from nlpkit.errors import GateError, ModelError, UsageError
from nlpkit.exporting.gate import Report
from nlpkit.jobs.export import export
from nlpkit.runtime import device
from nlpkit.runtime.bundle import open_bundle
from nlpkit.runtime.session import SessionRun
from nlpkit.settings.sections import Export

Made = Callable[[str], Path]
Cli = Callable[..., subprocess.CompletedProcess[bytes]]
TEXTS = ["o hotel lindo 1", "", "a loja péssimo 2", "reunião " * 40, "👍", "x" * 5000]
BUNDLED = sorted((ROOT / "export").glob("*/bundle.json"))


@pytest.mark.parametrize("arch", catalog.names("architectures"))
def test_a_bundle_answers_as_torch_does(arch: str, tiny_run: Made, tiny_bundle: Made) -> None:
    from nlpkit.training.opened import open_run

    torch_model, *_ = open_run(tiny_run(arch))
    for precision, most in (("fp32", 1e-5), ("int8", 0.3), ("fp16", 0.03)):
        onnx_model = nlpkit.load(str(tiny_bundle(arch)), device="cpu", precision=precision)
        pairs = zip(torch_model.outputs(TEXTS), onnx_model.outputs(TEXTS), strict=True)
        for theirs, ours in pairs:
            assert (theirs is None) == (ours is None)
            if theirs is not None:
                assert np.abs(theirs - ours).max() < most


def test_the_report_is_in_the_manifest_and_the_card(tiny_bundle: Made) -> None:
    folder = tiny_bundle("atnet")
    manifest = json.loads((folder / "bundle.json").read_text())
    assert list(manifest["precisions"]) == ["fp32", "int8", "fp16"]
    assert manifest["precisions"]["fp32"]["logit_diff"] < 1e-4
    assert manifest["precisions"]["fp32"]["padding_diff"] < 1e-5
    assert manifest["labels"] == ["negative", "neutral", "positive"]
    assert "train.jsonl" in (folder / "README.md").read_text()
    assert {path.name for path in folder.iterdir()} == {*manifest["files"], "bundle.json"}


@pytest.mark.parametrize(
    ("precision", "measured", "said"),
    [
        ("fp32", {"agreement": 0.98}, "fp32: min_agreement is 0.99, measured 0.98"),
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
def test_each_limit_is_held(precision: str, measured: dict[str, float], said: str | None) -> None:
    good = {"logit_diff": 0.0, "padding_diff": 0.0, "agreement": 1.0, "score_drop": 0.0}
    rest = {
        "precision": precision,
        "bytes": 1,
        "score": 0.9,
        "docs_per_second": 1.0,
        "one_thread": False,
    }
    failures = Report(**good | measured | rest).failures(Export())
    assert failures == ([said] if said else [])


def test_a_broken_conversion_leaves_no_file(
    tiny_run: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate is not fooled by a graph that is right but for one weight."""
    from nlpkit.exporting import export as exporting

    real = exporting.to_onnx

    def broken(network: object, vocab_size: int) -> onnx.ModelProto:
        model = real(network, vocab_size)  # type: ignore[arg-type]
        bias = next(item for item in model.graph.initializer if item.name == "head.output.bias")
        values = onnx.numpy_helper.to_array(bias).copy()
        values[0] += 0.01
        bias.CopyFrom(onnx.numpy_helper.from_array(values, bias.name))
        return model

    monkeypatch.setattr(exporting, "to_onnx", broken)
    with pytest.raises(GateError, match="fp32: max_logit_diff"):
        export(str(tiny_run("atnet")), tmp_path / "out", overrides=[], listener=lambda report: None)
    assert list(tmp_path.iterdir()) == []


def test_the_gate_exits_6(tiny_run: Made, tmp_path: Path, cli: Cli) -> None:
    limit = ("--set", "export.min_agreement=1.01", "--precision", "fp32")
    done = cli("export", tiny_run("atnet"), "-o", "out", *limit)
    assert done.returncode == 6
    assert b"nothing was written" in done.stderr
    assert not (tmp_path / "out").exists()
    assert b"Traceback" not in done.stderr


def test_export_refuses_to_replace_what_is_not_a_bundle(tiny_run: Made, tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(UsageError, match="not empty and not a bundle"):
        export(str(tiny_run("atnet")), tmp_path, overrides=[], listener=lambda report: None)
    with pytest.raises(ModelError, match="not a training run"):
        export(str(tmp_path), tmp_path / "out", overrides=[], listener=lambda report: None)


@pytest.fixture
def copy(tiny_bundle: Made, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bundle("bow"), tmp_path / "bundle"))


def edit(folder: Path, **changes: object) -> None:
    manifest = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps(manifest | changes))


def rehash(folder: Path, file: str) -> None:
    files = json.loads((folder / "bundle.json").read_text())["files"]
    files[file] = hashlib.sha256((folder / file).read_bytes()).hexdigest()
    edit(folder, files=files)


def refused(folder: Path, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        open_bundle(folder, device="cpu", precision="fp32")


def test_hostile_and_damaged_bundles_are_refused(copy: Path) -> None:
    manifest = json.loads((copy / "bundle.json").read_text())
    edit(copy, format=99)
    refused(copy, "format 99")
    edit(copy, **manifest)
    edit(copy, files=manifest["files"] | {"../../etc/passwd": "0"})
    refused(copy, "outside the bundle")
    edit(copy, **manifest)
    (copy / "run_me.py").write_text("")
    refused(copy, "run_me.py does not belong")
    (copy / "run_me.py").unlink()
    tampered = (copy / "model.onnx").read_bytes()
    (copy / "model.onnx").write_bytes(tampered[:-1] + b"x")
    refused(copy, "hash differs")
    (copy / "model.onnx").write_bytes(tampered[: len(tampered) // 2])
    rehash(copy, "model.onnx")
    refused(copy, "can't load it")
    (copy / "model.onnx").write_bytes(tampered)
    rehash(copy, "model.onnx")
    edit(copy, task=manifest["task"] | {"labels": ["a", "b"]})
    refused(copy, "2 labels")
    edit(copy, task=manifest["task"] | {"name": "nonsense"})
    refused(copy, "unknown task")
    edit(copy, task=manifest["task"])
    (copy / "tokenizer.json").write_text("{}")
    rehash(copy, "tokenizer.json")
    refused(copy, "tokenizer")
    (copy / "tokenizer.json").unlink()
    refused(copy, "tokenizer.json is missing")
    for wrong in (
        {"temperature": "x"},
        {"temperature": 0},
        {"temperature": float("nan")},
        {"task": manifest["task"] | {"labels": ["a", "a", "b"]}},
        {"task": manifest["task"] | {"labels": "abc"}},
        {"parameters": "many"},
        {"window": -1},
        {"overlap": 9999},
        {"cpu_precision": "int4"},
        {"precisions": {"fp32": "a"}},
        {"files": []},
        {"task": []},
    ):
        edit(copy, **manifest | wrong)
        refused(copy, "cannot be")
    (copy / "bundle.json").write_text("{")
    refused(copy, "damaged")


def test_only_limits_can_be_set_at_export(tiny_run: Made, tmp_path: Path) -> None:
    for override in ("tokenizer.window=4", "train.seed=9", "data.languages=['xx']"):
        with pytest.raises(UsageError, match="only export.KEY"):
            export(
                str(tiny_run("bow")), tmp_path / "x", overrides=[override], listener=lambda r: None
            )


def test_nothing_beside_a_bundle_is_deleted(copy: Path, tiny_run: Made) -> None:
    (copy / "notes.txt").write_text("mine")
    for output, said in ((copy, "notes.txt"), (copy / "notes.txt", "name a folder")):
        with pytest.raises((ModelError, UsageError), match=said):
            export(str(tiny_run("atnet")), output, overrides=[], listener=lambda report: None)
    assert (copy / "notes.txt").read_text() == "mine"


def test_external_data_is_refused(copy: Path) -> None:
    model = onnx.load(copy / "model.onnx")
    outside = model.graph.initializer.add(name="leak", data_type=TensorProto.FLOAT, dims=[1])
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="../../secret")
    model.graph.node.append(helper.make_node("Identity", ["leak"], ["unused"]))
    (copy / "model.onnx").write_bytes(model.SerializeToString())
    rehash(copy, "model.onnx")
    refused(copy, "keeps weights in another file")


def test_sums_in_whole_numbers_are_the_network(tiny_run: Made) -> None:
    from nlpkit.exporting.onnx import to_onnx
    from nlpkit.exporting.sums import as_sums
    from nlpkit.training.opened import open_run

    model, *_ = open_run(tiny_run("ngrams"))
    made = as_sums(to_onnx(model.run.network, model.encoder))
    assert made is not None
    names = {item.name for item in made.graph.initializer}
    assert len([name for name in names if name.endswith("_int8")]) == 2 and "sums_scale" in names
    run = SessionRun(device.session(made.SerializeToString(), "cpu"))
    rng = np.random.default_rng(0)
    for batch, time in ((1, 1), (3, 9), (8, 33)):
        ids = rng.integers(0, model.encoder.vocab_size, (batch, time))
        mask = np.arange(time) < rng.integers(1, time + 1, (batch, 1))
        ours, theirs = run({"ids": ids, "mask": mask}), model.run({"ids": ids, "mask": mask})
        assert np.abs(ours - theirs).max() < 0.02 * max(np.abs(theirs).max(), 1)
        ids[~mask] = 7  # behind the mask anything may stand
        assert np.array_equal(ours, run({"ids": ids, "mask": mask}))
    for arch in ("lstm", "bow", "atnet"):
        other, *_ = open_run(tiny_run(arch))
        assert as_sums(to_onnx(other.run.network, other.encoder)) is None


class Adds(torch.nn.Module):
    """Two tables looked up, added, rectified, and the largest over time."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.kind = kind
        self.one, self.two = torch.nn.Embedding(50, 32), torch.nn.Embedding(50, 32)
        self.bias = torch.nn.Parameter(torch.randn(32))
        with torch.no_grad():
            if kind == "outlier":
                self.one.weight[3] *= 200
            if kind == "zero":
                self.one.weight *= 0
                self.two.weight *= 0

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        looked = ids.int() if self.kind == "int32" else ids
        sums = self.one(looked) + self.two(looked)
        sums = sums * 2 if self.kind == "doubled" else sums
        states = sums + (0 if self.kind == "no bias" else self.bias)
        states = states if self.kind == "no relu" else torch.relu(states)
        kept = states.masked_fill(~mask.unsqueeze(-1), float("-inf"))
        if self.kind == "mean":
            return states.masked_fill(~mask.unsqueeze(-1), 0.0).mean(1)
        return kept.amax(1) + (self.one(ids[:, 0]) if self.kind == "used elsewhere" else 0)


REFUSED = ["no relu", "no bias", "mean", "doubled", "used elsewhere", "int32", "outlier", "zero"]


@pytest.mark.parametrize("kind", ["taken", *REFUSED])
def test_only_what_sums_can_say_is_said_by_them(kind: str) -> None:
    from nlpkit.exporting.sums import as_sums

    ids, mask = torch.randint(1, 50, (2, 9)), torch.ones(2, 9, dtype=torch.bool)
    axes = {0: Dim("batch"), 1: Dim("time")}
    warnings.simplefilter("ignore")  # torch's own
    program = torch.onnx.export(
        Adds(kind).eval(),
        (ids, mask),
        dynamo=True,
        opset_version=20,
        verbose=False,
        input_names=["ids", "mask"],
        output_names=["logits"],
        external_data=False,
        dynamic_shapes={"ids": axes, "mask": axes},
    )
    made = as_sums(program.model_proto)
    assert (made is None) == (kind != "taken")
    if made is not None:
        run = SessionRun(device.session(made.SerializeToString(), "cpu"))
        mask[1, 4:] = False
        theirs = Adds(kind)(ids, mask).detach().numpy()
        assert np.abs(run({"ids": ids.numpy(), "mask": mask.numpy()}) - theirs).max() < 0.1


def test_a_corrupt_bundle_on_the_command_line(copy: Path, cli: Cli) -> None:
    for file in copy.glob("*.onnx"):  # which of them is used was measured at the export
        file.write_bytes(b"")
    done = cli("sentiment", "--model", copy, stdin=b"oi\n")
    assert done.returncode == 4
    assert done.stderr.count(b"\n") == 1
    assert b"hash differs" in done.stderr


def test_an_unknown_precision_is_said(copy: Path) -> None:
    with pytest.raises(UsageError, match="fp64.*fp32"):
        open_bundle(copy, device="cpu", precision="fp64")


SHIPPED = [
    (path.parent, precision)
    for path in BUNDLED
    for precision in json.loads(path.read_text(encoding="utf-8"))["precisions"]
]


@pytest.mark.parametrize(("path", "precision"), [pair for pair in SHIPPED if pair[1] != "fp16"])
def test_scores_are_equal_to_the_last_bit_in_any_company(path: Path, precision: str) -> None:
    model = nlpkit.load(str(path), device="cpu", precision=precision)
    texts = TEXTS * 4 + ["bom dia " * n for n in range(1, 30)]
    together = model.outputs(texts)
    for size in (1, 3, 7):
        for start in range(0, len(texts), size):
            some = model.outputs(texts[start : start + size])
            for one, other in zip(some, together[start : start + size], strict=True):
                assert (one is None and other is None) or np.array_equal(one, other)


@pytest.mark.parametrize(("path", "precision"), SHIPPED)
def test_a_bundled_model_gives_its_golden_answers(path: Path, precision: str) -> None:
    lines = (path / "golden.jsonl").read_text(encoding="utf-8").splitlines()
    golden = [json.loads(line) for line in lines]
    model = open_bundle(path, device="cpu", precision=precision)
    answers = model.predict([line.pop("text") for line in golden])
    exact = precision == json.loads((path / "bundle.json").read_text())["cpu_precision"]
    for line, answer in zip(golden, answers, strict=True):
        assert (answer is None) == (not line or line.get("label") == "")
        if answer is None:
            continue
        scores, said = line.pop("scores", {}), answer.plain()
        assert {label: said["scores"][label] for label in scores} == pytest.approx(
            scores, abs=2e-4 if exact else 0.05
        )
        said.pop("scores", None)
        assert said == line or not exact


def test_the_bundled_models_are_there() -> None:
    found = {
        json.loads(path.read_text())["architecture"]["name"]: path.parent.name for path in BUNDLED
    }
    assert {"ngrams", "lstm", "atnet", "transformer"} <= found.keys()
    assert (zoo.find_bundle("sentiment") / "model.int8.onnx").exists()
    sizes = [sum(file.stat().st_size for file in path.parent.iterdir()) for path in BUNDLED]
    assert max(sizes) < 30e6
    assert sum(sizes) < 80e6
