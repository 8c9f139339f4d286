"""Find labels with few rows."""

from __future__ import annotations

from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import WARNING, Finding
from nlpkit.checking.wording import listed

ORDER = 90
SAMPLE = {"train": [("muito bom", "yes")]}
RARE = 10  # rows of a label in a split: below, it is hardly learned and its score is noise


def check(data: Data) -> Iterator[Finding]:
    """Yield a finding for each split with rare labels."""
    for split, counts in data.labels().items():
        few = [label for label, count in counts.items() if count < RARE]
        if few:
            yield Finding(
                severity=WARNING,
                message=f"{split} has fewer than {RARE} rows of {listed(few)}",
                advice="add rows, merge the label with another, or do not trust its score",
                count=len(few),
            )
