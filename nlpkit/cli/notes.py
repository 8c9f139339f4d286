"""Notes on stderr that several commands share: no errors, but facts that a person should know."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def print_replaced(fields: Sequence[str]) -> None:
    """Say that the answer takes the place of columns of the input."""
    names = " and ".join(map(repr, fields))
    _say(f"the input's own {names} will be replaced; --into NAME writes the answer elsewhere")


def print_empty(inputs: Sequence[str], count: int) -> None:
    """Name the inputs that are empty; where no record was read at all, say so."""
    from nlpkit.records import is_empty

    empty = [path for path in inputs if path != "-" and is_empty(path)]
    for path in empty:
        _say(f"{path} is empty")
    if not count and len(empty) < len(inputs):
        _say("the input holds no records")


def _say(text: str) -> None:
    print(f"nlpkit: {text}", file=sys.stderr)
