"""Write texts with a model: continuations of prompts, or texts from sources."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from nlpkit.abilities import Writes
from nlpkit.answers.written import Written
from nlpkit.errors import ModelError, UsageError
from nlpkit.records.answered import Answered
from nlpkit.records.reading import Reading, documents
from nlpkit.runtime.choosing import Sampler
from nlpkit.runtime.stream import PAUSE, Shelf
from nlpkit.runtime.writing import MOST, Listener, Manner, prompt_of, reads_sources

# Of a language model; texts from sources are written without chance, as long as the recipe says.
TEMPERATURE, LONGEST = 0.8, 100


def check(model: Any) -> Writes:
    """Return the task of a model that writes.

    Raises:
        ModelError: it writes no texts.
    """
    if not isinstance(model.task, Writes):
        raise ModelError(
            f"{model.name} writes no texts; name a model of the task generate, such as lm-pt"
        )
    return model.task


def writer_of(
    model: Any, kind: type[Written] = Written, beams: int | None = None, *, source: bool = False
) -> Any:
    """Return a model whose answers are texts of a kind; those of a language model are surprises.

    `beams` replaces the model's own number; `source` demands a model that writes from sources.

    Raises:
        ModelError: it writes no texts, or none from sources.
    """
    task: Any = copy.copy(check(model))
    if source and not reads_sources(task):
        raise ModelError(f"{model.name} continues prompts; name a model that writes from sources")
    task.answers = kind
    if beams:
        task.config = dataclasses.replace(task.config, beams=beams)
    return dataclasses.replace(model, task=task)


def manner_of(
    model: Any,
    *,
    beams: int | None,
    longest: int | None,
    temperature: float | None,
    sampling: dict[str, Any],
    samples: int,
    stop: tuple[str, ...],
    pieces: bool = False,
) -> Manner:
    """Return how a model writes; `sampling` are settings of `Sampler`.

    Beams and length that are None are those of the model, if it writes from sources; chance
    leaves its beams out.

    Raises:
        UsageError: a setting is out of range, beams are to draw by chance, or several samples
            would be the same text.
    """
    if "" in stop:
        raise UsageError("--stop '' would end every text before it begins; give a text")
    if reads_sources(model.task):
        own = model.task.config
        beams = beams or (1 if temperature or sampling["repeat_penalty"] != 1 else own.beams)
        longest = longest or own.longest
    beams, longest = beams or 1, longest or LONGEST
    if temperature is None:
        temperature = 0.0 if beams > 1 or reads_sources(model.task) else TEMPERATURE
    if beams > 1 and temperature:
        raise UsageError("--beams searches without chance; leave --temperature out")
    if samples > 1 and not temperature:
        raise UsageError(
            "--samples draws by chance, and --beams or a temperature of 0 leave none; "
            "give a --temperature above 0, without --beams"
        )
    sampler = Sampler(temperature=temperature, **sampling)
    if beams > 1 and sampler.repeat_penalty != 1:
        raise UsageError("--beams searches without a penalty; leave --repeat-penalty out")
    plain = not temperature and sampler.repeat_penalty == 1
    chosen = None if plain else sampler
    return Manner(longest=longest, beams=beams, sampler=chosen, stop=stop, pieces=pieces)


def texts(
    model: Any,
    reading: Reading,
    settled: Callable[[], object] = lambda: None,
    *,
    manner: Manner,
    samples: int = 1,
    min_confidence: float = 0.0,
    pause: float = PAUSE,
) -> Iterator[Answered]:
    """Yield `samples` texts for every record of every input, in order.

    With more than one, each record has its number in the field `sample`, from 1. A record without
    a text has no answer; an empty prompt that was given on its own has one. `min_confidence` has no
    meaning here, since texts have no confidence.

    Raises:
        InputError: an input cannot be read. The records before the error have been yielded.
    """
    task = check(model)
    shelf: Shelf[Any] = Shelf(max(MOST // samples, 1), pause)
    for chunk in shelf.chunks(documents(reading)):
        written = [text for _, text in chunk if _is_given(text, reading)]
        numbers = [*range(samples)] * len(written)
        repeated = [text for text in written for _ in range(samples)]
        answers = iter(task.write(model, repeated, numbers, manner))
        for record, text in chunk:
            for number in range(samples):
                numbered = record | {"sample": number + 1} if samples > 1 else record
                is_written = _is_given(text, reading)
                yield Answered(numbered, text, next(answers) if is_written else None)
        settled()


def _is_given(text: str, reading: Reading) -> bool:
    """Tell whether a text is to be written: not for a blank record, but for a prompt alone."""
    return bool(reading.texts) or bool(prompt_of(text))


def one_by_one(
    model: Any, reading: Reading, manner: Manner, samples: int
) -> Iterator[tuple[str, Callable[[Listener | None], Any]]]:
    """Yield each text as often as it has samples, and a function that writes its answer.

    The function gives a listener what was written so far, after each token.
    """
    task = check(model)
    for _, text in documents(reading):
        for number in range(samples if _is_given(text, reading) else 0):

            def write(listener: Listener | None, text: str = text, number: int = number) -> Any:
                return task.write(model, [text], [number], manner, listener)[0]

            yield text, write
