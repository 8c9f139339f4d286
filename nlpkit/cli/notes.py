"""Print notes on stderr that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def print_replaced(fields: Sequence[str]) -> None:
    """Print a note that the answer replaces columns of the input."""
    names = " and ".join(map(repr, fields))
    _print(f"the input's own {names} will be replaced; --into NAME writes the answer elsewhere")


def print_empty(inputs: Sequence[str], count: int) -> None:
    """Print a note for each empty input, and one if no record was read."""
    from nlpkit.records import is_empty

    empty = [path for path in inputs if path != "-" and is_empty(path)]
    for path in empty:
        _print(f"{path} is empty")
    if not count and len(empty) < len(inputs):
        _print("the input holds no records")


def _print(text: str) -> None:
    print(f"nlpkit: {text}", file=sys.stderr)
