"""Write texts with a model: continuations of prompts, or texts from sources.

Legend: B batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from nlpkit.answers.written import Written
from nlpkit.runtime import beam
from nlpkit.runtime.batcher import batches
from nlpkit.runtime.choosing import Sampler, likeliest, likeliest_only
from nlpkit.runtime.generate import Draft, never, write
from nlpkit.runtime.graphs import ENCODE
from nlpkit.runtime.marks import Guard
from nlpkit.text.unicode import visible, whole

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.runtime.model import Model
    from nlpkit.text import Tokenizer
    from nlpkit.text.windows import Windows

IGNORED = -100  # in training targets: nothing is to be predicted there
MOST, SHORT = 64, 256  # texts in a batch; fewer, if the window has more tokens than SHORT


@dataclass(frozen=True)
class Manner:
    """How texts are written.

    Attributes:
        longest: most new tokens of a text.
        beams: beams of the search, 1 for none.
        sampler: draws tokens by chance; None takes the likeliest.
        stop: texts that end a text; they are not part of it.
        pieces: whether answers have each token with its log-probability.
    """

    longest: int = 128
    beams: int = 1
    sampler: Sampler | None = None
    stop: tuple[str, ...] = ()
    pieces: bool = False


Listener = Callable[[int, str], None]  # receives a document's index and what was written so far


def from_sources(
    model: Model,
    windows: Windows,
    numbers: Sequence[int],
    manner: Manner,
    listener: Listener | None = None,
    marks: Sequence[str] = (),
) -> list[Written | None]:
    """Return the text written for each source, of which `windows` are; None for an empty one.

    `numbers` has a number for each source: equal sources with different ones have other chances.
    Each of the `marks` is written as often as the source has it.
    """
    bos, eos = model.task.bounds(model.tokenizer)
    guard = Guard(model.tokenizer, marks, eos) if marks else None
    written: list[Written | None] = [None] * len(numbers)
    budget = min(model.budget, MOST * 32) // manner.beams
    for batch in batches(windows, budget):
        owners = windows.owner_W[batch.rows].tolist()
        drafts = [Draft([bos], manner.longest, numbers[owner]) for owner in owners]
        if guard:
            for draft, ids_T in zip(drafts, batch.ids_BT.tolist(), strict=True):
                draft.marks = guard.marks(ids_T)
        for owner, draft in _finished(
            model, batch.feeds(), drafts, owners, manner, listener, guard
        ):
            written[owner] = _text(model, draft, manner)
    return written


def from_prompts(
    model: Model,
    prompts: Sequence[str],
    numbers: Sequence[int],
    manner: Manner,
    listener: Listener | None = None,
) -> list[Written]:
    """Return each prompt with its continuation by a language model; blanks at its end are cut.

    `numbers` are as for `from_sources`. An empty prompt gives a text of the model's own. Of a
    prompt longer than the model's window, the end is read.
    """
    if not prompts:
        return []
    bos, _ = model.task.bounds(model.tokenizer)
    kept = [prompt_of(prompt) for prompt in prompts]
    starts = [[bos, *ids.tolist()] for ids in model.tokenizer.encode(kept).each()]
    size = model.windows.size
    model.tally.size, model.tally.unread = size, "beginning"
    model.tally.truncated += sum(len(start) > size for start in starts)
    starts = [start[-size:] for start in starts]
    order = sorted(range(len(prompts)), key=lambda index: len(starts[index]))
    written: dict[int, Written] = {}
    most = max(1, min(MOST, MOST * SHORT // size) // manner.beams)
    for first in range(0, len(order), most):
        owners = order[first : first + most]
        for group in _alike(owners, starts) if manner.beams > 1 else [owners]:
            drafts = [Draft(starts[owner], manner.longest, numbers[owner]) for owner in group]
            for owner, draft in _finished(model, {}, drafts, group, manner, listener):
                text = _text(model, draft, manner)
                written[owner] = Written(kept[owner] + text.text, text.score, text.pieces)
    return [written[index] for index in range(len(prompts))]


def reads_sources(task: Any) -> bool:
    """Tell whether a task that writes does so from sources; a language model continues prompts."""
    return ENCODE in task.graphs


def prompt_of(text: str) -> str:
    """Return a text as a prompt: in NFC, without invisible characters and blanks at its end."""
    return whole(visible(text)).rstrip()


def _alike(owners: Sequence[int], starts: Sequence[list[int]]) -> list[list[int]]:
    """Return groups of prompts with equal lengths, as a beam search needs them."""
    by_length = groupby(owners, key=lambda owner: len(starts[owner]))
    return [list(group) for _, group in by_length]


def _finished(
    model: Model,
    source: Mapping[str, np.ndarray],
    drafts: list[Draft],
    owners: Sequence[int],
    manner: Manner,
    listener: Listener | None,
    guard: Guard | None = None,
) -> list[tuple[int, Draft]]:
    """Write the drafts; return each with its owner."""
    bos, eos = model.task.bounds(model.tokenizer)
    silent = [model.tokenizer.pad, model.tokenizer.unk, bos]
    if manner.beams > 1:
        drafts = beam.search(
            model.run, source, drafts, manner.beams, eos=eos, silent=silent, guard=guard
        )
        return list(zip(owners, drafts, strict=True))

    def stops(draft: Draft) -> bool:
        text = added(model.tokenizer, draft)
        return any(stop in text for stop in manner.stop)

    finished = stops if manner.stop else never
    choose = manner.sampler or (likeliest if manner.pieces else likeliest_only)
    steps = write(
        model.run,
        source,
        drafts,
        choose,
        eos=eos,
        silent=silent,
        guard=guard,
        finished=finished,
    )
    for row, draft in steps:
        if listener:
            text = cut(added(model.tokenizer, draft), manner.stop)
            listener(owners[row], text if draft.done else before_stop(text, manner.stop))
    return list(zip(owners, drafts, strict=True))


def added(tokenizer: Tokenizer, draft: Draft) -> str:
    """Return the text that was written after the prompt."""
    before = tokenizer.text(draft.prompt[1:])
    return tokenizer.text([*draft.prompt[1:], *draft.ids])[len(before) :]


def cut(text: str, stop: Sequence[str]) -> str:
    """Return a text up to the first stop in it."""
    return text[: min((place for each in stop if (place := text.find(each)) >= 0), default=None)]


def before_stop(text: str, stop: Sequence[str]) -> str:
    """Return a text that goes on, without an end that may become a stop."""
    ends = (
        length for each in stop for length in range(1, len(each)) if text.endswith(each[:length])
    )
    return text[: len(text) - max(ends, default=0)]


def _text(model: Model, draft: Draft, manner: Manner) -> Written:
    """Return what was written after the prompt, with its mean log-probability if it is known."""
    text = cut(added(model.tokenizer, draft), manner.stop)
    pieces = []
    if manner.pieces:
        ended = [""] if len(draft.logprobs) > len(draft.ids) else []
        tokens = [*pieces_text(model.tokenizer, draft.ids), *ended]
        pieces = list(zip(tokens, draft.logprobs, strict=True))
    mean = sum(draft.logprobs) / max(len(draft.logprobs), 1)
    return Written(text, None if math.isnan(mean) else mean, tuple(pieces))


def pieces_text(tokenizer: Tokenizer, ids: Sequence[int]) -> list[str]:
    """Return the text of each token, with its blanks; U+FFFD for a part of a character.

    A text loses blanks at its ends, so each token is read between two others.
    """
    *_, mark = tokenizer.encode(["."]).ids_S.tolist()
    before = len(tokenizer.text([mark]))
    after = len(tokenizer.text([mark, mark])) - before
    return [tokenizer.text([mark, token, mark])[before:-after] for token in ids]
