"""The report of `debug-data`: a summary of each file, and the findings over all files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from nlpkit.checking.findings import SEVERITIES, Finding
from nlpkit.checking.rows import File


@dataclass(frozen=True)
class Summary:
    """The size, labels and text lengths of a file."""

    file: str
    split: str
    rows: int
    used: int | None  # rows that training would use; None without a recipe
    labels: Mapping[str, int]  # label -> rows, the most frequent first
    words_median: int  # words per text
    words_95: int  # the 95th percentile of words per text


@dataclass(frozen=True)
class Report:
    """The summaries of all files, and the findings, the most severe first."""

    files: Sequence[Summary]
    findings: Sequence[Finding]

    @property
    def counts(self) -> dict[str, int]:
        """The number of findings of each severity."""
        severities = [finding.severity for finding in self.findings]
        return {severity: severities.count(severity) for severity in SEVERITIES}

    def plain(self) -> dict[str, Any]:
        """Return the report as plain values, for JSON."""
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
