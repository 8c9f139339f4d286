"""Beam search: keep the best unfinished texts of each source, and return the best finished one.

Legend: N sources, K beams, B = N * K texts, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nlpkit.runtime.choosing import log_softmax
from nlpkit.runtime.generate import Decoding, Draft, Guard
from nlpkit.runtime.graphs import Run

if TYPE_CHECKING:
    import numpy as np

ALPHA = 0.6  # exponent of the length penalty of Wu et al. 2016, section 7


@dataclass
class _Beams:
    """The beams of one source: those that go on, and the best one that has ended."""

    open: list[Draft] = field(default_factory=list)
    best: Draft | None = None

    @property
    def done(self) -> bool:
        """Whether no open beam is better now than the best ended one."""
        if not self.open:
            return True
        return self.best is not None and score(self.best) >= max(map(score, self.open))


def score(draft: Draft) -> float:
    """Return the log-probability of a text by its length ((5 + length) / 6) ** ALPHA."""
    return sum(draft.logprobs) / ((5 + len(draft.logprobs)) / 6) ** ALPHA


def search(
    run: Run,
    source: Mapping[str, np.ndarray],
    drafts: Sequence[Draft],
    beams: int,
    *,
    eos: int,
    silent: Sequence[int] = (),
    guard: Guard | None = None,
) -> list[Draft]:
    """Return the best text of each source; `drafts` give its prompt and its limit.

    Prompts must have one length; a source's search ends when no open beam has a better score than
    its best ended one (GNMT, Wu et al. 2016). `silent` and `guard` are as for `generate.write`.
    """
    import numpy as np

    if not drafts:
        return []
    decoding = Decoding(run, source, len(drafts), silent)
    prompt_BU = np.array([draft.prompt for draft in drafts], dtype=np.int64)
    parts = np.split(prompt_BU, prompt_BU.shape[1], axis=1) if decoding.one_by_one else [prompt_BU]
    for part in parts:
        logits_BV = decoding.read(part)
    found = [_Beams([replace(draft, ids=[], logprobs=[])]) for draft in drafts]
    active = list(found)
    while True:
        rows, ids, remaining, start = [], [], [], 0
        if guard:
            guard([draft for each in active for draft in each.open], logits_BV)
        logprobs_BV = log_softmax(logits_BV)
        for each in active:
            count = len(each.open)
            parents = _extend(each, logprobs_BV[start : start + count], beams, eos)
            if not each.done:
                remaining.append(each)
                rows += [start + parent for parent in parents]
                ids += [draft.ids[-1] for draft in each.open]
            start += count
        active = remaining
        if not active:
            break
        decoding.take(rows)
        logits_BV = decoding.read(np.array(ids, dtype=np.int64)[:, None])
    return [each.best for each in found if each.best]


def _extend(each: _Beams, logprobs_KV: np.ndarray, beams: int, eos: int) -> list[int]:
    """Add a token to the open beams; return the earlier beam of each that is open now."""
    import numpy as np

    sums_K1 = np.array([[sum(draft.logprobs)] for draft in each.open])
    flat = (sums_K1 + logprobs_KV).ravel()
    most = min(2 * beams, len(flat))  # enough beams remain, even if every other one ends
    top = np.argpartition(-flat, most - 1)[:most]
    following: list[Draft] = []
    parents: list[int] = []
    for place in sorted(top.tolist(), key=lambda place: (-flat[place], place)):
        parent, token = divmod(place, logprobs_KV.shape[1])
        old = each.open[parent]
        draft = replace(old, ids=[*old.ids], logprobs=[*old.logprobs])
        draft.add(token, float(logprobs_KV[parent, token]), eos)
        if draft.done:
            if each.best is None or score(draft) > score(each.best):
                each.best = draft
        elif len(following) < beams:
            following.append(draft)
            parents.append(parent)
    each.open = following
    return parents
