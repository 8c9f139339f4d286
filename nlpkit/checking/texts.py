"""Checks of one text alone: what their findings have in common."""

from __future__ import annotations

from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import ERROR, WARNING, Example, Finding
from nlpkit.checking.rows import Find
from nlpkit.checking.wording import plural

DAMAGED_SHARE = 0.005  # of a file's rows: the web is never clean, a wrongly read file is far worse
AROUND = 12  # characters shown on either side of a damage: a word or two


def texts_with(
    data: Data, find: Find, *, message: str, advice: str, tolerated: float | None = None
) -> Iterator[Finding]:
    """Say how many texts of which files `find` found something in.

    `message` goes after "12 texts". Above the share `tolerated` of a file's rows it is an error.
    """
    found = {file.path: hits for file in data.files if (hits := file.hits.get(find))}
    if not found:
        return
    shares = [len(file.hits.get(find, ())) / len(file.rows) for file in data.files]
    bad = tolerated is not None and max(shares) > tolerated
    count = sum(map(len, found.values()))
    yield Finding(
        severity=ERROR if bad else WARNING,
        message=f"{plural(count, 'text')} {message}",
        advice=advice,
        count=count,
        examples=(
            Example((row.where,), row.excerpt, note)
            for hits in found.values()
            for row, note in hits
        ),
        files={path: len(hits) for path, hits in found.items()},
    )


def around(text: str, place: int) -> str:
    """Return what stands around a place of a text."""
    return text[max(0, place - AROUND) : place + AROUND]
