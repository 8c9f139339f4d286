"""What a check sees (Data) and what it says (Finding)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from nlpkit.checking.rows import File, Row

ERROR, WARNING, INFO = "error", "warning", "info"
SEVERITIES = (ERROR, WARNING, INFO)

TRAIN, DEV, TEST, EXCLUDE = "train", "dev", "test", "exclude"


@dataclass(frozen=True)
class Example:
    """The rows (FILE:LINE) that show a finding, with their text and what is wrong with it."""

    places: tuple[str, ...]
    text: str
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing to know about the data: how bad, what, how often, and what to do about it."""

    check: str
    severity: str
    message: str
    mend: str
    count: int
    examples: Iterable[Example] = ()
    files: Mapping[str, int] = field(default_factory=dict)  # rows of each file

    def plain(self, show: int) -> dict[str, Any]:
        """Return plain values with at most `show` examples."""
        shown = [asdict(example) for example in islice(self.examples, show)]
        values = {key: getattr(self, key) for key in ("check", "severity", "message", "mend")}
        files = dict(Counter(self.files).most_common())
        return values | {"count": self.count, "files": files, "examples": shown}


@dataclass(frozen=True)
class Data:
    """All files that are checked together, and what they are meant for."""

    files: Sequence[File]
    window: int
    unit: str  # how its tokens are counted
    training: bool = False  # a recipe's: training drops what stands in dev or in exclude
    known: Sequence[str] = ()  # the labels that the recipe's task has, whatever the data

    @property
    def checked(self) -> list[File]:
        """The files whose own rows matter: excluded ones only tell what others must not hold."""
        return [file for file in self.files if file.split != EXCLUDE]

    @cached_property
    def copies(self) -> list[list[tuple[File, Row]]]:
        """The rows of each text that stands in more than one row, in their order."""
        found: dict[bytes, list[tuple[File, Row]]] = {}
        for file in self.files:
            for row in file.rows:
                if row.key is not None:
                    found.setdefault(row.key, []).append((file, row))
        return [rows for rows in found.values() if len(rows) > 1]

    def labels(self) -> dict[str, Counter[str]]:
        """Return how many rows each split has of each label."""
        found: dict[str, Counter[str]] = {}
        for file in self.checked:
            if file.labelled:
                found.setdefault(file.split, Counter()).update(file.labels)
        return found


def plural(count: int, noun: str) -> str:
    """Return the number with its noun: 1 row, 2,000 rows."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
