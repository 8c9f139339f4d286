"""Choose the next token of each text: the likeliest, or by chance.

Legend: B texts, V vocabulary.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nlpkit.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.runtime.generate import Draft


def likeliest(drafts: Sequence[Draft], logits_BV: np.ndarray) -> tuple[Any, Any]:
    """Return the likeliest token of each text and its log-probability."""
    import numpy as np

    token_B = logits_BV.argmax(axis=1)
    return token_B, np.take_along_axis(log_softmax(logits_BV), token_B[:, None], 1)[:, 0]


def likeliest_only(drafts: Sequence[Draft], logits_BV: np.ndarray) -> tuple[Any, Any]:
    """Return the likeliest token of each text, and NaN: its chance would take longer."""
    import numpy as np

    return logits_BV.argmax(axis=1), np.full(len(logits_BV), np.nan)


class Sampler:
    """Draw the next token of each text from the model's probabilities.

    The chances of a text depend on the seed, its prompt and its number among the samples of the
    prompt alone, so that it is the same text in any batch.
    """

    def __init__(
        self,
        *,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        min_p: float = 0.0,
        repeat_penalty: float = 1.0,
        seed: int = 0,
    ) -> None:
        """Create the sampler.

        Args:
            temperature: divides the logits; below 1, likely tokens become likelier; 0 always takes
                the likeliest one.
            top_k: only this many of the likeliest tokens can be drawn; 0 for all.
            top_p: only the likeliest tokens whose probabilities sum to this (nucleus sampling,
                Holtzman et al. 2020); 1 for all.
            min_p: only tokens of at least this share of the likeliest one's probability (Nguyen et
                al. 2024); 0 for all.
            repeat_penalty: divides the positive logits of tokens that the text has already, and
                multiplies the negative ones (Keskar et al. 2019, section 4.1); 1 for none.
            seed: of the chances.

        Raises:
            UsageError: a number is out of range.
        """
        for name, value, low, high in (
            ("temperature", temperature, 0.0, 100.0),
            ("top-p", top_p, 0.0, 1.0),
            ("min-p", min_p, 0.0, 1.0),
            ("repeat-penalty", repeat_penalty, 0.01, 100.0),
        ):
            if not low <= value <= high:
                raise UsageError(f"--{name} {value}: give a number from {low:g} to {high:g}")
        if top_k < 0:
            raise UsageError(f"--top-k {top_k}: give 0 for all tokens, or a positive number")
        self.temperature, self.top_k, self.top_p, self.min_p = temperature, top_k, top_p, min_p
        self.repeat_penalty, self.seed = repeat_penalty, seed

    def __call__(self, drafts: Sequence[Draft], logits_BV: np.ndarray) -> tuple[Any, Any]:
        """Return a token of each text and its log-probability without the changes of chances."""
        import numpy as np

        if not drafts:
            return likeliest(drafts, logits_BV)
        logprobs_BV = log_softmax(logits_BV)
        # Chances are compared with sums over all tokens, which float32 rounds too coarsely.
        changed_BV = self._penalised(drafts, logits_BV.astype(np.float64))
        if self.temperature == 0:
            token_B = changed_BV.argmax(axis=1)
        else:
            shifted_BV = changed_BV - changed_BV.max(axis=1, keepdims=True)
            with np.errstate(over="ignore"):  # a tiny temperature makes all others impossible
                probs_BV = np.exp(log_softmax(shifted_BV / self.temperature))
            chances = [self._chance(draft) for draft in drafts]
            token_B = np.array(
                [
                    self._drawn(row_V, chance)
                    for row_V, chance in zip(probs_BV, chances, strict=True)
                ]
            )
        return token_B, np.take_along_axis(logprobs_BV, token_B[:, None], 1)[:, 0]

    def _penalised(self, drafts: Sequence[Draft], logits_BV: np.ndarray) -> np.ndarray:
        import numpy as np

        if self.repeat_penalty == 1:
            return logits_BV
        for row, draft in enumerate(drafts):
            used = np.unique(np.array([*draft.prompt, *draft.ids], dtype=np.int64))
            old = logits_BV[row, used]
            penalised = np.where(old > 0, old / self.repeat_penalty, old * self.repeat_penalty)
            logits_BV[row, used] = penalised
        return logits_BV

    def _drawn(self, probs_V: np.ndarray, chance: float) -> int:
        """Return the token at which the sum of the allowed probabilities exceeds a chance."""
        import numpy as np

        order = np.argsort(-probs_V, kind="stable")
        probs = probs_V[order]
        allowed = len(probs)
        if self.top_k:
            allowed = min(allowed, self.top_k)
        if self.min_p:
            allowed = min(allowed, int((probs >= self.min_p * probs[0]).sum()))
        if self.top_p < 1:
            allowed = min(allowed, int((np.cumsum(probs) < self.top_p).sum()) + 1)
        sums = np.cumsum(probs[:allowed])
        place = int(np.searchsorted(sums, chance * sums[-1], side="right"))
        return int(order[min(place, allowed - 1)])

    def _chance(self, draft: Draft) -> float:
        """Return a number in [0, 1) for a text's next token: a hash is as random as a generator."""
        key = repr((self.seed, draft.prompt, draft.number, len(draft.logprobs)))
        digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
        return int.from_bytes(digest) / 2**64


def log_softmax(logits_BV: np.ndarray) -> np.ndarray:
    """Return log-probabilities, of the type of the logits."""
    import numpy as np

    shifted_BV = logits_BV - logits_BV.max(axis=1, keepdims=True)
    logprobs_BV: np.ndarray = shifted_BV - np.log(np.exp(shifted_BV).sum(axis=1, keepdims=True))
    return logprobs_BV
