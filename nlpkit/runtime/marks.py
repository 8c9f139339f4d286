"""Write each mark of a source once; a mark stands for a part that is copied.

A network forgets marks, or repeats them, and the numbers that they stand for would be lost. So a
text may not end before every mark is written, and a mark may not be written more often than its
source has it (constrained decoding; Hokamp & Liu 2017, "Lexically constrained decoding").

Legend: B texts in the batch, V vocabulary.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.runtime.generate import Draft
    from nlpkit.text import Tokenizer


class Guard:
    """Forbids next tokens with which a draft would lose or repeat a mark."""

    def __init__(self, tokenizer: Tokenizer, marks: Sequence[str], eos: int) -> None:
        """Find the tokens that hold marks; a mark that is not a token's whole is never guarded."""
        self.eos = eos
        pieces = tokenizer.pieces(range(tokenizer.vocab_size))
        encoded = tokenizer.encode(list(marks)).each()
        signs = {pieces[ids[0]] for ids in encoded if len(ids) == 1 and ids[0] != tokenizer.unk}
        self.marks_of = {
            token: Counter(sign for sign in piece if sign in signs)
            for token, piece in enumerate(pieces)
            if not signs.isdisjoint(piece)
        }

    def marks(self, ids: Iterable[int]) -> Counter[str]:
        """Return how often each mark is in the tokens."""
        found: Counter[str] = Counter()
        for token in ids:
            found.update(self.marks_of.get(token, ()))
        return found

    def __call__(self, drafts: Sequence[Draft], logits_BV: np.ndarray) -> None:
        """Set the logits of forbidden tokens to minus infinity, in place."""
        for draft, logits_V in zip(drafts, logits_BV, strict=True):
            if draft.marks:
                self._forbid(draft, logits_V)

    def _forbid(self, draft: Draft, logits_V: np.ndarray) -> None:
        """Forbid tokens to one draft.

        Where the end is the likeliest token, or only the missing marks still fit, nothing but a
        missing mark is allowed.
        """
        import numpy as np

        missing = draft.marks - self.marks(draft.ids)
        room = draft.limit - len(draft.ids)
        ends = int(logits_V.argmax()) == self.eos or room <= missing.total()
        allowed = [token for token, marks in self.marks_of.items() if marks <= missing]
        kept = logits_V[allowed]
        logits_V[slice(None) if missing and ends else list(self.marks_of)] = -np.inf
        logits_V[allowed] = kept
        if missing:
            logits_V[self.eos] = -np.inf
