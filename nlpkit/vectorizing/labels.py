"""Labels as the numbers that svmlight wants: the same ones in every file, or an error."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from nlpkit.errors import InputError, near_match
from nlpkit.records import Record, Source, resolve_column

MANY = 10_000  # a field with more different values holds no labels


def text_of_label(record: Record, field: str, document: int) -> str:
    """Return a record's label as text.

    Raises:
        InputError: there is no such field, or nothing in it.
    """
    value = record[resolve_column(record, Source("--label", column=field))]
    if value is None or value == "" or value != value:
        raise InputError(f"document {document} has no label in {field!r}; leave such ones out")
    return value if isinstance(value, str) else json.dumps(value)


def note(label: str, seen: set[str]) -> None:
    """Add a label to those that were seen.

    Raises:
        InputError: there are too many of them.
    """
    seen.add(label)
    if len(seen) > MANY:
        raise InputError(
            f"--label: more than {MANY:,} different labels, the last {label[:40]!r}; "
            "name the field that holds the classes"
        )


def to_number(seen: set[str]) -> list[str]:
    """Return the labels that need a number, in its order; none where all of them are numbers."""
    return [] if all(_number(label) is not None for label in seen) else sorted(seen)


def as_number(label: str, known: Mapping[str, int], document: int) -> float:
    """Return the number of a label: its place in `known`, or where nothing is known, itself.

    Raises:
        InputError: it is not known, or is no number.
    """
    if known:
        if label in known:
            return known[label]
        raise InputError(
            f"document {document}: the model has no label {label!r}.{near_match(label, known)} "
            f"It has: {', '.join(known)}"
        )
    number = _number(label)
    if number is None:
        raise InputError(
            f"document {document}: label {label!r} is not a number, as svmlight needs; --fit "
            "with --label numbers labels in the model, and --to jsonl keeps them as they are"
        )
    return number


def _number(label: str) -> float | None:
    try:
        number = float(label)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
