"""Read documents, ask a model, write records with the answers in them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TextIO

from nlpkit import catalog, records
from nlpkit.errors import UsageError
from nlpkit.records import Record, Source
from nlpkit.records.escape import escape
from nlpkit.runtime.model import Model
from nlpkit.runtime.stream import PAUSE, answer
from nlpkit.tasks import Prediction

UNCERTAIN = "uncertain"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How to read the inputs. `format` None goes by each file's extension."""

    inputs: Sequence[str]
    format: str | None = None
    column: str | None = None
    encoding: str = "utf-8"
    errors: str = "strict"
    whole: bool = False
    places: Mapping[str, str] = field(default_factory=dict)  # inputs that lie elsewhere now

    def formats(self) -> set[str]:
        """Return the formats of all inputs, which the output follows."""
        if self.whole:
            return {"lines"}
        return {self.format or records.format_of(path) for path in self.inputs}


class Answer(NamedTuple):
    """A record as it came, its text, and what the model says of it."""

    record: Record
    text: str
    prediction: Prediction | None


def predictions(
    model: Model,
    reading: Reading,
    settled: Callable[[], object] = lambda: None,
    *,
    min_confidence: float = 0.0,
    pause: float = PAUSE,
) -> Iterator[Answer]:
    """Yield an answer for every record of every input, in order.

    `settled` is called whenever all that was read so far has been yielded. A label whose score is
    below `min_confidence` becomes UNCERTAIN; its score stays. A record waits at most `pause`
    seconds for others to be answered with.

    Raises:
        InputError: an input cannot be read as said; what came before it has been yielded.
        UsageError: the options contradict each other.
    """
    if model.task.command != "predict":
        raise UsageError(f"{model.name} gives no labels: 'nlpkit {model.task.command}' asks it")
    for record, text, prediction in answer(model, documents(reading), settled, pause=pause):
        yield Answer(record, text, sure(prediction, min_confidence))


def sure(prediction: Prediction | None, least: float) -> Prediction | None:
    """Return the prediction, its label UNCERTAIN where its score is below `least`."""
    if prediction and prediction.score < least:
        return prediction._replace(label=UNCERTAIN)
    return prediction


def documents(reading: Reading) -> Iterator[tuple[Record, str]]:
    """Return every record of every input with its text, in order; inputs are checked at once.

    Raises:
        InputError: an input cannot be read as said; what came before it has been yielded.
        UsageError: the options contradict each other.
    """
    if reading.whole and (reading.format or reading.column):
        raise UsageError("--whole takes a file as one text; leave out --from and --column")
    records.check_inputs(reading.inputs)
    return _documents(reading)


def _documents(reading: Reading) -> Iterator[tuple[Record, str]]:
    for path in reading.inputs:
        name = "stdin" if path == "-" else path
        source = Source(name, reading.encoding, reading.errors, reading.column)
        with records.open_input(reading.places.get(path, path)) as stream:
            if reading.whole:
                lines = records.read(stream, "lines", source)
                text = "\n".join(record[records.TEXT] for record in lines)
                yield {"file": name, records.TEXT: text}, text
                continue
            format = reading.format or records.format_of(path)
            for record in records.read(stream, format, source):
                yield record, records.text_of(record, source)


def write(answers: Iterator[Answer], stream: TextIO, format: str, *, plain: bool, into: str) -> int:
    """Write answers as `format` and return how many.

    `plain`: the input was lines, so TSV is `label<TAB>score<TAB>text` without a header.
    """
    counter = itertools.count()  # asked after each answer, so it ends at their number
    answers = (item for item, _ in zip(answers, counter, strict=False))
    if plain and format == "tsv":
        for _, text, prediction in answers:
            label, score = _label_and_score(prediction)
            stream.write(f"{escape(label)}\t{score}\t{escape(text)}\n")
    else:
        full = getattr(catalog.load("formats", format), "NESTED", False)
        records.write((annotated(item, into, full=full) for item in answers), stream, format)
    return next(counter)


def annotated(item: Answer, into: str, *, full: bool) -> Record:
    """Return the record with the answer in it: `label` and `score`, and in full `scores`.

    Another `into` than "label" also names the rest: `into`, `into_score`, `into_scores`.
    """
    label_field, score_field = fields(into)
    prediction = item.prediction
    if not full:
        label, score = _label_and_score(prediction)
        return item.record | {label_field: label, score_field: score}
    return item.record | {
        label_field: prediction.label if prediction else "",
        score_field: prediction.score if prediction else None,
        f"{score_field}s": dict(prediction.scores) if prediction else {},
    }


def fields(into: str) -> tuple[str, str]:
    """Return the names of the fields that a label and its score are written to."""
    return into, "score" if into == "label" else f"{into}_score"


def _label_and_score(prediction: Prediction | None) -> tuple[str, str]:
    return (prediction.label, f"{prediction.score:.4f}") if prediction else ("", "")
