"""The findings of checks that look at one text at a time."""

from __future__ import annotations

from collections.abc import Iterator

from nlpkit.checking.data import Data
from nlpkit.checking.findings import ERROR, WARNING, Example, Finding
from nlpkit.checking.rows import Find
from nlpkit.wording import plural

# Share of a file's rows with damaged text that is only a warning: text from the web always has
# some, and a file read in the wrong encoding has far more.
DAMAGED_SHARE = 0.005
AROUND = 12  # characters shown on either side of damaged text: a word or two


def texts_with(
    data: Data, find: Find, *, message: str, advice: str, tolerated: float | None = None
) -> Iterator[Finding]:
    """Yield one finding with the hits of `find` in all files; nothing if there are none.

    Args:
        data: the files that have been read.
        find: the function whose hits are reported.
        message: the words that follow the number of texts, as in "12 texts with ...".
        advice: how to fix the texts.
        tolerated: the share of a file's rows above which the finding is an error; None is never.
    """
    hits_of = {file.path: hits for file in data.files if (hits := file.hits.get(find))}
    if not hits_of:
        return
    shares = [len(file.hits.get(find, ())) / len(file.rows) for file in data.files]
    intolerable = tolerated is not None and max(shares) > tolerated
    count = sum(map(len, hits_of.values()))
    yield Finding(
        severity=ERROR if intolerable else WARNING,
        message=f"{plural(count, 'text')} {message}",
        advice=advice,
        count=count,
        examples=(
            Example((row.where,), row.excerpt, note)
            for hits in hits_of.values()
            for row, note in hits
        ),
        files={path: len(hits) for path, hits in hits_of.items()},
    )


def around(text: str, place: int) -> str:
    """Return the AROUND characters of a text on either side of an index."""
    return text[max(0, place - AROUND) : place + AROUND]
