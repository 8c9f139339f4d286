"""What a check says: a finding, how bad it is, and the rows that show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from typing import Any

ERROR, WARNING, INFO = "error", "warning", "info"
SEVERITIES = (ERROR, WARNING, INFO)


@dataclass(frozen=True)
class Example:
    """The rows (FILE:LINE) that show a finding, with their text and what is wrong with it."""

    places: tuple[str, ...]
    text: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing to know about the data: how bad, what, how often, and what to do about it."""

    severity: str
    message: str
    advice: str
    count: int
    examples: Iterable[Example] = ()
    files: Mapping[str, int] = field(default_factory=dict)  # rows of each file
    check: str = ""  # the name of the check, which its file gives it

    def shown(self, check: str, most: int) -> Finding:
        """Return it with its check, at most `most` examples, and first the file of most rows."""
        examples = tuple(islice(self.examples, most))
        files = dict(Counter(self.files).most_common())
        return replace(self, check=check, examples=examples, files=files)

    def plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "check": self.check,
            "severity": self.severity,
            "message": self.message,
            "mend": self.advice,
            "count": self.count,
            "files": dict(self.files),
            "examples": [asdict(example) for example in self.examples],
        }
