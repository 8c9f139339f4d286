"""Read documents, learn or load what makes them vectors, write the vectors, weigh their terms."""

from __future__ import annotations

import dataclasses
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from nlpkit import catalog, records
from nlpkit.errors import InputError, ModelError, NlpkitError, UsageError
from nlpkit.jobs.predict import Reading, documents
from nlpkit.records import Record
from nlpkit.runtime.engine import CHUNK_CHARACTERS, CHUNK_DOCUMENTS, chunks
from nlpkit.vectors import Batch, Space
from nlpkit.vectors._core import Vectorizer, fitted, heaviest, stateless
from nlpkit.vectors._labels import as_number, note, text_of_label, to_number
from nlpkit.vectors._options import LEARNED, NO_LIMITS, Limits, Options, check_given, flag
from nlpkit.vectors._output import format_of, open_output
from nlpkit.vectors._vocabulary import Vocabulary, learn, load, save

Document = tuple[Record, str]
Weighed = list[tuple[str, float]]  # terms, the heaviest first
Show = Callable[[int | None, Weighed], object]  # the document's number, or None for the corpus

TOP_BY = ("corpus", "document")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for. `given` names the options that somebody gave, with whatever value."""

    reading: Reading
    options: Options
    limits: Limits = NO_LIMITS
    given: frozenset[str] = frozenset()
    fit: str | None = None
    model: str | None = None  # a file that --fit made
    label: str | None = None
    to: str | None = None
    output: str | None = None
    top: int = 0
    top_by: str = "corpus"

    @property
    def format(self) -> str | None:
        """The format to write; none where --fit only learns, or --top only shows."""
        if self.to is None and self.output is None and (self.fit or self.top):
            return None
        return self.to or format_of(self.output or "-")


@dataclass(frozen=True)
class Listener:
    """Who hears of what happens: terms to show, all written that was read, a word of warning."""

    show: Show = lambda document, terms: None
    settled: Callable[[], object] = lambda: None
    warn: Callable[[str], object] = lambda message: None


@dataclass(frozen=True)
class Done:
    """How many documents were read, and the vocabulary that was learned, if one was."""

    documents: int
    learned: Vocabulary | None


NOBODY = Listener()


def vectorize(request: Request, listener: Listener = NOBODY) -> Done:
    """Do what was asked for, after checking that all of it makes sense.

    Raises:
        UsageError: the options contradict each other, or leave nothing.
        InputError: an input cannot be read as said, or there is nothing in it to learn from.
        ModelError: the model is missing, damaged, or of another method.
        MissingExtra: scikit-learn or pyarrow is not installed.
    """
    check(request)
    records.check_inputs(request.reading.inputs)
    format = catalog.load("vectors", request.format) if request.format else None
    if request.fit and not (format or request.top):
        learned = _learned(request)
        return Done(learned.documents, learned)
    with ExitStack() as stack:
        # First of all, so that a place that cannot be written is known before the work.
        out = format and stack.enter_context(
            open_output(request.output or "-", binary=format.BINARY)
        )
        if not request.fit:
            loaded = _loaded(request)
            return Done(_write(request, loaded, format, out, listener), None)
        # Read twice: once to learn, once to write or weigh.
        request = dataclasses.replace(request, reading=stack.enter_context(_kept(request.reading)))
        learned = _learned(request)
        return Done(_write(request, learned, format, out, listener), learned)


def check(request: Request) -> None:
    """Refuse what makes no sense together.

    Raises:
        UsageError: the message says what to leave out, or to add.
    """
    if request.fit and request.model:
        raise UsageError("--fit learns a model and --with uses one; give one of the two")
    _check_method(request)
    _check_top(request)
    if request.label and not request.fit and request.format != "svmlight":
        raise UsageError("--label fills svmlight's first column; jsonl and parquet keep all fields")
    _check_places(request)


def _check_method(request: Request) -> None:
    method = request.options.method
    if request.model:
        if "method" in request.given and method not in LEARNED:
            raise UsageError(f"--with reads what count or tfidf learned; for {method} leave it out")
        if extra := sorted(map(flag, request.given - {"method"})):
            raise UsageError(f"{request.model} settles {', '.join(extra)}; leave it out, or --fit")
        return
    check_given(method, request.given)
    if method in LEARNED and not request.fit:
        raise UsageError(
            f"{method} needs its terms: learn them with --fit MODEL.json, or use what was learned "
            "with --with MODEL.json (--method hash needs neither)"
        )
    if method not in LEARNED and request.fit:
        raise UsageError(f"{method} learns nothing; leave --fit out, or choose count or tfidf")


def _check_top(request: Request) -> None:
    if request.top < 0:
        raise UsageError(f"--top {request.top}: must be at least 1")
    if request.top_by not in TOP_BY:
        raise UsageError(f"--top-by {request.top_by}: not one of {', '.join(TOP_BY)}")
    if not request.top:
        return
    if not (request.fit or request.model):
        raise UsageError(
            f"--top names terms, and columns of {request.options.method} have no names; "
            "use count or tfidf"
        )
    if request.format and request.output in (None, "-"):
        raise UsageError("--top prints; name a file for the vectors with --output")


def _check_places(request: Request) -> None:
    fit, output = request.fit, request.output
    if fit == "-" and (request.top or (request.format and output in (None, "-"))):
        raise UsageError("--fit - prints the model; name a file for it, or for the rest")
    if fit and any(_same(fit, path) for path in (*request.reading.inputs, output)):
        raise UsageError(f"--fit {fit} would overwrite what is read or written; name another file")
    if request.model and _same(request.model, output):
        raise UsageError(f"--output {output} would overwrite the model; name another file")


def _same(path: str, other: str | None) -> bool:
    if other is None or "-" in (path, other):
        return False
    return os.path.realpath(path) == os.path.realpath(other)


def _loaded(request: Request) -> Vocabulary | None:
    if request.model is None:
        return None
    vocabulary = load(request.model)
    found, wanted = vocabulary.options.method, request.options.method
    if "method" in request.given and found != wanted:
        raise ModelError(
            f"{request.model} was fitted for {found}, not {wanted}; leave --method out, or fit "
            "another"
        )
    return vocabulary


def _learned(request: Request) -> Vocabulary:
    assert request.fit
    seen: set[str] = set()
    texts = _texts(documents(request.reading), request.label, seen)
    learned = learn(texts, request.options, request.limits)
    learned = dataclasses.replace(learned, labels=to_number(seen))
    save(learned, request.fit)
    return learned


def _texts(items: Iterable[Document], label: str | None, seen: set[str]) -> Iterator[str]:
    for number, (record, text) in enumerate(items, 1):
        if label:
            note(text_of_label(record, label, number), seen)
        yield text


@contextmanager
def _kept(reading: Reading) -> Iterator[Reading]:
    """Copy what can be read only once, stdin and pipes, to a place where it can be read again."""
    with tempfile.TemporaryDirectory(prefix="nlpkit-") as folder:
        places = {}
        for number, path in enumerate(reading.inputs):
            if path == "-" or not Path(path).is_file():
                places[path] = str(Path(folder, f"{number}{Path(path).suffix}"))
                _copy(path, places[path])
        yield dataclasses.replace(reading, places=places)


def _copy(path: str, place: str) -> None:
    source = records.open_input(path) if path == "-" else open(path, "rb")
    with source as stream, open(place, "wb") as kept:
        shutil.copyfileobj(stream, kept)
    if not Path(place).stat().st_size:
        raise InputError(f"{'stdin' if path == '-' else path} is empty: there is nothing to read")


def _write(
    request: Request,
    vocabulary: Vocabulary | None,
    format: ModuleType | None,
    out: Any,
    listener: Listener,
) -> int:
    """Write and weigh all vectors and return how many there were."""
    vectorizer = fitted(vocabulary) if vocabulary else stateless(request.options)
    labels = vocabulary.labels if vocabulary else ()
    counter = itertools.count()  # asked after each document, so it ends at their number
    items = (item for item, _ in zip(documents(request.reading), counter, strict=False))
    batches = _batches(_chunks(items, request.reading), vectorizer, request.label, labels)
    if request.top:
        batches = _weighed(batches, vectorizer.space, request, listener.show)
    if format:
        fields = getattr(format, "fields", lambda space: ())
        batches = _warned(batches, fields(vectorizer.space), listener.warn)
        format.write(_settled(batches, listener.settled), out, vectorizer.space)
    else:
        for _ in _settled(batches, listener.settled):
            pass
    return next(counter)


def _chunks(items: Iterator[Document], reading: Reading) -> Iterator[list[Document]]:
    """Yield lists of documents: cut by the clock too where they come from a stream."""
    lie = (reading.places.get(path, path) for path in reading.inputs)
    return _full(items) if all(Path(path).is_file() for path in lie) else chunks(items)


def _full(items: Iterator[Document]) -> Iterator[list[Document]]:
    """As `engine.chunks`, without the thread that answers in time: a third faster on files."""
    chunk: list[Document] = []
    characters = 0
    try:
        for item in items:
            chunk.append(item)
            characters += len(item[1])
            if len(chunk) == CHUNK_DOCUMENTS or characters > CHUNK_CHARACTERS:
                yield chunk
                chunk, characters = [], 0
    except NlpkitError:
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk


def _batches(
    chunked: Iterator[list[Document]],
    vectorizer: Vectorizer,
    label: str | None,
    known: Sequence[str],
) -> Iterator[Batch]:
    numbers = {name: number for number, name in enumerate(known)}
    first = 1
    for chunk in chunked:
        came = [record for record, _ in chunk]
        labels = []
        if label:
            texts = (text_of_label(record, label, at) for at, record in enumerate(came, first))
            labels = [as_number(text, numbers, at) for at, text in enumerate(texts, first)]
        rows = vectorizer.transform([text for _, text in chunk])
        yield Batch(first=first, records=came, rows=rows, labels=labels)
        first += len(chunk)


def _settled(batches: Iterator[Batch], settled: Callable[[], object]) -> Iterator[Batch]:
    for batch in batches:
        yield batch
        settled()


def _warned(
    batches: Iterator[Batch], fields: Sequence[str], warn: Callable[[str], object]
) -> Iterator[Batch]:
    """Say once that a field of the input is about to be replaced."""
    for batch in itertools.islice(batches, 1):
        if taken := [field for field in fields if field in batch.records[0]]:
            warn(f"the input's own {' and '.join(map(repr, taken))} will be replaced")
        yield batch
    yield from batches


def _weighed(
    batches: Iterator[Batch], space: Space, request: Request, show: Show
) -> Iterator[Batch]:
    """Pass batches on, showing the heaviest terms of each document, or of all in the end."""
    import numpy as np

    assert space.names is not None
    whole = np.zeros(space.width)
    for batch in batches:
        rows = batch.rows
        if request.top_by == "corpus":
            whole += np.bincount(rows.indices, rows.data, space.width)
        else:
            for place, (i, j) in enumerate(itertools.pairwise(rows.indptr), batch.first):
                show(place, _named(rows.data[i:j], rows.indices[i:j], space.names, request.top))
        yield batch
    if request.top_by == "corpus":
        whole = whole.astype(space.dtype)
        show(None, _named(whole, np.arange(space.width), space.names, request.top))


def _named(weights: Any, columns: Any, names: Sequence[str], count: int) -> Weighed:
    places = heaviest(weights, count)
    return [
        (names[column], weight)
        for column, weight in zip(columns[places], weights[places].tolist(), strict=True)
    ]
