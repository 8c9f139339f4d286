"""Export a run: convert, measure, and only then write the bundle, whole."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import torch

from nlpkit.chain import links_of
from nlpkit.errors import GateError, UsageError
from nlpkit.exporting import gate
from nlpkit.exporting.card import model_card
from nlpkit.exporting.golden import golden_lines
from nlpkit.exporting.onnx import to_onnx
from nlpkit.exporting.precision import PRECISIONS
from nlpkit.runtime import device
from nlpkit.runtime.bundle import FORMAT, MANIFEST, open_bundle, read_manifest
from nlpkit.runtime.model import Model
from nlpkit.runtime.session import SessionRun
from nlpkit.settings.recipe import Recipe
from nlpkit.settings.sections import Export
from nlpkit.tasks import Task
from nlpkit.training.data import Split
from nlpkit.version import __version__

Listener = Callable[[gate.Report], None]


def export(
    model: Model,
    recipe: Recipe,
    summary: dict[str, Any],
    dev: Split,
    folder: Path,
    *,
    limits: Export,
    listener: Listener,
) -> dict[str, Any]:
    """Write the bundle of a torch-backed model and return its manifest.

    Raises:
        GateError: a precision exceeded a limit; nothing was written.
        UsageError, ModelError: the output is something other than a bundle.
    """
    _check_output(folder)
    float_model = to_onnx(model.run.network, model.encoder)  # type: ignore[attr-defined]
    held = gate.Gate(model, dev)
    files: dict[str, bytes] = {}
    reports: list[gate.Report] = []
    for name in [name for name in PRECISIONS if name in limits.precisions]:
        made = PRECISIONS[name](float_model)
        if made is None:  # this precision has nothing to offer to this network
            continue
        content = made.SerializeToString()
        files[_file(name)] = content
        run = SessionRun(device.session(content, "cpu"))
        alone = SessionRun(device.session(content, "cpu", threads=1))
        reports.append(held.measure(name, len(content), run, alone))
        listener(reports[-1])
    if not files:
        raise UsageError("export.precisions names none that suits this network; add fp32")
    failures = [line for report in reports for line in report.failures(limits)]
    if failures:
        raise GateError(
            f"nothing was written; limits exceeded: {'; '.join(failures)}. "
            "Leave the precision out, or widen a limit with --set export.KEY=VALUE"
        )
    files["tokenizer.json"] = model.encoder.to_json().encode()
    manifest = _manifest(recipe, summary, reports, folder.name, model.task)
    return _write(folder, files, manifest, model.task)


def _file(precision: str) -> str:
    return "model.onnx" if precision == "fp32" else f"model.{precision}.onnx"


def _check_output(folder: Path) -> None:
    """Only a bundle may be replaced, and only one that holds nothing else."""
    if (
        folder.name in ("", "..")
        or folder.is_symlink()
        or (folder.exists() and not folder.is_dir())
    ):
        raise UsageError(f"{folder}: name a folder to write, such as export/mine")
    there = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if there and MANIFEST not in there:
        raise UsageError(f"{folder} is not empty and not a bundle; choose another --output")
    if there:
        read_manifest(folder)  # refuses a folder that holds anything beside its bundle


def _manifest(
    recipe: Recipe, summary: dict[str, Any], reports: Sequence[gate.Report], name: str, task: Task
) -> dict[str, Any]:
    tree = recipe.to_dict()
    del tree["data"]  # its files, with licences, are under training; its paths tell nobody anything
    return {
        "format": FORMAT,
        "name": name,
        "version": "1",
        "task": summary["task"],
        "architecture": tree["architecture"] | {"vocab_size": summary["vocab_size"]},
        "parameters": summary["parameters"],
        "labels": list(task.shown),
        "languages": list(recipe.data.languages),
        "steps": [link.settled() for link in links_of(recipe.preprocess.steps)],
        "window": recipe.tokenizer.window,
        "overlap": recipe.tokenizer.overlap,
        "temperature": summary["temperature"],
        "precisions": {
            report.precision: {"file": _file(report.precision)} | _without_name(report)
            for report in reports
        },
        "cpu_precision": _fastest(reports),
        "training": {
            "recipe": tree,
            "data": summary["data"] | {"seen": [asdict(source) for source in recipe.data.seen]},
            "init": summary.get("init"),
            "teachers": [Path(name).name for name in summary.get("teachers", [])],
            "best_epoch": summary["best_epoch"],
        },
        "score": task.score,
        "scores": {"dev": summary["dev"], "dev_files": summary.get("dev_files", [])},
        "tools": {
            "nlpkit": __version__,
            "torch": torch.__version__,
            "onnx": onnx.__version__,
            "onnxruntime": onnxruntime.__version__,
        },
    }


def _without_name(report: gate.Report) -> dict[str, Any]:
    return {key: value for key, value in report.to_dict().items() if key != "precision"}


def _fastest(reports: Sequence[gate.Report]) -> str:
    """Return what a CPU should load: fp32, or int8 when it costs no speed worth naming."""
    speed = {report.precision: report.docs_per_second for report in reports}
    if "fp32" not in speed:
        return "int8" if "int8" in speed else reports[0].precision
    return "int8" if speed.get("int8", 0.0) >= 0.95 * speed["fp32"] else "fp32"


def _write(
    folder: Path, files: dict[str, bytes], manifest: dict[str, Any], task: Task
) -> dict[str, Any]:
    """Write beside, try the bundle there, then rename."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        part.chmod(0o755)
        files["README.md"] = model_card(manifest, task).encode()
        _put(part, files, manifest)
        golden = golden_lines(open_bundle(part, device="cpu")).encode()
        _put(part, files | {"golden.jsonl": golden}, manifest)
        open_bundle(part, device="cpu")
        old = part.with_name(part.name + ".old")
        if folder.exists():
            os.replace(folder, old)
        os.replace(part, folder)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return manifest


def _put(part: Path, files: dict[str, bytes], manifest: dict[str, Any]) -> None:
    for name, content in files.items():
        (part / name).write_bytes(content)
    manifest["files"] = {
        name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
    (part / MANIFEST).write_text(text, encoding="utf-8")
