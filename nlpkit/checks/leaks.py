"""Find texts that are in two splits; a text that was trained on tests nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain, combinations

from nlpkit.checking.data import Data
from nlpkit.checking.findings import ERROR, WARNING, Example, Finding
from nlpkit.checking.rows import Group, rows_per_file
from nlpkit.wording import plural

ORDER = 20
SAMPLE = {"train": [("muito bom", "yes")], "test": [("Muito bom!", "yes")]}


def check(data: Data) -> Iterator[Finding]:
    """Yield a finding for each pair of splits that share texts."""
    shared: dict[tuple[str, str], list[Group]] = defaultdict(list)
    for group in data.copies:
        splits = dict.fromkeys(file.split for file, _ in group)
        for pair in combinations(splits, 2):
            shared[pair].append([(file, row) for file, row in group if file.split in pair])
    for (one, other), groups in shared.items():
        dropped = sum(file.split == one for group in groups for file, _ in group)
        yield Finding(
            severity=WARNING if data.training else ERROR,
            message=f"{plural(len(groups), 'text')} in both {one} and {other}",
            advice=f"training leaves out their {plural(dropped, 'row')} of {one}"
            if data.training
            else f"remove them from {one} or from {other}; 'nlpkit train' leaves out the texts "
            "of --dev and of a recipe's [data] exclude",
            count=len(groups),
            examples=map(_first_of_each_split, groups),
            files=rows_per_file(chain.from_iterable(groups)),
        )


def _first_of_each_split(group: Group) -> Example:
    firsts: dict[str, str] = {}
    for file, row in group:
        firsts.setdefault(file.split, row.where)
    return Example(tuple(firsts.values()), group[0][1].excerpt)
