"""Split rows into training, development and test files: stratified, copies kept together."""

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
from nlpkit.records.rows import copy_key
from nlpkit.records.source import column_named

LABEL = "label"
TRAIN = "train"
SIZE = re.compile(r"(\d+(?:\.\d+)?)(%?)")
NAMED = 5  # labels named in a note


@dataclass(frozen=True)
class Part:
    """A file that was written, and how many rows it has, in all and of each label."""

    name: str
    path: str
    rows: int
    labels: Mapping[str, int]


@dataclass(frozen=True)
class Report:
    """All parts, training first; `label` is None where the rows were not stratified."""

    parts: tuple[Part, ...]
    label: str | None
    copies: int  # rows whose text stands in another row too
    notes: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What is kept of a file's rows: two numbers each, so that millions fit in memory."""

    groups: Sequence[int]  # of each row; the rows of one text share a number
    labels: Sequence[int]  # of each row: a place in `names`
    names: Sequence[str]  # of the labels


def split(
    path: str,
    *,
    dev: str | None = None,
    test: str | None = None,
    label: str | None = None,
    column: str | None = None,
    format: str | None = None,
    encoding: str = "utf-8",
    errors: str = "strict",
    seed: int = 1,
    output: str | None = None,
    force: bool = False,
) -> Report:
    """Write NAME.train, NAME.dev and NAME.test of a file, beside it or into the folder `output`.

    `dev` and `test` are sizes: "10%" of the rows, or "500" of them. Every row goes to one file, in
    its order; the files appear together or not at all. The file is read once for the keys of its
    rows, and once more for each part.

    Raises:
        UsageError: no size or a wrong one, no file to read again, or a part exists.
        InputError: the file cannot be read as said, or a part would have no rows.
    """
    asked = {name: said for name, said in (("dev", dev), ("test", test)) if said is not None}
    if not asked:
        raise UsageError("no size is given; say how many rows to hold out: --dev 10% --test 10%")
    for name, said in asked.items():
        _size(name, said, 1)
    records.check_inputs([path])
    if not Path(path).is_file():  # standard input, a pipe
        raise UsageError(f"{path}: split reads a file more than once; save it and name the file")
    form = format or records.format_of(path)
    source = records.Source(path, encoding, errors, column)
    names = (TRAIN, *asked)
    paths = _paths(path, form, output, names)
    if not force and (there := next((p for p in paths if p.exists()), None)):
        raise UsageError(f"{there} exists; --force replaces it, --output names another folder")
    with ExitStack() as stack:
        streams = [stack.enter_context(records.write_output(path)) for path in paths]
        rows, labelled = _scan(source, form, label)
        parts = assign(rows, _sizes(asked, len(rows.groups)), seed)
        for part, name in enumerate(names):
            if part not in parts:
                raise InputError(
                    f"{path}: no row is left for {name}, because copies of a text stay together; "
                    "change the sizes"
                )
        for part, stream in enumerate(streams):
            records.write(_rows_of(part, parts, source, form), stream, form, source.layout)
        for stream in streams:  # a full disk shows here, before the first file appears
            stream.flush()
            os.fsync(stream.fileno())
    return _report(names, paths, parts, rows, (label or LABEL) if labelled else None, form)


def assign(rows: Rows, sizes: Sequence[int], seed: int) -> array[int]:
    """Return the part of each row: `sizes` rows to each, less or more by a group at most.

    Greedy iterative stratification (Sechidis, Tsoumakas and Vlahavas, 2011, "On the
    stratification of multi-label data"): large groups first, then those of rare labels, each to the
    part that still wants most rows of its labels; equal ones by `seed`. Here a group goes only to a
    part with room for it, where there is one, so that the sizes are exact without copies.
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
    wanted = [[count * size for size in sizes] for count in counts]  # in rows times `total`
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


def _size(name: str, said: str, rows: int) -> int:
    """Return how many of the rows a size means; raises UsageError where it is none."""
    match = SIZE.fullmatch(said.strip())
    if not match or not float(match[1]) or (not match[2] and "." in match[1]):
        raise UsageError(f"--{name} {said}: not a size; say 10% of the rows, or 500 of them")
    return round(float(match[1]) / 100 * rows) if match[2] else int(match[1])


def _sizes(asked: Mapping[str, str], rows: int) -> list[int]:
    """Return the rows of each part, training first. Raises UsageError where one has none."""
    sizes = {name: _size(name, said, rows) for name, said in asked.items()}
    for name, size in sizes.items():
        if not size:
            raise UsageError(f"--{name} {asked[name]}: that is none of {rows:,} rows; ask for more")
    if sum(sizes.values()) >= rows:
        said = " ".join(f"--{name} {size}" for name, size in asked.items())
        raise UsageError(f"{said}: leaves none of {rows:,} rows to train on; ask for less")
    return [rows - sum(sizes.values()), *sizes.values()]


def _paths(path: str, form: str, output: str | None, names: Sequence[str]) -> list[Path]:
    """Return the files to write: an extension is kept where it says the format."""
    plain = unpacked(Path(path))
    extension = extension_for(plain, form)
    folder = plain.parent if output is None else Path(output)
    return [folder / f"{plain.stem}.{name}{extension}" for name in names]


def _records(source: records.Source, form: str) -> Iterator[records.Record]:
    with records.open_input(source.name) as stream:
        yield from records.read(stream, form, source)


def _scan(source: records.Source, form: str, label: str | None) -> tuple[Rows, bool]:
    """Read the file once; return its rows, and whether they have labels."""
    wanted = label or LABEL
    keys: dict[bytes, int] = {}
    numbers: dict[str, int] = {}
    groups, labels = array("L"), array("L")
    record: records.Record = {}
    labelled = False
    for number, record in enumerate(_records(source, form)):
        key = copy_key(record, records.text_of(record, source), source.column)
        key = key or number.to_bytes(8, "big")  # rows without a text are no copies of each other
        value = record.get(column_named(wanted, record) or wanted)
        if isinstance(value, list | dict):
            if label:
                raise InputError(
                    f"{source.name}: row {number + 1}: {label!r} holds no label but "
                    f"{type(value).__name__}s; leave out --label"
                )
            value = None
        labelled |= value is not None
        groups.append(keys.setdefault(key, len(keys)))
        labels.append(numbers.setdefault("" if value is None else str(value), len(numbers)))
    if not groups:
        raise InputError(f"{source.name}: no rows; there is nothing to split")
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
        raise InputError(f"{source.name}: changed while it was read; split it again")


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
    made = tuple(
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
            f"the rows have no {LABEL!r}, so parts are drawn without labels; --label names it"
        )
    absent = [name for name in made[0].labels if not all(part.labels[name] for part in made)]
    if absent:
        more = f" and {len(absent) - NAMED:,} more" if len(absent) > NAMED else ""
        listed = ", ".join(
            f"{name!r} ({sum(part.labels[name] for part in made):,})" for name in absent[:NAMED]
        )
        notes.append(f"labels with too few rows for every part: {listed}{more}")
    if held := getattr(catalog.load("formats", form), "HOLDS", None):
        notes.append(f"{form} is written with its text and its {', '.join(held)} only")
    return Report(made, label, sum(size for size in sizes if size > 1), tuple(notes))
