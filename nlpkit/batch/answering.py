"""Load the model of a batch and write the part of a shard; both engines call these functions."""

from __future__ import annotations

from collections.abc import Iterator

from nlpkit import catalog, records, zoo
from nlpkit.batch.parts import BAD, COUNTS, OUTPUT, Counts, Parts
from nlpkit.batch.plan import Settings
from nlpkit.batch.shards import Shard
from nlpkit.records.answered import (
    Answered,
    annotated,
    holds_nested,
    holds_numbers,
    replaced,
    write,
)
from nlpkit.runtime import stream
from nlpkit.runtime.model import Model


def load(settings: Settings, threads: int = 0) -> Model:
    """Load the model of a batch. `threads` is the number of CPU threads; 0 uses every core.

    Raises:
        ModelError, DeviceError, UsageError, MissingExtra: as `zoo.load`.
    """
    return zoo.load(
        settings.model, device=settings.device, precision=settings.precision, threads=threads
    )


def answer(model: Model, settings: Settings, parts: Parts, shard: Shard) -> None:
    """Answer a shard and write its part: the output, the rejected records, then the counts.

    The counts are written last, since they mark the part as complete.

    Raises:
        NoSpace: the disk is full.
    """
    item, number = parts.item, shard.number
    kind, into = model.task.answers, settings.into
    truncated_before = model.tally.truncated
    items = _answers(model, settings, shard)
    with records.write_output(parts.path(number, OUTPUT)) as out:
        if item.plain:
            write(items, out, "tsv", kind=kind, into=into, plain=True)
        else:
            format = catalog.load("formats", item.to)
            nested, typed = holds_nested(item.to), holds_numbers(item.to, shard.dialect)
            rows = (annotated(each, kind, into, nested=nested, typed=typed) for each in items)
            options: dict[str, object] = {}
            if getattr(format, "HEADER", False):
                columns = [*shard.columns, *kind.fields(into)] if shard.columns else []
                options = {"header": number == 0, "columns": columns}
            if getattr(format, "DIALECT", False):
                options["dialect"] = shard.dialect
            if getattr(format, "WANTS_TEXT", False):
                options["text"] = shard.text
            getattr(format, "write_part", format.write)(rows, out, **options)
    if shard.rejects:
        with records.write_output(parts.path(number, BAD)) as out:
            catalog.load("formats", "jsonl").write(shard.rejects, out)
    with records.write_output(parts.path(number, COUNTS)) as out:
        truncated = model.tally.truncated - truncated_before
        lost = replaced(kind.fields(into), shard.columns)
        out.write(Counts(len(shard.records), len(shard.rejects), truncated, lost).to_json())


def _answers(model: Model, settings: Settings, shard: Shard) -> Iterator[Answered]:
    least = settings.min_confidence
    for record, text, answer in stream.answer(model, shard.records, lambda: None, stream.MOST):
        if answer is not None and least:
            answer = answer.at_least(least)
        yield Answered(record, text, answer)
