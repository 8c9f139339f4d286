"""What there is: bundles that can be run, architectures that can be trained."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from nlpkit import catalog, zoo
from nlpkit.errors import ModelError
from nlpkit.runtime import rules
from nlpkit.settings.declaration import described
from nlpkit.tasks import numbers, sentiment


def bundles() -> list[dict[str, Any]]:
    """Return one plain dict for each bundle found, then for the rules whose package is installed.

    A damaged bundle has only name, path and problem; rules have neither weights nor a dev score.
    """
    found = [_described(folder) for folder in zoo.bundle_folders()]
    return found + [_rules(name, source) for name, source in rules.installed().items()]


def _described(folder: Path) -> dict[str, Any]:
    from nlpkit.runtime.bundle import read_manifest

    try:
        return _entry(folder, read_manifest(folder).manifest)
    except (ModelError, KeyError, TypeError, AttributeError) as problem:
        said = problem if isinstance(problem, ModelError) else f"{folder}: damaged ({problem!r})"
        return {"name": folder.name, "path": str(folder), "problem": str(said)}


def _entry(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    used = manifest["precisions"][manifest.get("cpu_precision", "fp32")]
    return {
        "name": manifest["name"],
        "task": manifest["task"]["name"],
        "architecture": manifest["architecture"]["name"],
        "languages": manifest["languages"],
        "labels": manifest["labels"],
        "parameters": manifest["parameters"],
        "bytes": used["bytes"],
        "precisions": list(manifest["precisions"]),
        "score": manifest["score"],
        "path": str(folder),
    } | numbers(manifest["scores"]["dev"])


def _rules(name: str, source: rules.Source) -> dict[str, Any]:
    return {
        "name": name,
        "task": "sentiment",
        "architecture": "rules",
        "languages": [source.language],
        "labels": list(sentiment.LABELS),
        "parameters": 0,
        "bytes": source.file_bytes(),
        "precisions": [],
        "score": sentiment.Task.score,
        "path": str(source.folder()),
    }


def architectures() -> list[dict[str, Any]]:
    """Return name, description, advice and settings of each architecture.

    Raises:
        MissingExtra: torch is not installed.
    """
    found = []
    for name in catalog.names("architectures"):
        module = catalog.load("architectures", name)
        text = inspect.getdoc(module) or ""
        advice = next((part for part in text.split("\n\n") if part.startswith("Use when: ")), "")
        found.append(
            {
                "name": name,
                "description": text.splitlines()[0],
                "use_when": " ".join(advice.removeprefix("Use when: ").split()),
                "settings": [
                    {"key": key, "default": default, "help": text}
                    for key, default, text in described(module.Config)
                ],
            }
        )
    return found
