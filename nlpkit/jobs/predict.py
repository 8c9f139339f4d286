"""Run a model over every document of the inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nlpkit.answers import Label
from nlpkit.errors import ModelError
from nlpkit.records.answered import Answered, check_confidence
from nlpkit.records.reading import Reading, documents
from nlpkit.runtime.model import Answerer, Model
from nlpkit.runtime.stream import PAUSE, answer


def labeller(model: Model) -> Model:
    """Return the model. Raises ModelError if its answers are not labels."""
    if not issubclass(model.task.answers, Label):
        raise ModelError(f"{model.name} gives no labels; 'nlpkit predict' runs any model")
    return model


def answers(
    model: Answerer,
    reading: Reading,
    settled: Callable[[], object] = lambda: None,
    *,
    min_confidence: float = 0.0,
    pause: float = PAUSE,
) -> Iterator[Answered]:
    """Yield an answer for every record of every input, in order.

    Args:
        model: the model.
        reading: the inputs and how to read them.
        settled: called when every record read so far has been yielded: the time to flush.
        min_confidence: least score; answers below it become uncertain, or lose such spans.
        pause: longest time that a record waits for others to fill a batch, in seconds.

    Raises:
        InputError: an input cannot be read. The records before the error have been yielded.
        UsageError: `min_confidence` is given, but the answers of this model have no scores.
    """
    check_confidence(model.task.answers, min_confidence, model.name)
    for record, text, result in answer(model, documents(reading), settled, pause=pause):
        if result is not None and min_confidence:
            result = result.at_least(min_confidence)
        yield Answered(record, text, result)
