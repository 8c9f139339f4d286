"""The output parts of one input: each is complete or absent, and they are joined at the end.

DIR/.parts/KEY/source.json       the input's size and time, and the batch's key
              00012.out .rej     the output of shard 12, and its bad records (JSON Lines)
              00012.json         counts; written last, so they mark the part as complete
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

from nlpkit import catalog
from nlpkit.batch.outcome import Outcome, State, state_of
from nlpkit.batch.plan import REJECTS, Item
from nlpkit.errors import InputError
from nlpkit.records import write_output

SOURCE = "source.json"
OUTPUT, BAD, COUNTS = ".out", ".rej", ".json"  # the files of a part


@dataclass(frozen=True)
class Counts:
    """The numbers of answered, rejected and truncated records of a part.

    `replaced` names the columns of the input that the answer replaces.
    """

    records: int
    rejects: int
    truncated: int = 0
    replaced: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        """Return the counts as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Counts:
        """Parse counts.

        Raises:
            KeyError, TypeError, ValueError: the text is damaged.
        """
        table = json.loads(text)
        truncated, replaced = int(table.get("truncated", 0)), list(table.get("replaced", ()))
        return cls(int(table["records"]), int(table["rejects"]), truncated, replaced)


@dataclass(frozen=True)
class Parts:
    """The folder of one input's parts."""

    folder: Path
    item: Item

    @classmethod
    def of(cls, batch: Path, item: Item, key: str) -> Parts:
        """Open the folder of an item's parts.

        Parts that were written under another key, or from another state of the file, are removed.

        Raises:
            OSError: the input or the folder cannot be read.
            NoSpace: the disk is full.
        """
        name = hashlib.sha256(os.fsencode(item.output)).hexdigest()[:16]
        parts = cls(batch / ".parts" / name, item)
        path = parts.folder / SOURCE
        source = json.dumps({"path": str(item.path), "settings": key, **state_of(item.path)})
        if not path.exists() or path.read_text(encoding="utf-8") != source:
            shutil.rmtree(parts.folder, ignore_errors=True)
            parts.folder.mkdir(parents=True)
            with write_output(path) as out:
                out.write(source)
        return parts

    def path(self, number: int, extension: str) -> Path:
        """Return the path of one file of a part; `extension` is OUTPUT, BAD or COUNTS."""
        return self.folder / f"{number:05}{extension}"

    def check(self) -> None:
        """Raise InputError if the input has changed since it was opened."""
        source = json.loads((self.folder / SOURCE).read_text(encoding="utf-8"))
        try:
            state = state_of(self.item.path)
        except OSError as problem:
            raise InputError(
                f"{self.item.path}: {problem.strerror} while it was read; run it again"
            ) from None
        if any(source[name] != value for name, value in state.items()):
            raise InputError(f"{self.item.path}: changed while it was read; run it again")

    def done(self) -> dict[int, Counts]:
        """Return the counts of the complete parts, by shard number; remove damaged counts."""
        counts = {}
        for path in self.folder.glob(f"[0-9]*{COUNTS}"):
            try:
                counts[int(path.stem)] = Counts.from_json(path.read_text(encoding="utf-8"))
            except (KeyError, TypeError, ValueError):  # the part is written again
                path.unlink(missing_ok=True)
        return counts

    def join(self, batch: Path, count: int, source: State) -> Outcome:
        """Join the first `count` parts into the output and, if there are any, the bad records.

        `source` is the state of the input when it was opened.

        Raises:
            OSError: a file cannot be read or written.
            NoSpace: the disk is full.
        """
        done = self.done().values()
        rejects = sum(part.rejects for part in done)
        output = batch / self.item.output
        outputs = [self.path(number, OUTPUT) for number in range(count)]
        join = getattr(catalog.load("formats", self.item.to), "join", concatenate)
        digest = _write(output, lambda stream: join(outputs, stream))
        beside = batch / REJECTS / f"{self.item.output}.jsonl"
        if rejects:
            paths = [self.path(number, BAD) for number in range(count)]
            bad = [path for path in paths if path.exists()]
            _write(beside, lambda stream: concatenate(bad, stream))
        else:
            beside.unlink(missing_ok=True)
        return Outcome(
            input=source,
            records=sum(part.records for part in done),
            rejects=rejects,
            truncated=sum(part.truncated for part in done),
            replaced=list(dict.fromkeys(name for part in done for name in part.replaced)) or None,
            output=self.item.output,
            sha256=digest,
            bytes=output.stat().st_size,
            rejected_to=str(beside.relative_to(batch)) if rejects else None,
        )

    def remove(self) -> None:
        """Remove the parts, source.json first: a kill in between leaves parts that are ignored."""
        (self.folder / SOURCE).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def concatenate(parts: Iterable[Path], stream: BinaryIO) -> None:
    """Write the contents of files to a stream, one after another."""
    for part in parts:
        with part.open("rb") as source:
            shutil.copyfileobj(source, stream, 1 << 20)


def remove_unfinished(path: Path) -> None:
    """Remove the temporary files that a killed `write_output` left beside a file.

    The caller holds the folder's lock, so no other process is writing them.
    """
    pattern = f".{glob.escape(path.name)}.{'[0-9a-f]' * 8}.part"
    for unfinished in path.parent.glob(pattern):
        unfinished.unlink(missing_ok=True)


def _write(path: Path, fill: Callable[[BinaryIO], object]) -> str:
    """Write a file atomically and return its SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_unfinished(path)
    with write_output(path) as out:
        fill(out.buffer)
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
