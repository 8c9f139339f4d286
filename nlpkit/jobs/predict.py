"""Ask a model about every document of the inputs."""

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

    `settled` is called whenever all that was read so far has been yielded. What an answer is less
    sure of than `min_confidence` is taken out of it. A record waits at most `pause` seconds for
    others to be answered with.

    Raises:
        InputError: an input cannot be read as said; what came before it has been yielded.
        UsageError: the options contradict each other, or answers of this model have no scores.
    """
    check_confidence(model.task.answers, min_confidence, model.name)
    for record, text, said in answer(model, documents(reading), settled, pause=pause):
        if said is not None and min_confidence:
            said = said.at_least(min_confidence)
        yield Answered(record, text, said)
