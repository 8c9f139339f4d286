"""Find labels that one split has and another lacks; they are not learned or not scored."""

from __future__ import annotations

from collections.abc import Iterator

from nlpkit.checking.data import DEV, TRAIN, Data
from nlpkit.checking.findings import ERROR, WARNING, Finding
from nlpkit.checking.wording import listed

ORDER = 70
SAMPLE = {"train": [("muito bom", "yes"), ("ruim", "no")], "dev": [("lindo", "yes")]}


def check(data: Data) -> Iterator[Finding]:
    """Yield a finding for each split that lacks labels of another."""
    splits = data.labels()
    labels = dict.fromkeys(label for counts in splits.values() for label in counts)
    for split, counts in splits.items():
        if missing := [label for label in labels if label not in counts]:
            others = [other for other in splits if splits[other].keys() & set(missing)]
            severe = split == TRAIN or (split == DEV and TRAIN in others)
            yield Finding(
                severity=ERROR if severe else WARNING,
                message=f"{split} has no {listed(missing)}, which {' and '.join(others)} has",
                advice="a label that train lacks is never learned, one that dev or test lacks is "
                "never scored: split again, so that each split has every label",
                count=len(missing),
            )
