"""Answer documents with a model: on a terminal, to a file or into a pipe."""

from __future__ import annotations

import io
import itertools
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, TextIO

from nlpkit.wording import plural

if TYPE_CHECKING:
    from nlpkit.records.answered import Answered
    from nlpkit.records.reading import Reading
    from nlpkit.runtime.model import Answerer, Model

    Answering = Callable[..., Iterator[Answered]]  # called as nlpkit.jobs.predict.answers
    Writer = Callable[[Answerer, Reading, float, TextIO], int]  # returns the number of records


def answer_all(
    *,
    model: str | Answerer,
    inputs: list[str] | None,
    source: str | None,
    column: str | None,
    sheet: str | None,
    encoding: str,
    errors: str,
    whole: bool,
    to: str | None,
    output: str,
    dialect: str | None,
    into: str | None,
    by: list[str] | None,
    min_confidence: float,
    line_buffered: bool,
    device: str,
    precision: str,
    quiet: bool,
    verbose: bool,
    adapt: Callable[[Model], Answerer] = lambda model: model,
    writers: Mapping[str, Writer] = MappingProxyType({}),
    answering: Answering | None = None,
    showing: Callable[[Answerer, Reading], None] | None = None,
    texts: Sequence[str] = (),
    example: str = "echo 'Adorei!' | nlpkit sentiment",
) -> None:
    """Run a model on all documents; the arguments are the options of `nlpkit predict`.

    `model` is a model, or the name of one to load. `adapt` returns the model that answers in place
    of the one that is loaded. `writers` are formats of the command's own. `answering` replaces
    `nlpkit.jobs.predict.answers`, and `showing` what is printed on a terminal. `texts` are
    documents in place of inputs. `example` is a command that pipes text in, for the message that
    there is none.
    """
    from nlpkit import catalog, records
    from nlpkit.cli.notes import print_empty
    from nlpkit.errors import UsageError
    from nlpkit.records.answered import check_into
    from nlpkit.records.layout import Layout
    from nlpkit.records.reading import Reading

    if not inputs and not texts and is_terminal(sys.stdin):
        raise UsageError(f"name a file, or pipe text in: {example}")
    if to is None and "html" in writers and output.endswith((".html", ".htm")):
        to = "html"
    formats = [*(name for name in catalog.names("formats") if name != "lines"), *writers]
    if to is not None and to not in formats:
        raise UsageError(f"--to {to}: not one of {', '.join(formats)}")
    if by and len(by) > 1:
        raise UsageError(f"--by counts by one field, not {len(by)}: {', '.join(by)}")
    reading = Reading(
        inputs=inputs or ([] if texts else ["-"]),
        texts=texts,
        format=source,
        column=column,
        encoding=encoding,
        errors=errors,
        whole=whole,
        sheet=sheet,
        layout=Layout(asked=dialect),
    )
    loaded: Answerer = (
        adapt(load(model, device, precision, verbose)) if isinstance(model, str) else model
    )
    check_into(into)
    if by:
        from nlpkit.cli.screen.tally import count_by

        count_by(
            by[0],
            loaded,
            reading,
            to=to,
            output=output,
            into=into,
            min_confidence=min_confidence,
            quiet=quiet,
        )
    elif to is None and output == "-" and dialect is None and is_terminal(sys.stdout):
        from nlpkit.cli.screen.answers import show

        if showing:
            showing(loaded, reading)
        else:
            show(loaded, reading, quiet=quiet, min_confidence=min_confidence)
    else:
        with Progress(
            output, not quiet and is_terminal(sys.stderr) and _goes_to_file(output)
        ) as progress:
            if to is not None and to in writers:
                with records.write_output(output) as stream:
                    count = writers[to](loaded, reading, min_confidence, stream)
            else:
                count = _write(
                    loaded,
                    reading,
                    to,
                    output,
                    into,
                    min_confidence,
                    line_buffered,
                    progress,
                    answering,
                )
            progress.finish(count)
        print_empty(reading.inputs, count)
    _print_truncated(loaded)


