"""Split a file of rows into stratified train, dev and test files, with copies kept together."""

from __future__ import annotations

import os
import random
import re
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nlpkit import catalog, records
from nlpkit.errors import InputError, UsageError
from nlpkit.records.input import extension_for, unpacked
from nlpkit.records.reading import check_sheet
from nlpkit.records.rows import copy_key
from nlpkit.records.source import column_named

LABEL = "label"
TRAIN = "train"
SIZE = re.compile(r"(\d+(?:\.\d+)?)(%?)")
NAMED = 5  # most labels listed in a note


@dataclass(frozen=True)
class Part:
    """A written file, with its number of rows in all and by label."""

    name: str
    path: str
    rows: int
    labels: Mapping[str, int]


@dataclass(frozen=True)
class Report:
    """The parts, train first; `label` is None if the rows were not stratified."""

    parts: tuple[Part, ...]
    label: str | None
    copies: int  # rows that share their text with another row
    notes: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return the report as plain values."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The group and the label of each row, as numbers, so that millions of rows fit in memory."""

    groups: Sequence[int]  # group of each row; rows with the same text share one
    labels: Sequence[int]  # label of each row, as an index into `names`
    names: Sequence[str]  # names of the labels


def split(
    path: str,
    *,
    dev: str | None = None,
    test: str | None = None,
    label: str | None = None,
    column: str | None = None,
    sheet: str | None = None,
    format: str | None = None,
    encoding: str = "utf-8",
    errors: str = "strict",
    seed: int = 1,
    output: str | None = None,
    force: bool = False,
) -> Report:
    """Split a file into NAME.train, NAME.dev and NAME.test, beside it or in the folder `output`.

    Every row goes to one part, in its order; the parts appear together or not at all. The file is
    read once for the keys of its rows, and once more for each part.

    Args:
        path: the file of rows.
        dev: size of the dev part, "10%" of the rows or "500" rows; None writes no such part.
        test: size of the test part, likewise.
        label: the field to stratify by; "label" if there is one.
        column: the field that holds the text.
        sheet: the sheet of a workbook; the first visible one if None.
        format: input format; by the file's extension if None.
        encoding: encoding of the file.
        errors: "strict" or "replace", for bytes that do not decode.
        seed: random seed.
        output: the folder to write to.
        force: replace existing parts.

    Raises:
        UsageError: no valid size is given, the input is no regular file, or a part exists.
        InputError: the file cannot be read, or a part would have no rows.
    """
    asked = {name: size for name, size in (("dev", dev), ("test", test)) if size is not None}
    if not asked:
        raise UsageError("no size is given; name the rows to hold out, as --dev 10% --test 10%")
    for name, size in asked.items():
        _size(name, size, 1)
    records.check_inputs([path])
    if not Path(path).is_file():  # standard input, a pipe
        raise UsageError(f"{path}: split reads a file more than once; save it and name the file")
    form = format or records.format_of(path)
    check_sheet(sheet, {form})
    source = records.Source(path, encoding, errors, column, sheet=sheet)
    names = (TRAIN, *asked)
    paths = _paths(path, form, output, names)
    if not force and (existing := next((p for p in paths if p.exists()), None)):
        raise UsageError(f"{existing} exists; --force replaces it, --output names another folder")
    with ExitStack() as stack:
        streams = [stack.enter_context(records.write_output(path)) for path in paths]
        rows, labelled = _scan(source, form, label)
        parts = assign(rows, _sizes(asked, len(rows.groups)), seed)
        for part, name in enumerate(names):
            if part not in parts:
                raise InputError(
                    f"{path}: no rows remain for {name}, because copies of a text stay together; "
                    "change the sizes"
                )
        for part, stream in enumerate(streams):
            records.write(_rows_of(part, parts, source, form), stream, form, source.layout)
        for stream in streams:  # a full disk fails here, before any part appears
            stream.flush()
            os.fsync(stream.fileno())
    return _report(names, paths, parts, rows, (label or LABEL) if labelled else None, form)


def assign(rows: Rows, sizes: Sequence[int], seed: int) -> array[int]:
    """Assign each row to a part with `sizes` rows, which vary by at most one group.

    Greedy iterative stratification (Sechidis, Tsoumakas and Vlahavas, 2011, "On the
    stratification of multi-label data"): large groups first, then those of rare labels, in an order
    by `seed`; each goes to the part that lacks most rows of its labels. Our addition: a part must
    have room for the group, if any has, so that sizes are exact if there are no copies.

    Returns:
        The index into `sizes` of each row.
    """
    import numpy as np

    group_N, label_N = np.asarray(rows.groups), np.asarray(rows.labels)
    order = np.argsort(group_N, kind="stable").tolist()
    counts, members = np.bincount(label_N).tolist(), np.bincount(group_N)
    start, size = (np.cumsum(members) - members).tolist(), members.tolist()
    turns = list(range(len(size)))
    random.Random(seed).shuffle(turns)
    turns.sort(key=lambda group: (-size[group], counts[rows.labels[order[start[group]]]]))
    total, room = len(order), list(sizes)
    wanted = [[count * size for size in sizes] for count in counts]  # missing rows, times `total`
    parts = array("B", bytes(total))
    for group in turns:
        own = order[start[group] : start[group] + size[group]]
        labels = [rows.labels[row] for row in own]
        fitting = [part for part, free in enumerate(room) if free >= len(own)]
        part = max(
            fitting or [room.index(max(room))],
            key=lambda part: (sum(wanted[label][part] for label in labels), room[part]),
        )
        room[part] -= len(own)
        for row, label in zip(own, labels, strict=True):
            parts[row] = part
            wanted[label][part] -= total
    return parts


