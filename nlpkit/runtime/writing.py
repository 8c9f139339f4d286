"""Write texts with a model: continuations of prompts, or texts from sources.

Legend: B batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlpkit.answers import Text
from nlpkit.runtime import beam
from nlpkit.runtime.batcher import batches
from nlpkit.runtime.choosing import Sampler, likeliest
from nlpkit.runtime.generate import Draft, never, write

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.runtime.model import Model
    from nlpkit.text import Tokenizer
    from nlpkit.text.windows import Windows

IGNORED = -100  # in training targets: nothing is to be predicted there
MOST = 64  # texts in a batch


@dataclass(frozen=True)
class Manner:
    """How texts are written.

    Attributes:
        longest: most new tokens of a text.
        beams: beams of the search, 1 for none.
        sampler: draws tokens by chance; None takes the likeliest.
        samples: texts for each prompt or source.
        stop: texts that end a text; they are not part of it.
    """

    longest: int = 128
    beams: int = 1
    sampler: Sampler | None = None
    samples: int = 1
    stop: tuple[str, ...] = ()


Listener = Callable[[int, Draft], None]  # receives a prompt's index and its text so far


def silent(index: int, draft: Draft) -> None:
    """Receive a text and do nothing."""


def answers(
    model: Model, windows: Windows, count: int, manner: Manner, listener: Listener = silent
) -> list[Text | None]:
    """Return the text written for each of `count` sources; None for one without tokens.

    With `samples`, each source has that many texts, one after another.
    """
    bos, _ = model.task.bounds(model.tokenizer)
    written: list[Text | None] = [None] * (count * manner.samples)
    budget = model.budget // manner.beams
    for batch in batches(windows, min(budget, MOST * 32)):
        owners = [int(windows.owner_W[row]) for row in batch.rows for _ in range(manner.samples)]
        feeds = {
            name: array.repeat(manner.samples, axis=0) for name, array in batch.feeds().items()
        }
        numbers = [*range(manner.samples)] * len(batch.rows)
        prompts = [[bos]] * len(owners)
        drafts = _written(model, feeds, owners, numbers, prompts, manner, listener)
        for owner, number, draft in zip(owners, numbers, drafts, strict=True):
            written[owner * manner.samples + number] = text_of(model, draft, manner.stop)
    return written


def continuations(
    model: Model, prompts: Sequence[str], manner: Manner, listener: Listener = silent
) -> list[Text]:
    """Return each prompt with its continuation by a language model, `samples` of each."""
    bos, _ = model.task.bounds(model.tokenizer)
    encoded = model.tokenizer.encode([prompt.rstrip() for prompt in prompts]).each()
    starts = [[bos, *ids.tolist()] for ids in encoded] if prompts else []
    jobs = [(index, number) for index in range(len(prompts)) for number in range(manner.samples)]
    jobs.sort(key=lambda job: len(starts[job[0]]))  # stable: prompts of like length go together
    written: list[Any] = [None] * len(jobs)
    for first in range(0, len(jobs), MOST):
        owners, numbers = zip(*jobs[first : first + MOST], strict=True)
        begun = [starts[owner] for owner in owners]
        drafts = _written(model, {}, owners, numbers, begun, manner, listener)
        for owner, number, draft in zip(owners, numbers, drafts, strict=True):
            written[owner * manner.samples + number] = text_of(
                model, draft, manner.stop, prompts[owner]
            )
    return written


def _written(
    model: Model,
    source: Mapping[str, np.ndarray],
    owners: Sequence[int],
    numbers: Sequence[int],
    prompts: Sequence[list[int]],
    manner: Manner,
    listener: Listener,
) -> list[Draft]:
    _, eos = model.task.bounds(model.tokenizer)
    drafts = [
        Draft(prompt, manner.longest, number)
        for prompt, number in zip(prompts, numbers, strict=True)
    ]
    if manner.beams > 1:
        return beam.search(model.run, source, drafts, manner.beams, eos=eos)

    def finished(draft: Draft) -> bool:
        text = added(model.tokenizer, draft)
        return any(stop in text for stop in manner.stop)

    steps = write(
        model.run,
        source,
        drafts,
        manner.sampler or likeliest,
        eos=eos,
        finished=finished if manner.stop else never,
    )
    for row, draft in steps:
        listener(owners[row], draft)
    return drafts


def added(tokenizer: Tokenizer, draft: Draft) -> str:
    """Return the text that was written after the prompt."""
    before = tokenizer.text(draft.prompt[1:])
    return tokenizer.text([*draft.prompt[1:], *draft.ids])[len(before) :]


def text_of(model: Model, draft: Draft, stop: Sequence[str], prompt: str = "") -> Text:
    """Return a draft's text after its prompt, up to a stop, and its mean log-probability."""
    text = added(model.tokenizer, draft)
    end = min((place for each in stop if (place := text.find(each)) >= 0), default=len(text))
    text = f"{prompt.rstrip()}{text[:end]}"
    return Text(text, sum(draft.logprobs) / max(len(draft.logprobs), 1))


def each_token(model: Model, draft: Draft) -> Iterator[tuple[str, float]]:
    """Yield the text of each new token, and its log-probability."""
    for token, logprob in zip(draft.ids, draft.logprobs, strict=False):
        yield model.tokenizer.text([token]), logprob
