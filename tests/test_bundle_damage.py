"""Damaged or hostile bundles are refused, and foreign files are never deleted."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import onnx
import pytest
from conftest import TEXTS, Cli, Made
from onnx import TensorProto, helper

from nlpkit.errors import ModelError, UsageError
from nlpkit.jobs.export import export
from nlpkit.zoo import open_bundle


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


def test_damaged_or_hostile_bundles_are_refused(copy: Path) -> None:
    manifest = json.loads((copy / "bundle.json").read_text())
    for version in (99, 3, 0, "2", None):
        edit(copy, format=version)
        refused(copy, f"format {version!r}")
    edit(copy, **manifest)
    edit(copy, files=manifest["files"] | {"../../etc/passwd": "0"})
    refused(copy, "outside the bundle")
    edit(copy, **manifest)
    (copy / "run_me.py").write_text("")
    refused(copy, "run_me.py does not belong")
    (copy / "run_me.py").unlink()
    tampered = (copy / "model.onnx").read_bytes()
    (copy / "model.onnx").write_bytes(tampered[:-1] + b"x")
    refused(copy, "SHA-256 differs")
    (copy / "model.onnx").write_bytes(tampered[: len(tampered) // 2])
    rehash(copy, "model.onnx")
    refused(copy, "can't load it")
    (copy / "model.onnx").write_bytes(tampered)
    rehash(copy, "model.onnx")
    edit(copy, task=manifest["task"] | {"labels": ["a", "b"]})
    refused(copy, "has 3 columns, the task needs 2")
    edit(copy, task=manifest["task"] | {"name": "nonsense"})
    refused(copy, "unknown task")
    for wrong in (
        {"labels": ["a", "a", "b"]},
        {"labels": "abc"},
        {"temperature": "x"},
        {"temperature": 0},
        {"temperature": float("nan")},
    ):
        edit(copy, task=manifest["task"] | wrong)
        refused(copy, "its task can't be rebuilt")
    edit(copy, task=[])
    refused(copy, "its task can't be rebuilt")
    edit(copy, task=manifest["task"])
    (copy / "tokenizer.json").write_text("{}")
    rehash(copy, "tokenizer.json")
    refused(copy, "tokenizer")
    (copy / "tokenizer.json").unlink()
    refused(copy, "tokenizer.json is missing")
    for wrong in (
        {"parameters": "many"},
        {"window": -1},
        {"overlap": 9999},
        {"cpu_precision": "int4"},
        {"precisions": {"fp32": "a"}},
        {"files": []},
        {"graphs": {}},
        {"graphs": []},
        {"graphs": {"main": {"inputs": {}, "outputs": {}}}},
        {"graphs": {"main": manifest["graphs"]["main"] | {"files": {"fp32": "model.onnx"}}}},
        {"graphs": {"main": manifest["graphs"]["main"] | {"inputs": {"ids": [["batch"]]}}}},
        {"tokenizer": {}},
        {"tokenizer": {"kind": 1, "file": "tokenizer.json"}},
    ):
        edit(copy, **manifest | wrong)
        refused(copy, "wrong type or out of range")
    (copy / "bundle.json").write_text("{")
    refused(copy, "damaged")


def test_graphs_that_differ_from_the_manifest_are_refused(copy: Path) -> None:
    manifest = json.loads((copy / "bundle.json").read_text())
    main = manifest["graphs"]["main"]
    for wrong in (
        {"inputs": {"mask": main["inputs"]["mask"], "ids": main["inputs"]["ids"]}},
        {"outputs": {"logits": ["batch", 3]}},
        {"outputs": main["outputs"] | {"logits": ["batch", 4]}},
        {"outputs": main["outputs"] | {"logits": ["batch", "time", 3]}},
    ):
        edit(copy, graphs={"main": main | wrong})
        refused(copy, "expected")
    edit(copy, graphs={"other": main})
    refused(copy, "the graph 'main' is missing, which the task needs")
    edit(copy, graphs={"main": main | {"files": dict.fromkeys(main["files"], "../secret")}})
    refused(copy, "'../secret' has no hash")


def in_the_first_format(folder: Path) -> dict[str, Any]:
    """Rewrite the manifest of a bundle in format 1 and return it."""
    tree = json.loads((folder / "bundle.json").read_text())
    files = tree.pop("graphs")["main"]["files"]
    del tree["tokenizer"]
    tree["temperature"] = tree["task"].pop("temperature", 1.0)
    tree["precisions"] = {
        name: {"file": files[name]} | report for name, report in tree["precisions"].items()
    }
    tree["format"] = 1
    (folder / "bundle.json").write_text(json.dumps(tree))
    return tree


def test_format_1_bundle_gives_the_same_answers(copy: Path) -> None:
    edit(copy, task=json.loads((copy / "bundle.json").read_text())["task"] | {"temperature": 1.7})
    now = {
        name: open_bundle(copy, device="cpu", precision=name) for name in ("fp32", "int8", "fp16")
    }
    assert in_the_first_format(copy)["temperature"] == 1.7
    for precision, model in now.items():
        before = open_bundle(copy, device="cpu", precision=precision)
        assert before.task.temperature == 1.7
        assert before.predict(TEXTS) == model.predict(TEXTS)
        assert dict(before.run.signatures["main"].outputs) == dict(
            model.run.signatures["main"].outputs
        )


def test_damaged_format_1_manifest_is_refused(copy: Path) -> None:
    manifest = in_the_first_format(copy)
    for wrong in (
        {"temperature": "x"},
        {"temperature": 0},
        {"temperature": float("nan")},
        {"precisions": {"fp32": {"bytes": 1}}},
        {"task": []},
        {"training": {}},
    ):
        edit(copy, **manifest | wrong)
        refused(copy, "wrong type or out of range")
    outside = {"precisions": {"fp32": {"file": "../x", "bytes": 1}}, "cpu_precision": "fp32"}
    edit(copy, **manifest | outside)
    refused(copy, "'../x' has no hash")
    del manifest["temperature"]
    (copy / "bundle.json").write_text(json.dumps(manifest))
    refused(copy, "lacks temperature")


def test_export_never_deletes_foreign_files(copy: Path, tiny_run: Made) -> None:
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


def test_corrupt_bundle_is_one_line_and_exit_code_4(copy: Path, cli: Cli) -> None:
    for file in copy.glob("*.onnx"):  # the export chose one by its speed
        file.write_bytes(b"")
    done = cli("sentiment", "--model", copy, stdin=b"oi\n")
    assert done.returncode == 4
    assert done.stderr.count(b"\n") == 1
    assert b"SHA-256 differs" in done.stderr


def test_unknown_precision_is_an_error(copy: Path) -> None:
    with pytest.raises(UsageError, match="fp64.*fp32"):
        open_bundle(copy, device="cpu", precision="fp64")
