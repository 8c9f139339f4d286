"""Labels as numbers, which svmlight needs: the same number for a label in every file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from nlpkit.errors import InputError, near_match
from nlpkit.records import Record, Source, resolve_column

MANY = 10_000  # most different labels; a field with more values does not hold labels


def text_of_label(record: Record, field: str, document: int) -> str:
    """Return a record's label as text; `document` is its number, for the message.

    Raises:
        InputError: the record lacks the field, or the field is empty.
    """
    value = record[resolve_column(record, Source("--label", column=field))]
    if value is None or value == "" or value != value:
        raise InputError(f"document {document} has no label in {field!r}; remove such documents")
    return value if isinstance(value, str) else json.dumps(value)


def note(label: str, seen: set[str]) -> None:
    """Add a label to the set of labels seen so far.

    Raises:
        InputError: there are more than MANY.
    """
    seen.add(label)
    if len(seen) > MANY:
        raise InputError(
            f"--label: more than {MANY:,} different labels, the last {label[:40]!r}; "
            "name the field that holds the classes"
        )


def to_number(seen: set[str]) -> list[str]:
    """Return the sorted labels to be numbered from 0, or [] if all labels are numbers."""
    return [] if all(_number(label) is not None for label in seen) else sorted(seen)


def as_number(label: str, known: Mapping[str, int], document: int) -> float:
    """Return the number of a label: its index in `known`, or its own value if `known` is empty.

    Raises:
        InputError: the label is not in `known`, or is not a number.
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
            f"document {document}: label {label!r} is not a number, which svmlight needs; number "
            "the labels with --fit and --label, or keep them as text with --to jsonl"
        )
    return number


def _number(label: str) -> float | None:
    try:
        number = float(label)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
