"""What debug-data reports: a summary of each file, and what was found in all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from nlpkit.checking.findings import SEVERITIES, Finding
from nlpkit.checking.rows import File


@dataclass(frozen=True)
class Summary:
    """What a file holds."""

    file: str
    split: str
    rows: int
    used: int | None  # rows that training uses of it, if that is known
    labels: Mapping[str, int]  # rows of each, the commonest first
    words_median: int
    words_95: int


@dataclass(frozen=True)
class Report:
    """The summaries of all files, and the findings, the worst first."""

    files: Sequence[Summary]
    findings: Sequence[Finding]

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each severity."""
        said = [finding.severity for finding in self.findings]
        return {severity: said.count(severity) for severity in SEVERITIES}

    def plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "files": [asdict(summary) for summary in self.files],
            "counts": self.counts,
            "findings": [finding.plain() for finding in self.findings],
        }


def summary_of(file: File) -> Summary:
    """Return the summary of a file that has been read."""
    words = sorted(row.words for row in file.rows if row.key)
    return Summary(
        file=file.path,
        split=file.split,
        rows=len(file.rows),
        used=file.used,
        labels=dict(file.labels.most_common()),
        words_median=round(median(words)) if words else 0,
        words_95=words[int(0.95 * (len(words) - 1))] if words else 0,
    )
