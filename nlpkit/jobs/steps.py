"""Run a chain of steps over records, in one process or in several, and describe the steps."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import queue
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from nlpkit import catalog, records, zoo
from nlpkit.chain import Pipeline, as_text
from nlpkit.errors import InputError, NlpkitError, Note, UsageError
from nlpkit.records import Record
from nlpkit.records.reading import Reading, documents, located
from nlpkit.runtime.device import cores
from nlpkit.runtime.stream import chunks
from nlpkit.settings.flags import Flag, choices, flags_of
from nlpkit.settings.links import Link, links_of
from nlpkit.steps import Result, Tokens

DIED = "a worker process died, perhaps for lack of memory; use fewer --workers"
Item = tuple[tuple[Record, str], str]  # a record with the name of its text column, and its text
AHEAD = 2  # waiting chunks per worker: this bounds memory and keeps every worker busy


def process(
    chain: Pipeline,
    reading: Reading,
    *,
    into: str | None,
    full: bool,
    workers: int = 1,
    settled: Callable[[], object] = lambda: None,
    alone: bool = False,
) -> Iterator[Record]:
    """Yield every record of every input, in order, with the result of the chain.

    Args:
        chain: the steps.
        reading: the inputs and how to read them.
        into: the field of the result; None replaces the text.
        full: the output format has lists, so tokens stay a list, with their attributes (offsets,
            tags) in more fields.
        workers: processes; 1 works in this one.
        settled: called when every record read so far has been yielded: the time to flush.
        alone: the record is only the result, in the field `text`.

    Raises:
        InputError: an input cannot be read in its format and encoding. The records before the
            error have been yielded.
        UsageError: the result is a vector and `full` is False.
        NlpkitError: a worker process died.
    """
    pieces = chunks(((record, column), text) for record, text, column in located(reading))
    done = _one_by_one(chain, pieces) if workers == 1 else _spread(chain, pieces, workers)
    for items, results, last in done:
        for ((record, column), _), (result, known) in zip(items, results, strict=True):
            if alone:
                yield put({}, result, known, records.TEXT, full=full)
            else:
                yield put(record, result, known, into or column, full=full)
        if last:
            settled()


def put(record: Record, result: Result, known: Record, field: str, *, full: bool) -> Record:
    """Return the record with a result in a field; with `full`, add the fields of its tokens.

    Lists of spans are left out where the result replaces another text: they point into that one.
    """
    if field in record and record[field] != as_text(result):
        record = {name: value for name, value in record.items() if not _points(value)}
    if full:
        plain = list(result) if isinstance(result, Tokens) else result
        return record | {field: plain} | known
    if not isinstance(result, str | Tokens):
        raise UsageError("vectors do not fit this format; use --to jsonl, or 'nlpkit vectorize'")
    return record | {field: as_text(result)}


def _points(value: Any) -> bool:
    """Tell whether a field is a list of spans, with positions in the text."""
    return isinstance(value, list) and any(
        isinstance(item, dict) and {"start", "end"} <= item.keys() for item in value
    )


Done = tuple[Sequence[Item], Sequence[tuple[Result, Record]], bool]


def _one_by_one(chain: Pipeline, pieces: Iterable[Sequence[Item]]) -> Iterator[Done]:
    for items in pieces:
        yield items, chain.with_fields([text for _, text in items]), True


def _spread(chain: Pipeline, pieces: Iterable[Sequence[Item]], workers: int) -> Iterator[Done]:
    """Process chunks in worker processes and yield them in order.

    A thread submits chunks while this one waits for the oldest result, so that the results of a
    slow input are not held back until more input arrives.
    """
    context = multiprocessing.get_context("spawn")  # threads do not survive a fork
    threads = max(cores() // workers, 1)
    pool = ProcessPoolExecutor(workers, context, _start, (chain.describe(), threads))
    waiting: queue.Queue[tuple[Sequence[Item], Future[Any]] | _End] = queue.Queue(AHEAD * workers)
    closed = threading.Event()
    threading.Thread(target=_hand_out, args=(pool, pieces, waiting, closed), daemon=True).start()
    try:
        while not isinstance(entry := waiting.get(), _End):
            items, future = entry
            yield items, _result(future), waiting.empty()
    except BaseException:
        closed.set()
        _kill(pool)
        raise
    closed.set()
    pool.shutdown(cancel_futures=True)
    if entry.error is not None:
        raise entry.error


def _kill(pool: ProcessPoolExecutor) -> None:
    """Kill the workers, ignoring a second Ctrl-C meanwhile."""
    in_main = threading.current_thread() is threading.main_thread()  # only it may set handlers
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN) if in_main else None
    results = getattr(pool, "_result_queue", None)
    # Shut down before the kill: the pool would wait for ever for a worker that starts after it.
    pool.shutdown(wait=False, cancel_futures=True)
    for child in multiprocessing.active_children():
        child.kill()
    # A worker killed while writing leaves half a result, and the pool waits for the rest while a
    # writer is open. This process holds the last one, and no public call closes it.
    if results is not None:
        results._writer.close()
    if in_main:
        signal.signal(signal.SIGINT, handler)


def _result(future: Future[Any]) -> Any:
    try:
        return future.result()
    except BrokenProcessPool:
        raise NlpkitError(DIED) from None


@dataclass(frozen=True)
class _End:
    error: BaseException | None = None


def _hand_out(
    pool: ProcessPoolExecutor,
    pieces: Iterable[Sequence[Item]],
    waiting: queue.Queue[tuple[Sequence[Item], Future[Any]] | _End],
    closed: threading.Event,
) -> None:
    end = _End()
    try:
        for items in pieces:
            entry = (items, pool.submit(_work, [text for _, text in items]))
            while not closed.is_set():
                try:
                    waiting.put(entry, timeout=1)
                    break
                except queue.Full:
                    continue
            else:
                return
    except BrokenProcessPool:
        end = _End(NlpkitError(DIED))
    except BaseException as problem:  # the consumer raises it after the chunks before it
        end = _End(problem)
    waiting.put(end)


_chain: Pipeline | NlpkitError | None = None


def _start(steps: list[dict[str, Any]], threads: int) -> None:
    global _chain
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and ends its workers
    warnings.simplefilter("ignore", Note)  # the parent built the same chain and printed them
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _chain = Pipeline(links_of(steps), partial(zoo.load, threads=threads))
    except NlpkitError as problem:  # an option's file has vanished, or is a pipe, read already
        _chain = problem


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()  # a parent that is killed cannot end its workers
        os._exit(1)


def _work(texts: list[str]) -> list[tuple[Result, Record]]:
    if isinstance(_chain, NlpkitError):
        raise _chain
    assert _chain is not None  # _start ran first
    return _chain.with_fields(texts)


def preview(links: Sequence[Link], texts: Sequence[str]) -> list[list[str]]:
    """Return a list for each text: the text, then its form after each step."""
    stages = Pipeline(links, zoo.load).stages(texts)
    return [[text, *(as_text(stage[row]) for stage in stages)] for row, text in enumerate(texts)]


def first_texts(reading: Reading, count: int) -> list[str]:
    """Return the first `count` texts of the inputs.

    Raises:
        InputError: an input cannot be read, or the inputs hold no documents.
    """
    texts = [text for _, text in itertools.islice(documents(reading), count)]
    if not texts:
        raise InputError("the input holds no documents")
    return texts


@dataclass(frozen=True)
class Option:
    """An option of a step: its flag without dashes, its default and its help."""

    name: str
    default: Any
    help: str


class Example(NamedTuple):
    """An example of a step: its options, a text, and the result."""

    options: str
    before: str
    after: str


@dataclass(frozen=True)
class Description:
    """The description of a step for help and the docs."""

    name: str
    description: str
    takes: str
    gives: str
    options: list[Option]
    examples: list[Example]


def described() -> list[Description]:
    """Return the descriptions of all steps, with their options and examples."""
    return [_described(name) for name in catalog.names("steps")]


def _described(name: str) -> Description:
    module = catalog.load("steps", name)
    return Description(
        name=name,
        description=(module.__doc__ or "").strip().splitlines()[0],
        takes=module.TAKES,
        gives=module.GIVES,
        options=[Option(f.name, f.default, _help(f)) for f in flags_of(module.Options)],
        examples=[
            Example(options, before, after if isinstance(after, str) else json.dumps(after))
            for options, before, after in module.EXAMPLES
        ],
    )


def _help(flag: Flag) -> str:
    allowed = ", ".join(choices(flag.hint))
    return f"{allowed}: {flag.help}" if allowed else flag.help
