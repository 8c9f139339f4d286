"""Find texts that have different labels in one split or in two; no model can learn both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain

from nlpkit.checking.data import EXCLUDE, Data
from nlpkit.checking.findings import ERROR, WARNING, Example, Finding
from nlpkit.checking.rows import Group, rows_per_file
from nlpkit.wording import plural

ORDER = 10
SAMPLE = {"train": [("muito bom", "yes"), ("Muito bom!", "no")]}


def check(data: Data) -> Iterator[Finding]:
    """Yield a finding for texts with two labels in one split, and one for those in two splits."""
    inside: list[Group] = []
    across: list[Group] = []
    for group in data.copies:
        rows = [(file, row) for file, row in group if row.label and file.split != EXCLUDE]
        if len({row.label for _, row in rows}) < 2:
            continue
        labels = defaultdict(set)
        for file, row in rows:
            labels[file.split].add(row.label)
        (inside if any(len(names) > 1 for names in labels.values()) else across).append(rows)
    if inside:
        yield Finding(
            severity=ERROR,
            message=f"{plural(len(inside), 'text')} with two labels in one split",
            advice="decide on one label, or leave the text out"
            + ("; training reads only the first such row of a file" if data.training else ""),
            count=len(inside),
            examples=map(_first_of_each_label, inside),
            files=rows_per_file(chain.from_iterable(inside)),
        )
    if across:
        yield Finding(
            severity=WARNING if data.training else ERROR,
            message=f"{plural(len(across), 'text')} with another label in another split",
            advice="training reads only the row of dev; check which label is right"
            if data.training
            else "decide on one label, and keep the text in one split",
            count=len(across),
            examples=map(_first_of_each_label, across),
            files=rows_per_file(chain.from_iterable(across)),
        )


def _first_of_each_label(group: Group) -> Example:
    firsts: dict[str | None, str] = {}
    for _, row in group:
        firsts.setdefault(row.label, row.where)
    return Example(tuple(firsts.values()), group[0][1].excerpt, ", ".join(map(str, firsts)))
