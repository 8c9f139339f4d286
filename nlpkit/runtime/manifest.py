"""Read and check bundle.json, the manifest of a bundle, before any other file is loaded.

Format 2 lists graphs, each with its inputs, outputs and a file for each precision. Format 1, with
one network from ids and mask, is read as a single graph "main".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nlpkit.errors import ModelError, UsageError, near_match, quoted
from nlpkit.runtime.graphs import MAIN, Signature

FORMAT = 2
READ = (1, 2)
LARGEST = 1 << 24  # bytes of bundle.json; the bundled models have 54 kB
LONGEST_WINDOW = 1 << 20
NAME = "bundle.json"
COMMON = (
    "name",
    "languages",
    "parameters",
    "score",
    "scores",
    "task",
    "architecture",
    "window",
    "overlap",
    "precisions",
    "files",
)
NEEDED = {1: (*COMMON, "temperature"), 2: (*COMMON, "graphs", "tokenizer")}


class Graph(NamedTuple):
    """One graph of a bundle; `signature` is None in format 1, which does not store it."""

    signature: Signature | None
    files: Mapping[str, str]  # precision -> file


class Manifest(NamedTuple):  # a dataclass would add 1 ms to every start
    """The contents of bundle.json; `tree` is the whole JSON, with the parts only for display."""

    name: str
    task: Mapping[str, Any]  # the argument of `nlpkit.tasks.build`
    architecture: str
    languages: tuple[str, ...]
    labels: tuple[str, ...]  # for display only
    parameters: int
    window: int  # tokens
    overlap: int  # tokens
    graphs: Mapping[str, Graph]
    precisions: Mapping[str, Mapping[str, Any]]  # precision -> the measurements of the export gate
    cpu_precision: str
    tokenizer_kind: str
    tokenizer_file: str
    steps: tuple[Any, ...]
    score: str
    dev: Mapping[str, Any]
    files: Mapping[str, str]  # file -> SHA-256
    tree: Mapping[str, Any]
    cascade: Mapping[str, Any] | None = None  # of a bundle that joins two others

    def precision(self, wanted: str, device: str) -> str:
        """Return the precision to load on a device; "auto" takes fp16 on CUDA if there is one.

        Raises:
            UsageError: the bundle does not have the precision.
        """
        if wanted == "auto":
            if device == "cuda" and "fp16" in self.precisions:
                return "fp16"
            return self.cpu_precision
        if wanted not in self.precisions:
            raise UsageError(
                f"{self.name} has no precision {wanted!r}.{near_match(wanted, self.precisions)} "
                f"It has: {', '.join(self.precisions)}"
            )
        return wanted

    def bytes_of(self, precision: str) -> int:
        """Return the size of a precision's files in bytes, as the export measured it."""
        if self.cascade is not None:
            return 0
        return int(self.precisions[precision]["bytes"])


def read(folder: Path) -> Manifest:
    """Read bundle.json, and check its values and the names of the folder's files; load no model.

    Raises:
        ModelError: the manifest is missing, damaged or of another format, or the folder lacks a
            listed file or has an unlisted one.
    """
    tree = _tree(folder / NAME)
    version = tree.get("format") if isinstance(tree, dict) else None
    if version not in READ:
        raise ModelError(
            f"{quoted(folder)}: has bundle format {version!r}, this nlpkit reads "
            f"{' and '.join(map(str, READ))}; upgrade nlpkit or export the model again"
        )
    if lacking := [key for key in NEEDED[version] if key not in tree]:
        raise ModelError(
            f"{quoted(folder / NAME)}: lacks {', '.join(lacking)}; export the model again"
        )
    try:
        manifest = _manifest(tree)
        sound = _is_sound(manifest)
    except (AttributeError, KeyError, TypeError, ValueError):
        sound = False
    if not sound:
        raise ModelError(
            f"{quoted(folder / NAME)}: has a value of the wrong type or out of range; "
            "export the model again"
        )
    _check_files(folder, manifest)
    return manifest


def _tree(path: Path) -> Any:
    """Return the JSON of bundle.json. Raise ModelError if it cannot be read."""
    if path.exists() and not (path.is_file() and path.stat().st_size < LARGEST):
        raise ModelError(
            f"{quoted(path)}: not a file of less than {LARGEST >> 20} MB; install the model again"
        )
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ModelError(
            f"{quoted(path)}: {problem.strerror}; name the folder of a bundle"
        ) from None
    except (ValueError, RecursionError) as problem:
        raise ModelError(f"{quoted(path)}: damaged ({problem}); install the model again") from None


