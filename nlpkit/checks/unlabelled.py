"""Find files that have no label at all."""

from __future__ import annotations

from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import INFO, Finding
from nlpkit.checking.wording import plural

ORDER = 50
SAMPLE = {"train": [("muito bom", None)]}


def check(data: Data) -> Iterator[Finding]:
    """Name the fields of files without labels, one of which may hold them."""
    files = [file for file in data.checked if not file.labelled]
    if files and not data.training:  # a recipe's rows have labels, or lists of tags
        fields = dict.fromkeys(name for file in files for name in file.fields)
        yield Finding(
            severity=INFO,
            message=f"{plural(len(files), 'file')} without labels: theirs are not checked",
            advice=f"if one of their fields holds them, name it with --label: {', '.join(fields)}",
            count=len(files),
            files={file.path: len(file.rows) for file in files},
        )
