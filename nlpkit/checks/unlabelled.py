"""Find files without any label."""

from __future__ import annotations

from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import INFO, Finding
from nlpkit.wording import plural

ORDER = 50
SAMPLE = {"train": [("muito bom", None)]}


def check(data: Data) -> Iterator[Finding]:
    """Yield a finding for the files without labels, and name their fields."""
    files = [file for file in data.checked if not file.labelled]
    if files and not data.training:  # a recipe's rows have labels, or lists of tags
        fields = dict.fromkeys(name for file in files for name in file.fields)
        yield Finding(
            severity=INFO,
            message=f"{plural(len(files), 'file')} without labels: only the texts are checked",
            advice="a recipe has spans and tags checked; if a field holds labels, give it as "
            f"--label: {', '.join(fields)}",
            count=len(files),
            files={file.path: len(file.rows) for file in files},
        )
