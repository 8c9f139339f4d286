"""Checks of labels and lengths over whole splits. A new one is a function and a line in CHECKS."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from nlpkit.checking.findings import (
    DEV,
    ERROR,
    INFO,
    TEST,
    TRAIN,
    WARNING,
    Data,
    Example,
    Finding,
    plural,
)
from nlpkit.errors import near_match

RARE = 10  # rows of a label in a split: below, neither learning it nor its score means much
IMBALANCE = 10  # rows of the commonest label for one of the rarest: beyond, training ignores it
LONG_SHARE = 0.05  # of texts beyond the window: below, what is cut is no loss to speak of
NAMED = 8  # labels named in a message: a wrong column has thousands


def missing(data: Data) -> Iterator[Finding]:
    """Find rows without a label in files that have labels."""
    rows = [
        (file, row)
        for file in data.checked
        if file.labelled
        for row in file.rows
        if row.key and row.label is None
    ]
    if rows:
        yield Finding(
            check="missing",
            severity=ERROR,
            message=f"{plural(len(rows), 'text')} without a label",
            mend="label them or leave them out; training stops at the first",
            count=len(rows),
            examples=(Example((row.where,), row.excerpt) for _, row in rows),
            files=Counter(file.path for file, _ in rows),
        )


def unlabelled(data: Data) -> Iterator[Finding]:
    """Name files that have no label at all."""
    files = [file for file in data.checked if not file.labelled]
    if files and not data.training:  # a recipe's rows have labels, or lists of tags
        fields = dict.fromkeys(name for file in files for name in file.fields)
        yield Finding(
            check="unlabelled",
            severity=INFO,
            message=f"{plural(len(files), 'file')} without labels: theirs are not checked",
            mend=f"if one of their fields holds them, name it with --label: {', '.join(fields)}",
            count=len(files),
            files={file.path: len(file.rows) for file in files},
        )


def unknown(data: Data) -> Iterator[Finding]:
    """Find labels that the recipe's task does not know."""
    rows = [
        (file, row)
        for file in data.checked
        for row in file.rows
        if data.known and row.key and row.label is not None and row.label not in data.known
    ]
    if rows:
        near = near_match(str(rows[0][1].label), data.known)
        yield Finding(
            check="unknown",
            severity=ERROR,
            message=f"{plural(len(rows), 'row')} with a label that the task does not know",
            mend=f"rename it: the labels are {', '.join(data.known)}.{near}",
            count=len(rows),
            examples=(Example((row.where,), row.excerpt, str(row.label)) for _, row in rows),
            files=Counter(file.path for file, _ in rows),
        )


def one_sided(data: Data) -> Iterator[Finding]:
    """Find labels that one split has and another lacks: they are not learned, or not scored."""
    splits = data.labels()
    every = dict.fromkeys(label for counts in splits.values() for label in counts)
    for split, counts in splits.items():
        if lacking := [label for label in every if label not in counts]:
            there = [other for other in splits if splits[other].keys() & set(lacking)]
            yield Finding(
                check="one-sided",
                severity=ERROR if split == TRAIN or (split == DEV and TRAIN in there) else WARNING,
                message=f"{split} has no {_named(lacking)}, which {' and '.join(there)} has",
                mend="what train lacks is never learned, what dev or test lacks never scored: "
                "split again, so that each has every label",
                count=len(lacking),
            )


def variants(data: Data) -> Iterator[Finding]:
    """Find labels that differ in case or spaces only: two classes, where one was meant."""
    spellings = defaultdict(list)
    for label in sum(data.labels().values(), Counter()):
        spellings["".join(label.casefold().split())].append(label)
    for labels in spellings.values():
        if len(labels) > 1:
            yield Finding(
                check="variants",
                severity=WARNING,
                message=f"the labels {', '.join(map(repr, labels))} differ in case or spaces only",
                mend="write them one way: each spelling is a label of its own",
                count=len(labels),
            )


def rare(data: Data) -> Iterator[Finding]:
    """Find labels of few rows."""
    for split, counts in data.labels().items():
        few = [label for label, count in counts.items() if count < RARE]
        if few:
            yield Finding(
                check="rare",
                severity=WARNING,
                message=f"{split} has fewer than {RARE} rows of {_named(few)}",
                mend="find more, join the label with another, or do not trust its score",
                count=len(few),
            )


def imbalance(data: Data) -> Iterator[Finding]:
    """Find splits in which one label has many times the rows of another."""
    for split, counts in data.labels().items():
        if split in (DEV, TEST) or len(counts) < 2:  # what is scored should be as the world is
            continue
        (most, many), (least, few) = counts.most_common()[0], counts.most_common()[-1]
        if many > IMBALANCE * few:
            yield Finding(
                check="imbalance",
                severity=WARNING,
                message=f"{split} has {many:,} rows of {most!r} for {few:,} of {least!r} "
                f"({many / few:.0f} to 1)",
                mend="judge by macro-F1, not accuracy; weigh rare labels up (train.class_weights) "
                "or take fewer rows of common ones (max_per_label)",
                count=round(many / few),
            )


def truncated(data: Data) -> Iterator[Finding]:
    """Find how many texts are longer than the window."""
    rows = [(f, row) for f in data.checked for row in f.rows if row.length > data.window]
    if rows:
        rows.sort(key=lambda pair: -pair[1].length)
        share = len(rows) / sum(len(file.rows) for file in data.checked)
        yield Finding(
            check="truncated",
            severity=WARNING if share > LONG_SHARE else INFO,
            message=f"{plural(len(rows), 'text')} ({share:.1%}) longer than the window: "
            f"{data.window:,} tokens, {data.unit}",
            mend="training sees a random window of each an epoch; a wider window sees more",
            count=len(rows),
            examples=(Example((r.where,), r.excerpt, f"{r.length:,} tokens") for _, r in rows),
            files=Counter(file.path for file, _ in rows),
        )


CHECKS = (missing, unlabelled, unknown, one_sided, variants, rare, imbalance, truncated)


def _named(labels: list[str]) -> str:
    more = f" and {len(labels) - NAMED:,} more" if len(labels) > NAMED else ""
    return ", ".join(map(repr, labels[:NAMED])) + more
