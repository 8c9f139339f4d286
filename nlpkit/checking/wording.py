"""Numbers and labels in the messages of findings."""

from __future__ import annotations

from collections.abc import Sequence

from nlpkit.wording import plural as plural

NAMED = 8  # labels named in a message: a wrong column has thousands


def listed(labels: Sequence[str]) -> str:
    """Return the first labels, quoted, and how many more there are."""
    more = f" and {len(labels) - NAMED:,} more" if len(labels) > NAMED else ""
    return ", ".join(map(repr, labels[:NAMED])) + more
