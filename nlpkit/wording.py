"""Counts and numbers as people read them: 1 row, 2,000 rows; scores of four places."""

from __future__ import annotations

from typing import Any

SPEEDS = ("per_second", "speed")  # ends of names
TIMES = ("seconds", "_ms")


def plural(count: int, noun: str, several: str = "") -> str:
    """Return the number with its noun: 1 row, 2,000 rows; `several` is a plural of its own."""
    return f"{count:,} {noun if count == 1 else several or f'{noun}s'}"


def rounded(value: Any, name: str = "") -> Any:
    """Return a tree of plain values for people to read; `name` is the field of the value.

    Scores keep 4 places, seconds and milliseconds 3; speeds from 1 on are whole numbers.
    """
    if isinstance(value, dict):
        return {key: rounded(part, str(key)) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(part, name) for part in value]
    if not isinstance(value, float):
        return value
    if name.endswith(SPEEDS) and 1 <= value < float("inf"):
        return round(value)
    return round(value, 3 if name.endswith(SPEEDS + TIMES) else 4)
