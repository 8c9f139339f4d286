"""List the models that can be run and the architectures that can be trained."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nlpkit import catalog, metrics, tasks, zoo
from nlpkit.errors import ModelError, quoted
from nlpkit.runtime import manifest as manifests, rules
from nlpkit.runtime.manifest import Manifest
from nlpkit.settings.declaration import described


@dataclass(frozen=True)
class Entry:
    """A model that can be run: a bundle, or rules, which have no weights and no dev score.

    `bytes` is the size of its files for the CPU, 0 for a cascade; `score` names the task's metric,
    and `dev` has the scores on dev.
    """

    name: str
    task: str
    architecture: str
    languages: tuple[str, ...]
    labels: tuple[str, ...]
    parameters: int
    bytes: int
    precisions: tuple[str, ...]
    score: str
    path: str
    dev: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, with each dev score as a field."""
        plain = {key: value for key, value in asdict(self).items() if key != "dev"}
        lists = {key: list(v) if isinstance(v, tuple) else v for key, v in plain.items()}
        return lists | dict(self.dev)


@dataclass(frozen=True)
class Damaged:
    """A bundle that cannot be used; `problem` is the reason."""

    name: str
    path: str
    problem: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def bundles() -> list[Entry | Damaged]:
    """Return all bundles, then the rules whose package is installed."""
    entries = [_described(folder) for folder in zoo.bundle_folders()]
    return entries + [_rules(name, source) for name, source in rules.installed().items()]


def _described(folder: Path) -> Entry | Damaged:
    try:
        return _entry(folder, manifests.read(folder))
    except (ModelError, KeyError, TypeError, AttributeError) as problem:
        reason = str(problem)
        if not isinstance(problem, ModelError):
            reason = f"{quoted(folder)}: damaged ({problem!r}); install the model again"
        return Damaged(folder.name, str(folder), reason)


def _entry(folder: Path, manifest: Manifest) -> Entry:
    return Entry(
        name=manifest.name,
        task=catalog.current("tasks", manifest.task["name"]),
        architecture=manifest.architecture,
        languages=manifest.languages,
        labels=manifest.labels,
        parameters=manifest.parameters,
        bytes=manifest.bytes_of(manifest.cpu_precision),
        precisions=tuple(manifest.precisions),
        score=manifest.score,
        path=str(folder),
        dev=metrics.numbers(manifest.dev),
    )


def _rules(name: str, source: rules.Source) -> Entry:
    return Entry(
        name=name,
        task="sentiment",
        architecture="rules",
        languages=(source.language,),
        labels=rules.LABELS,
        parameters=0,
        bytes=source.file_bytes(),
        precisions=(),
        score=tasks.class_of("sentiment").score,
        path=str(source.folder()),
        dev={},
    )


@dataclass(frozen=True)
class Setting:
    """A setting of a network: its key, default and help."""

    key: str
    default: Any
    help: str


@dataclass(frozen=True)
class Network:
    """An architecture or a decoder that can be trained, with advice on when to use it."""

    name: str
    description: str
    use_when: str
    settings: tuple[Setting, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def networks(kind: str) -> list[Network]:
    """Return all networks of a kind: architectures or decoders.

    Raises:
        MissingExtra: torch is not installed.
    """
    return [_network(kind, name) for name in catalog.names(kind)]


def _network(kind: str, name: str) -> Network:
    module = catalog.load(kind, name)
    text = inspect.getdoc(module) or ""
    advice = next((part for part in text.split("\n\n") if part.startswith("Use when: ")), "")
    return Network(
        name=name,
        description=text.splitlines()[0] if text else "",
        use_when=" ".join(advice.removeprefix("Use when: ").split()),
        settings=tuple(Setting(*setting) for setting in described(module.Config)),
    )
