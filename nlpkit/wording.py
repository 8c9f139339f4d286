"""Format counts and numbers for people: 1 row, 2,000 rows, scores with four decimals."""

from __future__ import annotations

from typing import Any

SPEEDS = ("per_second", "speed")  # suffixes of field names
TIMES = ("seconds", "_ms")


def plural(count: int, noun: str, several: str = "") -> str:
    """Return the number with its noun: 1 row, 2,000 rows; `several` is an irregular plural."""
    return f"{count:,} {noun if count == 1 else several or f'{noun}s'}"


def rounded(value: Any, name: str = "") -> Any:
    """Round the floats in a tree of plain values; `name` is the field that holds the value.

    Scores keep 4 decimals, seconds and milliseconds 3; speeds of 1 or more become whole numbers.
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
