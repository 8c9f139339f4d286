"""Predict an answer for every record of the inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nlpkit.records.answered import Answered, check_confidence
from nlpkit.records.reading import Reading, documents
from nlpkit.runtime.model import Model
from nlpkit.runtime.stream import PAUSE, answer


def answers(
    model: Model,
    reading: Reading,
    settled: Callable[[], object] = lambda: None,
    *,
    min_confidence: float = 0.0,
    pause: float = PAUSE,
) -> Iterator[Answered]:
    """Yield an answer for every record of every input, in order.

    `settled` is called when every record read so far has been yielded. Parts of an answer with a
    score below `min_confidence` (0 to 1) are left out. A record waits at most `pause` seconds for
    others to fill its batch.

    Raises:
        InputError: an input cannot be read; the answers for the records before it have been
            yielded.
        UsageError: the options contradict each other, or answers of this model have no scores.
    """
    check_confidence(model.task.answers, min_confidence, model.name)
    for record, text, prediction in answer(model, documents(reading), settled, pause=pause):
        if prediction is not None and min_confidence:
            prediction = prediction.at_least(min_confidence)
        yield Answered(record, text, prediction)
