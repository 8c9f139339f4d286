"""Find labels that differ in case or spaces only: two classes, where one was meant."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import WARNING, Finding

ORDER = 80
SAMPLE = {"train": [("muito bom", "yes"), ("lindo", "Yes ")]}


def check(data: Data) -> Iterator[Finding]:
    """Name the spellings of each such label."""
    spellings = defaultdict(list)
    for label in sum(data.labels().values(), Counter()):
        spellings["".join(label.casefold().split())].append(label)
    for labels in spellings.values():
        if len(labels) > 1:
            yield Finding(
                severity=WARNING,
                message=f"the labels {', '.join(map(repr, labels))} differ in case or spaces only",
                advice="write them one way: each spelling is a label of its own",
                count=len(labels),
            )
