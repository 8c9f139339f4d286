"""Checks of texts that stand in several rows. A new one is a function and a line in CHECKS.

Two texts are the same where their letters are: case, punctuation, links and @names do not count.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from nlpkit.checking.findings import (
    ERROR,
    EXCLUDE,
    WARNING,
    Data,
    Example,
    Finding,
    plural,
)
from nlpkit.checking.rows import File, Row

PLACES = 3  # rows named of one text: some stand in hundreds

Group = Sequence[tuple[File, Row]]


def contradictions(data: Data) -> Iterator[Finding]:
    """Find texts with two labels, inside a split or across: no model can learn both."""
    inside: list[Group] = []
    across: list[Group] = []
    for group in data.copies:
        rows = [(file, row) for file, row in group if row.label and file.split != EXCLUDE]
        if len({row.label for _, row in rows}) < 2:
            continue
        labels = defaultdict(set)
        for file, row in rows:
            labels[file.split].add(row.label)
        (inside if any(len(found) > 1 for found in labels.values()) else across).append(rows)
    if inside:
        yield Finding(
            check="contradictions",
            severity=ERROR,
            message=f"{plural(len(inside), 'text')} with two labels in one split",
            mend="decide on one label, or leave the text out"
            + ("; of a file, training reads the first such row only" if data.training else ""),
            count=len(inside),
            examples=map(_labelled, inside),
            files=_files(inside),
        )
    if across:
        yield Finding(
            check="contradictions",
            severity=WARNING if data.training else ERROR,
            message=f"{plural(len(across), 'text')} with another label in another split",
            mend="training reads only the row of dev; look which label is right"
            if data.training
            else "decide on one label, and keep the text in one split",
            count=len(across),
            examples=map(_labelled, across),
            files=_files(across),
        )


def leaks(data: Data) -> Iterator[Finding]:
    """Find texts that stand in two splits: what was learned by heart is no test."""
    shared = defaultdict(list)
    for group in data.copies:
        splits = dict.fromkeys(file.split for file, _ in group)
        for pair in combinations(splits, 2):
            shared[pair].append([(file, row) for file, row in group if file.split in pair])
    for (one, other), groups in shared.items():
        dropped = sum(file.split == one for group in groups for file, _ in group)
        yield Finding(
            check="leaks",
            severity=WARNING if data.training else ERROR,
            message=f"{plural(len(groups), 'text')} in both {one} and {other}",
            mend=f"training leaves out their {plural(dropped, 'row')} of {one}"
            if data.training
            else f"remove them from {one} or from {other}; 'nlpkit train' leaves out what "
            "stands in --dev or in a recipe's [data] exclude",
            count=len(groups),
            examples=map(_across, groups),
            files=_files(groups),
        )


def repeated(data: Data) -> Iterator[Finding]:
    """Find texts that stand several times in one split, and so count several times."""
    groups = defaultdict(list)
    for group in data.copies:
        for split, count in Counter(file.split for file, _ in group).items():
            if count > 1 and split != EXCLUDE:
                groups[split].append([(file, row) for file, row in group if file.split == split])
    for split, found in groups.items():
        count = sum(len(group) - 1 for group in found)
        yield Finding(
            check="repeated",
            severity=WARNING,
            message=f"{plural(count, 'row')} of {split} with the text of another row of {split}",
            mend="training reads each text of a file once; remove those that several files share"
            if data.training
            else 'keep one of each, unless many people did write it ("muito bom")',
            count=count,
            examples=map(_example, sorted(found, key=len, reverse=True)),
            files=_files([group[1:] for group in found]),
        )


CHECKS = (contradictions, leaks, repeated)


def _example(group: Group) -> Example:
    more = f"and {len(group) - PLACES:,} more" if len(group) > PLACES else ""
    return Example(tuple(row.where for _, row in group[:PLACES]), group[0][1].excerpt, more)


def _labelled(group: Group) -> Example:
    """Show the first row of each label."""
    firsts: dict[str | None, str] = {}
    for _, row in group:
        firsts.setdefault(row.label, row.where)
    return Example(tuple(firsts.values()), group[0][1].excerpt, ", ".join(map(str, firsts)))


def _across(group: Group) -> Example:
    """Show the first row of each split."""
    firsts: dict[str, str] = {}
    for file, row in group:
        firsts.setdefault(file.split, row.where)
    return Example(tuple(firsts.values()), group[0][1].excerpt)


def _files(groups: Sequence[Group]) -> Counter[str]:
    return Counter(file.path for group in groups for file, _ in group)
