"""The findings of checks: a severity, a message, advice, and example rows."""

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
    """Rows that show a finding: their places (FILE:LINE), their text and a note on its fault."""

    places: tuple[str, ...]
    text: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One problem of the data: its severity, message, number of cases and advice to fix it."""

    severity: str
    message: str
    advice: str
    count: int
    examples: Iterable[Example] = ()
    files: Mapping[str, int] = field(default_factory=dict)  # path -> rows with the problem
    check: str = ""  # the name of the check, filled in by `shown`

    def shown(self, check: str, most: int) -> Finding:
        """Return the finding for a report.

        It has the check's name, at most `most` examples, and the files sorted by number of rows.
        """
        examples = tuple(islice(self.examples, most))
        files = dict(Counter(self.files).most_common())
        return replace(self, check=check, examples=examples, files=files)

    def plain(self) -> dict[str, Any]:
        """Return the finding as plain values, for JSON."""
        return {
            "check": self.check,
            "severity": self.severity,
            "message": self.message,
            "mend": self.advice,
            "count": self.count,
            "files": dict(self.files),
            "examples": [asdict(example) for example in self.examples],
        }
