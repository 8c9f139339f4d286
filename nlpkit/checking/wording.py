"""Numbers and labels in the messages of findings."""

from __future__ import annotations

from collections.abc import Sequence

NAMED = 8  # labels named in a message: a wrong column has thousands


def plural(count: int, noun: str) -> str:
    """Return the number with its noun: 1 row, 2,000 rows."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def listed(labels: Sequence[str]) -> str:
    """Return the first labels, quoted, and how many more there are."""
    more = f" and {len(labels) - NAMED:,} more" if len(labels) > NAMED else ""
    return ", ".join(map(repr, labels[:NAMED])) + more
