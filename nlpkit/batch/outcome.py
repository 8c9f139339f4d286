"""The outcome of one input of a batch: what manifest.json keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from nlpkit.batch.plan import Item
from nlpkit.batch.url import Url

State = dict[str, Any]  # `size` and others, as JSON has them: they change when the file does


def state_of(path: Path | Url) -> State:
    """Return the state of a file. Raises OSError."""
    if isinstance(path, Url):
        return path.state()
    stat = path.stat()
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "inode": stat.st_ino}


def input_of(item: Item) -> State:
    """Return the path and the state of an item's input. Raises OSError."""
    return {"path": str(item.path), **state_of(item.path)}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an input ended: with an output, or with a problem.

    `truncated` counts the records that the model did not read to their end, `replaced` are the
    input's own columns that the answer took the place of. `sha256` and `bytes`
    are the output's, `rejected_to` is the file of its bad records, all in the batch's folder. The
    order of the fields is that of the manifest.
    """

    input: State  # its path and, of one that was read, its state then
    records: int = 0
    rejects: int = 0
    truncated: int = 0
    replaced: list[str] | None = None
    output: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    rejected_to: str | None = None
    seconds: float | None = None
    problem: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as the manifest keeps it."""
        if self.problem is not None:
            return {"input": self.input, "problem": self.problem}
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_dict(cls, table: Any) -> Outcome:
        """Return the outcome that a manifest keeps, of any version.

        Raises:
            ValueError: it holds values of other types.
        """
        if not isinstance(table, Mapping) or "input" not in table:
            raise ValueError("no table with an input")
        known = {name: value for name, value in table.items() if name in TYPES}
        for name, value in known.items():
            if not isinstance(value, TYPES[name]):
                raise ValueError(f"{name} is {value!r}")
        return cls(**known)


TYPES: dict[str, type | tuple[type, ...]] = {
    "input": dict,
    "records": int,
    "rejects": int,
    "truncated": int,
    "replaced": list,
    "output": str,
    "sha256": str,
    "bytes": int,
    "rejected_to": str,
    "seconds": (int, float),
    "problem": str,
}