def _print_truncated(model: Answerer) -> None:
    """Print how many documents are longer than the model reads."""
    if count := model.tally.truncated:
        documents = f"{plural(count, 'document')} {'is' if count == 1 else 'are'}"
        size = plural(model.tally.size, "token")
        print(
            f"nlpkit: {documents} longer than the {size} that {model.name} reads; "
            f"the {model.tally.unread} was not read",
            file=sys.stderr,
        )


def _goes_to_file(output: str) -> bool:
    """Return whether the output is a file, so that no other program writes on the terminal."""
    if os.environ.get("TERM") == "dumb":
        return False
    return output != "-" or stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)


class Progress:
    """Show the number of answered documents on one line of stderr."""

    def __init__(self, output: str, watched: bool) -> None:
        self.output, self.watched = output, watched
        self.start = self.shown = time.monotonic()
        self.count = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if self.watched and kind is KeyboardInterrupt:
            left = f"; {self.output} is not written" if self.output != "-" else ""
            self._print(f"interrupted after {plural(self.count, 'document')}{left}", end="\n")

    def answered(self, answers: Iterator[Answered]) -> Iterator[Answered]:
        """Count answers as they pass."""
        for answer in answers:
            self.count += 1
            yield answer

    def show_count(self) -> None:
        """Show the count and the speed, at most twice a second."""
        if self.watched and (now := time.monotonic()) - self.shown > 0.5:
            self.shown = now
            speed = self.count / (now - self.start)
            self._print(f"{plural(self.count, 'document')}, {speed:,.0f} a second")

    def finish(self, count: int) -> None:
        """Print the final count; for stdout, only if progress was shown."""
        if self.watched and (self.output != "-" or self.shown > self.start):
            seconds = max(time.monotonic() - self.start, 1e-9)
            name = "" if self.output == "-" else f" to {self.output}"
            summary = f"wrote {plural(count, 'document')}{name}, {count / seconds:,.0f} a second"
            self._print(summary, end="\n")

    def _print(self, text: str, end: str = "") -> None:
        print(f"\r\x1b[Knlpkit: {text}", end=end, file=sys.stderr, flush=True)


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal."""
    return stream is not None and stream.isatty()


def load(name: str, device: str, precision: str, verbose: bool) -> Model:
    """Load a model; `verbose` prints its name and the device."""
    from nlpkit import zoo

    loaded = zoo.load(name, device=device, precision=precision)
    if verbose:
        print(f"nlpkit: {loaded.name} on {loaded.provider}", file=sys.stderr)
    return loaded


def _write(
    model: Answerer,
    reading: Reading,
    to: str | None,
    output: str,
    into: str | None,
    min_confidence: float,
    line_buffered: bool,
    progress: Progress,
    answering: Answering | None,
) -> int:
    from nlpkit import records
    from nlpkit.jobs.predict import answers
    from nlpkit.records.answered import check_dialect, check_format, write, write_whole
    from nlpkit.records.target import check_target, format_for
    from nlpkit.runtime.stream import PAUSE

    alike = reading.common_format()
    plain = alike == "lines"
    kind = model.task.answers
    format = format_for(output, to, getattr(kind, "OF_LINES", "tsv") if plain else alike)
    check_format(format, kind, into)
    check_target(output, reading.inputs, format, alike)
    check_dialect(reading.layout.asked, format)
    with records.write_output(output) as stream:
        if line_buffered and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)

        def flush() -> None:
            stream.flush()
            progress.show_count()

        pause = 0.0 if line_buffered else PAUSE
        items = (answering or answers)(
            model, reading, flush, min_confidence=min_confidence, pause=pause
        )
        items = progress.answered(_warned(items, kind.fields(into)))
        if reading.whole and plain and format == "lines":
            return write_whole(items, stream)
        layout = reading.layout
        return write(items, stream, format, kind=kind, into=into, plain=plain, layout=layout)


def _warned(answers: Iterator[Answered], fields: Sequence[str]) -> Iterator[Answered]:
    """Print one note if the answers replace fields of the input."""
    from nlpkit.cli.notes import print_replaced
    from nlpkit.records.answered import replaced

    for item in itertools.islice(answers, 1):
        if names := replaced(fields, item.record):
            print_replaced(names)
        yield item
    yield from answers