def _manifest(tree: dict[str, Any]) -> Manifest:
    """Build the manifest from the JSON of either format."""
    second = tree["format"] == 2
    tokenizer = tree["tokenizer"] if second else _first_tokenizer(tree)
    return Manifest(
        name=tree["name"],
        task=tree["task"] if second else _first_task(tree),
        architecture=tree["architecture"]["name"],
        languages=tuple(tree["languages"]),
        labels=tuple(tree["labels"]),
        parameters=tree["parameters"],
        window=tree["window"],
        overlap=tree["overlap"],
        graphs=_graphs(tree["graphs"]) if second else _first_graphs(tree),
        precisions=tree["precisions"],
        cpu_precision=tree.get("cpu_precision", "fp32"),
        tokenizer_kind=tokenizer["kind"],
        tokenizer_file=tokenizer["file"],
        steps=tuple(tree.get("steps") or ()),
        score=tree["score"],
        dev=tree["scores"]["dev"],
        files=tree["files"],
        tree=tree,
        cascade=tree.get("cascade"),
    )


def _graphs(tables: Mapping[str, Any]) -> dict[str, Graph]:
    return {
        name: Graph(Signature(_axes(table["inputs"]), _axes(table["outputs"])), table["files"])
        for name, table in tables.items()
    }


def _axes(table: Mapping[str, Any]) -> dict[str, tuple[str | int, ...]]:
    if not all(isinstance(axis, str | int) for axes in table.values() for axis in axes):
        raise TypeError("axes are names and numbers")
    return {name: tuple(axes) for name, axes in table.items()}


def _first_graphs(tree: Mapping[str, Any]) -> dict[str, Graph]:
    files = {name: entry["file"] for name, entry in tree["precisions"].items()}
    return {MAIN: Graph(None, files)}


def _first_task(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return the task of format 1 with its temperature; 1 means that it is not calibrated."""
    temperature = tree["temperature"]
    if type(temperature) is not float or not 1e-3 < temperature < 1e3:
        raise ValueError(f"temperature {temperature!r}")
    calibrated = {} if temperature == 1.0 else {"temperature": temperature}
    return {**tree["task"], **calibrated}


def _first_tokenizer(tree: Mapping[str, Any]) -> dict[str, str]:
    kind = tree["training"]["recipe"]["tokenizer"]["kind"]
    return {"kind": kind, "file": "tokenizer.json"}


def _is_sound(manifest: Manifest) -> bool:
    """Return whether the values that loading relies on have valid types and ranges."""
    window, overlap = manifest.window, manifest.overlap
    graphs = manifest.graphs.values()
    return (
        isinstance(manifest.name, str)
        and isinstance(manifest.parameters, int)
        and isinstance(manifest.tree["architecture"]["name"], str)
        and all(isinstance(item, str) for item in (*manifest.languages, *manifest.labels))
        and isinstance(manifest.dev[manifest.score], float)
        and all(isinstance(digest, str) for digest in manifest.files.values())
        and all(isinstance(entry["bytes"], int) for entry in manifest.precisions.values())
        and _has_network(manifest)
        and all(graph.files.keys() == manifest.precisions.keys() for graph in graphs)
        and all(isinstance(file, str) for graph in graphs for file in graph.files.values())
        and isinstance(manifest.tokenizer_kind, str)
        and isinstance(manifest.tokenizer_file, str)
        and type(window) is type(overlap) is int
        and 0 <= overlap < window < LONGEST_WINDOW
    )


def _has_network(manifest: Manifest) -> bool:
    """Return whether the bundle has graphs in its precision for CPUs, or the rule of a cascade."""
    if (rule := manifest.cascade) is None:
        return bool(manifest.graphs) and manifest.cpu_precision in manifest.precisions
    numbers = (rule["threshold"], rule["weight"], rule["temperature"])
    return (
        not manifest.graphs
        and all(isinstance(rule[part], str) for part in ("fast", "best"))
        and all(isinstance(number, float) for number in numbers)
        and rule["temperature"] > 0
    )


def _check_files(folder: Path, manifest: Manifest) -> None:
    """Raise ModelError unless the folder has exactly the files that the manifest lists."""
    listed = manifest.files
    for name in listed:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            raise ModelError(
                f"{quoted(folder / NAME)}: names {name!r}, which is outside the bundle; "
                "export the model again"
            )
    present = {path.name for path in folder.iterdir()}
    if missing := sorted(set(listed) - present):
        raise ModelError(
            f"{quoted(folder)}: {', '.join(missing)} is missing; install the model again"
        )
    if extra := sorted(present - set(listed) - {NAME}):
        raise ModelError(
            f"{quoted(folder)}: {', '.join(extra)} does not belong to "
            "the bundle; remove it and try again"
        )
    used = [file for graph in manifest.graphs.values() for file in graph.files.values()]
    used += [manifest.tokenizer_file] if manifest.cascade is None else []
    if unknown := [name for name in used if name not in listed]:
        raise ModelError(
            f"{quoted(folder / NAME)}: {unknown[0]!r} has no hash; export the model again"
        )
