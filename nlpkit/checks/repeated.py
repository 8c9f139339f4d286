"""Find texts that are several times in one split and so weigh several times."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from nlpkit.checking.data import EXCLUDE, Data
from nlpkit.checking.findings import WARNING, Example, Finding
from nlpkit.checking.rows import Group, rows_per_file
from nlpkit.wording import plural

ORDER = 30
SAMPLE = {"train": [("muito bom", "yes"), ("Muito bom!", "yes")]}
PLACES = 3  # most rows in an example: some texts have hundreds


def check(data: Data) -> Iterator[Finding]:
    """Yield a finding for each split with rows that repeat the text of another row."""
    groups: dict[str, list[Group]] = defaultdict(list)
    for group in data.copies:
        for split, count in Counter(file.split for file, _ in group).items():
            if count > 1 and split != EXCLUDE:
                groups[split].append([(file, row) for file, row in group if file.split == split])
    for split, repeated in groups.items():
        count = sum(len(group) - 1 for group in repeated)
        yield Finding(
            severity=WARNING,
            message=f"{plural(count, 'row')} of {split} with the text of another row of {split}",
            advice="training reads each text of a file once; remove those that several files share"
            if data.training
            else 'keep one of each, unless many people really wrote it ("muito bom")',
            count=count,
            examples=map(_example, sorted(repeated, key=len, reverse=True)),
            files=rows_per_file(pair for group in repeated for pair in group[1:]),
        )


def _example(group: Group) -> Example:
    more = f"and {len(group) - PLACES:,} more" if len(group) > PLACES else ""
    return Example(tuple(row.where for _, row in group[:PLACES]), group[0][1].excerpt, more)
