"""Find labels that differ only in case or spaces; each spelling is a class of its own."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import WARNING, Finding

ORDER = 80
SAMPLE = {"train": [("muito bom", "yes"), ("lindo", "Yes ")]}


def check(data: Data) -> Iterator[Finding]:
    """Yield a finding for each label with several spellings."""
    spellings = defaultdict(list)
    for label in sum(data.labels().values(), Counter()):
        spellings["".join(label.casefold().split())].append(label)
    for labels in spellings.values():
        if len(labels) > 1:
            yield Finding(
                severity=WARNING,
                message=f"the labels {', '.join(map(repr, labels))} differ only in case or spaces",
                advice="spell them alike: each spelling is a label of its own",
                count=len(labels),
            )
