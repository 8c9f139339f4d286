"""Export of a run: convert the network, hold it against the gate, then write the whole bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import torch

from nlpkit.abilities import Equipped
from nlpkit.errors import GateError, UsageError
from nlpkit.exporting import gate
from nlpkit.exporting.card import model_card
from nlpkit.exporting.onnx import Exported, to_onnx
from nlpkit.exporting.precision import PRECISIONS, WRITTEN
from nlpkit.exporting.samples import samples
from nlpkit.runtime import device
from nlpkit.runtime.graphs import MAIN, STEP, Signature
from nlpkit.runtime.manifest import FORMAT
from nlpkit.runtime.model import Model
from nlpkit.runtime.session import SessionRun
from nlpkit.runtime.shelving import check_output, write_bundle
from nlpkit.settings.links import links_of
from nlpkit.settings.recipe import Recipe
from nlpkit.settings.sections import Export
from nlpkit.training.data import Split
from nlpkit.training.summary import RunSummary
from nlpkit.version import __version__
from nlpkit.zoo import open_bundle

TOKENIZER = "tokenizer.json"
Listener = Callable[[gate.Report], None]


def export(
    model: Model,
    recipe: Recipe,
    summary: RunSummary,
    dev: Split,
    folder: Path,
    *,
    limits: Export,
    listener: Listener,
) -> dict[str, Any]:
    """Write the bundle of a torch-backed model and return its manifest.

    `listener` receives the gate's report of each precision.

    Raises:
        GateError: a precision exceeded a limit; nothing was written.
        UsageError, ModelError: the output is not a bundle, or no precision suits the network.
    """
    check_output(folder)
    run: Any = model.run
    graphs = to_onnx(run.network, model.tokenizer)
    reference = gate.Gate(model, run, dev)
    signatures = {name: graph.signature for name, graph in graphs.items()}
    files: dict[str, bytes] = {}
    reports: list[gate.Report] = []
    runs: dict[str, SessionRun] = {}
    for precision in [name for name in PRECISIONS if name in limits.precisions]:
        contents = _contents(graphs, precision)
        if contents is None:
            continue
        files |= {_file(name, precision): content for name, content in contents.items()}
        half = precision == "fp16"
        all_threads, one_thread = (_run(contents, signatures, n, half) for n in (0, 1))
        runs[precision] = all_threads
        size = sum(map(len, contents.values()))
        reports.append(reference.measure(precision, size, all_threads, one_thread))
        listener(reports[-1])
    if not files:
        raise UsageError("export.precisions: none of them suits this network; add fp32")
    failures = [line for report in reports for line in report.failures(limits)]
    if failures:
        raise GateError(
            f"nothing was written; limits exceeded: {'; '.join(failures)}. "
            "A network whose answers depend on padding or on the rest of the batch must be "
            f"corrected; otherwise leave the precision out{_advice(reports, limits)}, or widen a "
            "limit with --set export.KEY=VALUE"
        )
    files[TOKENIZER] = model.tokenizer.to_json().encode()
    if isinstance(model.task, Equipped):
        files |= model.task.files
    manifest = _manifest(recipe, summary, reports, folder.name, model, signatures)
    shown = ""
    if limits.samples:
        exported = replace(model, run=runs[manifest["cpu_precision"]])
        shown = samples(exported, limits.samples, recipe.folder)
    files["README.md"] = model_card(manifest, model.task, shown).encode()
    write_bundle(folder, files, manifest, partial(open_bundle, device="cpu"))
    return manifest


def _advice(reports: Sequence[gate.Report], limits: Export) -> str:
    """Return the option that names the precisions within the limits, if there are any."""
    passed = [report.precision for report in reports if not report.failures(limits)]
    return f" (--precision {','.join(passed)})" if passed else ""


def _contents(graphs: Mapping[str, Exported], precision: str) -> dict[str, bytes] | None:
    """Return the bytes of each graph's file, or None where the precision changes no graph."""
    rounded = (WRITTEN if STEP in graphs else PRECISIONS)[precision]
    models = {name: rounded(graph.model) for name, graph in graphs.items()}
    if not any(models.values()):
        return None
    return {
        name: (model or graphs[name].model).SerializeToString() for name, model in models.items()
    }


def _run(
    contents: Mapping[str, bytes], signatures: Mapping[str, Signature], threads: int, half: bool
) -> SessionRun:
    sessions = {
        name: device.session(content, "cpu", threads=threads, half=half)
        for name, content in contents.items()
    }
    return SessionRun(sessions, signatures)


def _file(graph: str, precision: str) -> str:
    name = "model" if graph == MAIN else graph
    return f"{name}.onnx" if precision == "fp32" else f"{name}.{precision}.onnx"


def _manifest(
    recipe: Recipe,
    summary: RunSummary,
    reports: Sequence[gate.Report],
    name: str,
    model: Model,
    signatures: Mapping[str, Signature],
) -> dict[str, Any]:
    tree, task = recipe.to_dict(), model.task
    del tree["data"]  # "training" lists the files and licences; local paths mean nothing elsewhere
    return {
        "format": FORMAT,
        "name": name,
        "version": "1",
        "task": {"name": recipe.task.name} | task.describe(),
        "architecture": (tree.get("architecture") or tree["decoder"])
        | {"vocab_size": summary.vocab_size},
        "parameters": summary.parameters,
        "labels": list(task.shown),
        "languages": list(recipe.data.languages),
        "steps": [link.settled() for link in links_of(recipe.preprocess.steps)],
        "window": recipe.tokenizer.window,
        "overlap": recipe.tokenizer.overlap,
        "tokenizer": {"kind": model.tokenizer.kind, "file": TOKENIZER},
        "graphs": {
            graph: signature.to_dict()
            | {"files": {r.precision: _file(graph, r.precision) for r in reports}}
            for graph, signature in signatures.items()
        },
        "precisions": {report.precision: _without_name(report) for report in reports},
        "cpu_precision": _fastest(reports),
        "training": {
            "recipe": tree,
            "data": dict(summary.data) | {"seen": [asdict(source) for source in recipe.data.seen]},
            "init": summary.init,
            "teachers": [Path(name).name for name in summary.teachers],
            "best_epoch": summary.best_epoch,
        },
        "score": task.score,
        "scores": {"dev": summary.dev, "dev_files": list(summary.dev_files)},
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
    """Return the smallest precision with 95% of the best speed on a CPU; fp16 only if alone."""
    suitable = [report for report in reports if report.precision != "fp16"] or list(reports)
    best = max(report.docs_per_second for report in suitable)
    fast = [report for report in suitable if report.docs_per_second >= 0.95 * best]
    return min(fast, key=lambda report: report.bytes).precision
