"""Find rows without a label in files that have labels."""

from __future__ import annotations

from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import ERROR, Example, Finding
from nlpkit.checking.rows import rows_per_file
from nlpkit.wording import plural

ORDER = 40
SAMPLE = {"train": [("muito bom", "yes"), ("sem rótulo", None)]}


def check(data: Data) -> Iterator[Finding]:
    """Yield a finding for the texts without a label."""
    rows = [
        (file, row)
        for file in data.checked
        if file.labelled
        for row in file.rows
        if row.key and row.label is None and not row.problem
    ]
    if rows:
        yield Finding(
            severity=ERROR,
            message=f"{plural(len(rows), 'text')} without a label",
            advice="label them or remove them; training stops at the first",
            count=len(rows),
            examples=(Example((row.where,), row.excerpt) for _, row in rows),
            files=rows_per_file(rows),
        )
