"""Find labels that one split has and another lacks: they are not learned, or not scored."""

from __future__ import annotations

from collections.abc import Iterator

from nlpkit.checking.data import DEV, TRAIN, Data
from nlpkit.checking.findings import ERROR, WARNING, Finding
from nlpkit.checking.wording import listed

ORDER = 70
SAMPLE = {"train": [("muito bom", "yes"), ("ruim", "no")], "dev": [("lindo", "yes")]}


def check(data: Data) -> Iterator[Finding]:
    """Say of each split which labels it lacks, and which splits have them."""
    splits = data.labels()
    every = dict.fromkeys(label for counts in splits.values() for label in counts)
    for split, counts in splits.items():
        if lacking := [label for label in every if label not in counts]:
            there = [other for other in splits if splits[other].keys() & set(lacking)]
            yield Finding(
                severity=ERROR if split == TRAIN or (split == DEV and TRAIN in there) else WARNING,
                message=f"{split} has no {listed(lacking)}, which {' and '.join(there)} has",
                advice="what train lacks is never learned, what dev or test lacks never scored: "
                "split again, so that each has every label",
                count=len(lacking),
            )
