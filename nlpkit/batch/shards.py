"""An input in shards, and the part of the output that answers one: what every engine does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from nlpkit import catalog, records
from nlpkit.batch.parts import Parts, Shard, shards, state_of
from nlpkit.batch.plan import Item, Settings
from nlpkit.batch.url import Url, opened
from nlpkit.jobs.predict import Answer, annotated, sure, write
from nlpkit.records import Record, Source, text_of
from nlpkit.runtime.model import Model
from nlpkit.runtime.stream import MOST, answer as answered


def cut(item: Item, settings: Settings) -> Iterator[tuple[Shard, list[str], int]]:
    """Yield an input's shards, each with the output's columns and how far the file is read.

    Raises:
        InputError, OSError: it cannot be read as said; what came before it has been yielded.
    """
    if not state_of(item.path)["size"] and _is_empty(item.path):
        return
    rejects: list[dict[str, Any]] = []
    with opened(item.path) as stream:
        source = Source(
            str(item.path),
            settings.encoding,
            column=None if item.format == "lines" else settings.column,  # in a folder of both
            reject=lambda line, raw, why: rejects.append({"line": line, "reason": why, "raw": raw}),
        )
        read = records.read(stream, item.format, source)
        first = next(read, None)
        columns = _columns(first, settings) if first else []
        every = chain([first] if first else [], read)
        found = ((record, text_of(record, source)) for record in every)
        for shard in shards(found, rejects, settings.shard_size):
            yield shard, columns, _told(stream)


def _is_empty(path: Path | Url) -> bool:
    """Tell whether a file of no size is empty; those of /proc are not, and are refused later."""
    if isinstance(path, Url):
        return True
    with path.open("rb") as stream:
        return not stream.read(1)


def _told(stream: Any) -> int:
    """Return how far into the file on disk a stream has read."""
    raw = getattr(stream, "fileobj", None) or getattr(stream, "_fp", None) or stream
    try:
        return int(raw.tell())
    except (OSError, ValueError, AttributeError):
        return 0


def _columns(record: Record, settings: Settings) -> list[str]:
    return list(annotated(Answer(record, "", None), settings.into, full=False))


def answer(
    model: Model, settings: Settings, parts: Parts, shard: Shard, columns: list[str]
) -> None:
    """Write the part of a shard; its counts come last.

    Raises:
        NoSpace: the disk is full.
    """
    answers = (
        Answer(record, text, sure(said, settings.min_confidence))
        for record, text, said in answered(model, shard.records, lambda: None, MOST)
    )
    name, item = f"{shard.number:05}", parts.item
    module = catalog.load("formats", item.to)
    with records.write_output(parts.folder / f"{name}.out") as out:
        if item.plain:
            write(answers, out, "tsv", plain=True, into=settings.into)
        else:
            full = getattr(module, "NESTED", False)
            rows = (annotated(answer, settings.into, full=full) for answer in answers)
            if getattr(module, "HEADER", False):
                module.write(rows, out, header=shard.number == 0, columns=columns)
            else:
                module.write(rows, out)
    if shard.rejects:
        with records.write_output(parts.folder / f"{name}.rej") as out:
            catalog.load("formats", "jsonl").write(shard.rejects, out)
    counts = {"records": len(shard.records), "rejects": len(shard.rejects)}
    with records.write_output(parts.folder / f"{name}.json") as out:
        out.write(json.dumps(counts))
