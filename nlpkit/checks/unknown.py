"""Find labels that the recipe's task does not have."""

from __future__ import annotations

from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import ERROR, Example, Finding
from nlpkit.checking.rows import rows_per_file
from nlpkit.errors import near_match
from nlpkit.wording import plural

ORDER = 60
SAMPLE = {"train": [("muito bom", "yess")]}


def check(data: Data) -> Iterator[Finding]:
    """Yield a finding for the rows with an unknown label."""
    rows = [
        (file, row)
        for file in data.checked
        for row in file.rows
        if data.known and row.key and row.label is not None and row.label not in data.known
    ]
    if rows:
        near = near_match(str(rows[0][1].label), data.known)
        yield Finding(
            severity=ERROR,
            message=f"{plural(len(rows), 'row')} with a label that the task does not know",
            advice=f"rename it: the labels are {', '.join(data.known)}.{near}",
            count=len(rows),
            examples=(Example((row.where,), row.excerpt, str(row.label)) for _, row in rows),
            files=rows_per_file(rows),
        )
