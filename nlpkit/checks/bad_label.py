"""Find labels of the wrong kind: NaN, fractions, lists, tables."""

from __future__ import annotations

from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import ERROR, Example, Finding
from nlpkit.checking.rows import rows_per_file
from nlpkit.wording import plural

ORDER = 45
SAMPLE = {"train": [("muito bom", 0.5)]}


def check(data: Data) -> Iterator[Finding]:
    """Report the rows whose label is not a text, an integer or a boolean."""
    rows = [(file, row) for file in data.checked for row in file.rows if row.problem]
    if rows:
        yield Finding(
            severity=ERROR,
            message=f"{plural(len(rows), 'row')} with a label of the wrong kind",
            advice="a label is a text, an integer or a boolean; training refuses other labels",
            count=len(rows),
            examples=(
                Example((row.where,), row.excerpt, row.problem.partition(";")[0]) for _, row in rows
            ),
            files=rows_per_file(rows),
        )