def _size(name: str, size: str, rows: int) -> int:
    """Parse a size ("10%" or "500") to a number of rows. Raises UsageError if it is invalid."""
    match = SIZE.fullmatch(size.strip())
    if not match or not float(match[1]) or (not match[2] and "." in match[1]):
        raise UsageError(f"--{name} {size}: not a size; give a share such as 10%, or rows as 500")
    return round(float(match[1]) / 100 * rows) if match[2] else int(match[1])


def _sizes(asked: Mapping[str, str], rows: int) -> list[int]:
    """Return the number of rows of each part, train first. Raises UsageError if one is 0."""
    sizes = {name: _size(name, size, rows) for name, size in asked.items()}
    for name, size in sizes.items():
        if not size:
            raise UsageError(f"--{name} {asked[name]}: 0 of {rows:,} rows; give a larger size")
    if sum(sizes.values()) >= rows:
        options = " ".join(f"--{name} {size}" for name, size in asked.items())
        raise UsageError(f"{options}: leaves 0 of {rows:,} rows to train on; give smaller sizes")
    return [rows - sum(sizes.values()), *sizes.values()]


def _paths(path: str, form: str, output: str | None, names: Sequence[str]) -> list[Path]:
    """Return the files to write, with the input's extension if it names the format."""
    plain = unpacked(Path(path))
    extension = extension_for(plain, form)
    folder = plain.parent if output is None else Path(output)
    return [folder / f"{plain.stem}.{name}{extension}" for name in names]


def _records(source: records.Source, form: str) -> Iterator[records.Record]:
    with records.open_input(source.name) as stream:
        yield from records.read(stream, form, source)


def _scan(source: records.Source, form: str, label: str | None) -> tuple[Rows, bool]:
    """Read the file once; return its rows, and whether any has a label."""
    wanted = label or LABEL
    keys: dict[bytes, int] = {}
    numbers: dict[str, int] = {}
    groups, labels = array("L"), array("L")
    record: records.Record = {}
    labelled = False
    for number, record in enumerate(_records(source, form)):
        key = copy_key(record, records.text_of(record, source), source.column)
        key = key or number.to_bytes(8, "big")  # rows without a text are not copies
        value = record.get(column_named(wanted, record) or wanted)
        if isinstance(value, list | dict):
            if label:
                raise InputError(
                    f"{source.name}: row {number + 1}: {label!r} holds a {type(value).__name__}, "
                    "not a label; leave out --label"
                )
            value = None
        labelled |= value is not None
        groups.append(keys.setdefault(key, len(keys)))
        labels.append(numbers.setdefault("" if value is None else str(value), len(numbers)))
    if not groups:
        raise InputError(f"{source.name}: no rows to split")
    if label and not labelled:
        records.resolve_column(record, records.Source(source.name, column=label))
    return Rows(groups=groups, labels=labels, names=list(numbers)), labelled


def _rows_of(
    part: int, parts: Sequence[int], source: records.Source, form: str
) -> Iterator[records.Record]:
    rows = 0
    for rows, record in enumerate(_records(source, form), 1):
        if rows <= len(parts) and parts[rows - 1] == part:
            yield record
    if rows != len(parts):
        raise InputError(f"{source.name}: the file changed while it was read; split it again")


def _report(
    names: Sequence[str],
    paths: Sequence[Path],
    parts: Sequence[int],
    rows: Rows,
    label: str | None,
    form: str,
) -> Report:
    counts = Counter(zip(parts, rows.labels, strict=True))
    order = [number for number, _ in Counter(rows.labels).most_common()]
    written = tuple(
        Part(
            name,
            str(path),
            parts.count(part),
            {rows.names[number]: counts[part, number] for number in order} if label else {},
        )
        for part, (name, path) in enumerate(zip(names, paths, strict=True))
    )
    sizes = Counter(rows.groups).values()
    notes = []
    if label is None:
        notes.append(
            f"the rows have no label in {LABEL!r} (spans and tags are none), so they are not "
            "stratified; --label names another field"
        )
    absent = [name for name in written[0].labels if not all(part.labels[name] for part in written)]
    if absent:
        more = f" and {len(absent) - NAMED:,} more" if len(absent) > NAMED else ""
        listed = ", ".join(
            f"{name!r} ({sum(part.labels[name] for part in written):,})" for name in absent[:NAMED]
        )
        notes.append(f"labels with too few rows for every part: {listed}{more}")
    if fields := getattr(catalog.load("formats", form), "HOLDS", None):
        notes.append(f"{form} keeps only the text and {', '.join(fields)} of a row")
    return Report(written, label, sum(size for size in sizes if size > 1), tuple(notes))
