"""One input of a batch in parts: each is whole or not there, and they are joined at the end.

DIR/.parts/KEY/source.json       the file's size and time, which parts belong to
              00012.out .rej     what became of shard 12, and its rejects (JSON Lines)
              00012.json         counts; written last, so that its presence says: done
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from nlpkit import catalog
from nlpkit.batch.plan import REJECTS, Item
from nlpkit.batch.url import Url
from nlpkit.errors import InputError
from nlpkit.records import write_output


def state_of(path: Path | Url) -> dict[str, Any]:
    """Return what changes when a file does: `size` and others. Raises OSError."""
    if isinstance(path, Url):
        return path.state()
    about = path.stat()
    return {"size": about.st_size, "mtime_ns": about.st_mtime_ns, "inode": about.st_ino}


@dataclass(frozen=True)
class Parts:
    """The parts of one input."""

    folder: Path
    item: Item

    @classmethod
    def of(cls, batch: Path, item: Item, settings: str) -> Parts:
        """Open the parts of an item; those of another state of the file are thrown away."""
        key = hashlib.sha256(os.fsencode(item.output)).hexdigest()[:16]
        made = cls(batch / ".parts" / key, item)
        about = made.folder / "source.json"
        told = json.dumps({"path": str(item.path), "settings": settings, **state_of(item.path)})
        if not about.exists() or about.read_text(encoding="utf-8") != told:
            shutil.rmtree(made.folder, ignore_errors=True)
            made.folder.mkdir(parents=True)
            with write_output(about) as out:
                out.write(told)
        return made

    def told(self) -> dict[str, Any]:
        """Return what the manifest tells of the input."""
        return {"input": {"path": str(self.item.path), **state_of(self.item.path)}}

    def check(self) -> None:
        """Raise InputError if the file is not what it was when its reading began."""
        told = json.loads((self.folder / "source.json").read_text(encoding="utf-8"))
        try:
            now = state_of(self.item.path)
        except OSError as problem:
            raise InputError(f"{self.item.path}: {problem.strerror}, while it was read") from None
        if any(told[key] != value for key, value in now.items()):
            raise InputError(f"{self.item.path}: changed while it was read; run it again")

    def done(self) -> dict[int, dict[str, Any]]:
        """Return the counts of the parts that are there."""
        made = {}
        for path in self.folder.glob("[0-9]*.json"):
            try:
                counts = json.loads(path.read_text(encoding="utf-8"))
                made[int(path.stem)] = {name: int(counts[name]) for name in COUNTS}
            except (KeyError, TypeError, ValueError):  # not as it was written: it is made again
                path.unlink(missing_ok=True)
        return made

    def join(self, batch: Path, count: int) -> dict[str, Any]:
        """Make the output, and the rejects if there are any, of the first `count` parts.

        Returns what the manifest tells of them. Raises OSError, NoSpace.
        """
        told = {name: sum(part[name] for part in self.done().values()) for name in COUNTS}
        output = batch / self.item.output
        outs = [self.folder / f"{number:05}.out" for number in range(count)]
        rejects = [self.folder / f"{number:05}.rej" for number in range(count)]
        joined = getattr(catalog.load("formats", self.item.to), "join", concatenate)
        digest = _made(output, lambda stream: joined(outs, stream))
        told |= {"output": self.item.output, "sha256": digest, "bytes": output.stat().st_size}
        beside = batch / REJECTS / f"{self.item.output}.jsonl"
        if told["rejects"]:
            there = [path for path in rejects if path.exists()]
            _made(beside, lambda stream: concatenate(there, stream))
            told["rejected_to"] = str(beside.relative_to(batch))
        else:
            beside.unlink(missing_ok=True)
        return told

    def remove(self) -> None:
        """Forget the parts; first that they are whole, for a kill may leave some."""
        (self.folder / "source.json").unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


COUNTS = ("records", "rejects")
CHARACTERS = 1 << 24  # in a shard, and so in memory, when documents are long


def concatenate(parts: Iterable[Path], stream: BinaryIO) -> None:
    """Write files one after another."""
    for part in parts:
        with part.open("rb") as source:
            shutil.copyfileobj(source, stream, 1 << 20)


def _made(path: Path, fill: Callable[[BinaryIO], object]) -> str:
    """Make a file, whole or not at all, and return its SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_output(path) as out:
        fill(out.buffer)
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True)
class Shard:
    """Records `number * size` and on of an input, with those that could not be read."""

    number: int
    records: list[tuple[dict[str, Any], str]]
    rejects: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.records) + len(self.rejects)


def shards(
    found: Iterator[tuple[dict[str, Any], str]], rejects: list[dict[str, Any]], size: int
) -> Iterator[Shard]:
    """Cut a stream of records into shards of `size`, bad ones counted, or of CHARACTERS.

    `rejects` is what the reader adds to while the stream is read.
    """
    number, kept, characters = 0, list[tuple[dict[str, Any], str]](), 0
    for record in found:
        while len(kept) + len(rejects) >= size or characters > CHARACTERS:
            taken = rejects[: size - len(kept)]  # they came before this record
            del rejects[: len(taken)]
            yield Shard(number, kept, taken)
            number, kept, characters = number + 1, [], 0
        kept.append(record)
        characters += len(record[1])
    while kept or rejects:
        taken = rejects[: size - len(kept)]
        del rejects[: len(taken)]
        yield Shard(number, kept, taken)
        number, kept = number + 1, []
