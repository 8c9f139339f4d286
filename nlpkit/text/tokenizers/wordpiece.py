"""Subwords by WordPiece (Schuster & Nakajima 2012): the longest piece first.

A piece inside a word begins with "##". A word with a character that no piece has is unknown as a
whole, so texts with rare characters lose more than with bpe or unigram.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nlpkit.text import NO_VECTORS, WordVectors, subwords
from nlpkit.text.subwords import UNK, Subwords
from nlpkit.text.vocabulary import INSIDE

if TYPE_CHECKING:
    from nlpkit.settings.sections import Tokenizer as Settings


def learn(
    documents: Sequence[Any],
    settings: Settings,
    *,
    bounds: bool = False,
    vectors: WordVectors = NO_VECTORS,
) -> Subwords:
    """Learn the vocabulary. Raises InputError if all texts are blank."""
    from tokenizers import models, trainers

    trainer = trainers.WordPieceTrainer(
        min_frequency=2,
        limit_alphabet=1000,
        vocab_size=settings.vocab_size,
        special_tokens=subwords.specials(bounds),
        continuing_subword_prefix=INSIDE,
        show_progress=False,
    )
    model = models.WordPiece(unk_token=UNK, continuing_subword_prefix=INSIDE)
    return subwords.learn("wordpiece", model, trainer, documents, settings)


def load(content: str, languages: Sequence[str] = ()) -> Subwords:
    """Load the tokenizer from tokenizer.json. Raises ValueError if it is damaged."""
    return subwords.load("wordpiece", content)
