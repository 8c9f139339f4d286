"""Choose the format of an output, and check that the output may replace its file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from nlpkit import catalog
from nlpkit.errors import UsageError, quoted
from nlpkit.records.input import format_of

# What standard output gets in place of a binary format, unless `--to` names it.
READABLE = {"xlsx": "csv", "spacy": "jsonl"}


def format_for(output: str, to: str | None, alike: str) -> str:
    """Return the format of an output: `to`, else by its extension, else `alike`, as the input.

    Standard output gets a workbook or a DocBin only by `to`; else it gets CSV or JSON Lines, which
    the next program can read.
    """
    if to:
        return to
    if (named := format_of(output)) != "lines":
        return named
    return READABLE.get(alike, alike) if output == "-" else alike


def is_same(path: str, other: str | None) -> bool:
    """Tell whether two names are of one file; "-" and None are of none."""
    if other is None or "-" in (path, other):
        return False
    return os.path.realpath(path) == os.path.realpath(other)


def check_apart(output: str, inputs: Iterable[str]) -> None:
    """Raise UsageError if the output would replace an input, none of whose records it holds."""
    if any(is_same(path, output) for path in inputs):
        raise UsageError(f"{quoted(output)} is an input, which would be lost; name another file")


def check_target(output: str, inputs: Iterable[str], format: str, alike: str) -> None:
    """Raise UsageError if the output would replace an input and lose some of it.

    That is a file whose format, `alike`, is not the output's, or a workbook with other sheets.
    """
    if not Path(output).is_file() or not any(is_same(path, output) for path in inputs):
        return
    if format != alike:
        raise UsageError(
            f"{quoted(output)} is an input of {alike}, and the output would be {format}; "
            "name another file"
        )
    count = catalog.load("formats", "xlsx").sheet_count(Path(output)) if format == "xlsx" else 1
    if count > 1:
        raise UsageError(
            f"{quoted(output)} has {count} sheets, and the output would have one; name another file"
        )
