"""Find texts that are longer than the window."""

from __future__ import annotations

from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import INFO, WARNING, Example, Finding
from nlpkit.checking.rows import rows_per_file
from nlpkit.wording import plural

ORDER = 110
SAMPLE = {"train": [("muito " * 50 + "bom", "yes")]}
LONG_SHARE = 0.05  # share of texts beyond the window: up to this, little is lost


def check(data: Data) -> Iterator[Finding]:
    """Yield a finding for the texts that are longer than the window, the longest first."""
    rows = [(f, row) for f in data.checked for row in f.rows if row.length > data.window]
    if rows:
        rows.sort(key=lambda pair: -pair[1].length)
        share = len(rows) / sum(len(file.rows) for file in data.checked)
        yield Finding(
            severity=WARNING if share > LONG_SHARE else INFO,
            message=f"{plural(len(rows), 'text')} ({share:.1%}) longer than the window: "
            f"{plural(data.window, 'token')}, {data.unit}",
            advice="training reads one random window of each in an epoch; "
            "a larger window reads more",
            count=len(rows),
            examples=(Example((r.where,), r.excerpt, plural(r.length, "token")) for _, r in rows),
            files=rows_per_file(rows),
        )
