"""How well a language model predicts texts: bits a byte, and perplexity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nlpkit.answers.surprise import Surprise

FITS = Surprise


def measure(golds: Sequence[Any], answers: Sequence[Surprise]) -> dict[str, Any]:
    """Return the surprise of all texts together; the golds, the texts themselves, add nothing.

    bits_per_byte: bits of all texts by their bytes in UTF-8, each with one byte for its end, so
    that models of different tokens compare, and compressors too. perplexity: of a token, which
    compares models of the same tokenizer only.
    """
    bits = sum(answer.bits for answer in answers)
    tokens = max(sum(answer.tokens for answer in answers), 1)
    return {
        "n": len(answers),
        "bits_per_byte": round(bits / max(sum(answer.bytes for answer in answers), 1), 6),
        "perplexity": round(2 ** (bits / tokens), 4),
    }
