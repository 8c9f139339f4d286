"""The outcome of one input of a batch, as it is stored in manifest.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from nlpkit.batch.plan import Item
from nlpkit.batch.url import Url

State = dict[str, Any]  # `size` and other JSON values that change when the file changes


def state_of(path: Path | Url) -> State:
    """Return the size of a file in bytes, and the values that show a change of it.

    Raises:
        OSError: the file cannot be read.
    """
    if isinstance(path, Url):
        return path.state()
    stat = path.stat()
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "inode": stat.st_ino}


def input_of(item: Item) -> State:
    """Return the path and the state of an item's input.

    Raises:
        OSError: the file cannot be read.
    """
    return {"path": str(item.path), **state_of(item.path)}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of an input: an output or a problem.

    `truncated` counts the records that the model did not read to the end. `replaced` names the
    columns of the input that the answer replaces. `sha256` and `bytes` describe the output;
    `rejected_to` is the file of its bad records, relative to the batch's folder. The manifest has
    the fields in this order.
    """

    input: State  # the path and, if the input was read, its state at that time
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
        """Return the outcome as JSON values for the manifest."""
        if self.problem is not None:
            return {"input": self.input, "problem": self.problem}
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_dict(cls, table: Any) -> Outcome:
        """Return the outcome of a manifest's JSON; keys of other versions are ignored.

        Raises:
            ValueError: the input is missing, or a value has the wrong type.
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
