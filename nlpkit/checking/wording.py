"""Format labels in the messages of findings."""

from __future__ import annotations

from collections.abc import Sequence

NAMED = 8  # most labels in a message: a wrong column may have thousands


def listed(labels: Sequence[str]) -> str:
    """Format the first NAMED labels, quoted, and the number of the others."""
    more = f" and {len(labels) - NAMED:,} more" if len(labels) > NAMED else ""
    return ", ".join(map(repr, labels[:NAMED])) + more
