"""Read and write run.json, the summary of a finished run; a run writes it last.

Scores and counts are plain mappings, since they differ from task to task.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from nlpkit.training import checkpoint

FORMAT = 1
RUN = "run.json"


class _Summary:
    """A dataclass that run.json stores."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"format": FORMAT} | dataclasses.asdict(self)  # type: ignore[call-overload]

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any]) -> Self:
        """Return a stored summary; fields that an older one lacks get their defaults.

        Raises:
            KeyError: a field without a default is missing.
        """
        fields: Any = dataclasses.fields(cls)  # type: ignore[arg-type]
        needed = {f.name for f in fields if f.default is f.default_factory is dataclasses.MISSING}
        names = [f.name for f in fields if f.name in needed or f.name in tree]
        return cls(**{name: tree[name] for name in names})

    def write(self, folder: Path) -> None:
        """Write run.json."""
        text = json.dumps(self.to_dict(), ensure_ascii=False, indent=2)
        checkpoint.save_text(folder / RUN, text + "\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSummary(_Summary):
    """The summary of a training run; `init` is the entry of the run that it started from."""

    name: str
    task: Mapping[str, Any]  # the argument of `tasks.build`
    vocab_size: int
    parameters: int
    epochs: int
    best_epoch: int
    temperature: float
    dev: Mapping[str, Any]
    dev_files: Sequence[Mapping[str, Any]] = ()
    data: Mapping[str, Any]  # the `FileCount`s of train and dev
    init: Mapping[str, Any] | None = None
    teachers: Sequence[str] = ()
    seconds: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class PretrainingSummary(_Summary):
    """The summary of a pretraining run; `dev` has the scores of the best encoder."""

    name: str
    objective: str
    architecture: str
    vocab_size: int
    parameters: int
    steps: int
    dev: Mapping[str, float]
    data: Mapping[str, Any]
    init: Mapping[str, Any] | None = None
    seconds: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)


def read(folder: Path) -> RunSummary | PretrainingSummary:
    """Read run.json.

    Raises:
        FileNotFoundError: there is no run.json.
        KeyError, ValueError: run.json is damaged.
    """
    tree = json.loads((folder / RUN).read_text(encoding="utf-8"))
    if not isinstance(tree, dict):
        raise ValueError("not a JSON object")
    kind = PretrainingSummary if "objective" in tree else RunSummary
    return kind.from_dict(tree)
