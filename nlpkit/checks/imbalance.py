"""Find training splits in which one label has more than IMBALANCE times the rows of another."""

from __future__ import annotations

from collections.abc import Iterator

from nlpkit.checking.data import DEV, TEST, Data
from nlpkit.checking.findings import WARNING, Finding

ORDER = 100
SAMPLE = {"train": [("ruim", "no"), *((f"{n} vezes bom", "yes") for n in range(11))]}
# Rows of the most frequent label for one of the rarest: above this, the rarest is hardly learned.
IMBALANCE = 10


def check(data: Data) -> Iterator[Finding]:
    """Yield a finding for each split whose most frequent label outnumbers its rarest too far."""
    for split, counts in data.labels().items():
        if split in (DEV, TEST) or len(counts) < 2:  # test data should have the natural balance
            continue
        (most, many), (least, few) = counts.most_common()[0], counts.most_common()[-1]
        if many > IMBALANCE * few:
            yield Finding(
                severity=WARNING,
                message=f"{split} has {many:,} rows of {most!r} for {few:,} of {least!r} "
                f"({many / few:.0f} to 1)",
                advice="judge by macro-F1, not accuracy; weigh rare labels up "
                "(train.class_weights) or read fewer rows of frequent ones (max_per_label)",
                count=round(many / few),
            )
