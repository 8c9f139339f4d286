"""ROUGE (Lin 2004): the words of a gold text that an answer has too.

The scores are means of F-measures by the package rouge-score: `rouge1` counts words, `rouge2` pairs
of adjacent words, and `rougeL` the words of the longest common subsequence. The package's tokenizer
drops letters with accents, so it is given ours: letters and digits in lower case, without stemming.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from nlpkit.answers import Text
from nlpkit.errors import MissingExtra
from nlpkit.text.unicode import visible

FITS = Text
NAMES = ("rouge1", "rouge2", "rougeL")
_WORD = re.compile(r"[^\W_]+")


def measure(golds: Sequence[Text], answers: Sequence[Text]) -> dict[str, Any]:
    """Return the mean F-measures rouge1, rouge2 and rougeL, from 0 to 1.

    Raises:
        MissingExtra: rouge-score is not installed.
    """
    pairs = zip(golds, answers, strict=True)
    rows = [_scores(gold.text, answer.text) for gold, answer in pairs]
    return {"n": len(rows)} | {
        name: round(sum(row[index] for row in rows) / max(len(rows), 1), 6)
        for index, name in enumerate(NAMES)
    }


class Words:
    """The tokenizer that rouge-score is given."""

    def tokenize(self, text: str) -> list[str]:
        """Return the runs of letters and digits, in NFC and lower case."""
        return _WORD.findall(visible(text).lower())


@lru_cache(1 << 14)  # a bootstrap measures the same pairs again and again
def _scores(gold: str, answer: str) -> tuple[float, ...]:
    scores = _scorer().score(gold, answer)
    return tuple(float(scores[name].fmeasure) for name in NAMES)


@cache
def _scorer() -> Any:
    """Return the scorer. Its import takes a second, because it imports all of nltk."""
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ModuleNotFoundError as problem:
        package = str(problem.name).partition(".")[0].replace("_", "-")
        raise MissingExtra("train", package) from None
    return RougeScorer(NAMES, tokenizer=Words())
