"""Subwords by a unigram language model (Kudo 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nlpkit.text import NO_VECTORS, WordVectors, subwords
from nlpkit.text.subwords import UNK, Subwords

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

    trainer = trainers.UnigramTrainer(
        unk_token=UNK,
        vocab_size=settings.vocab_size,
        special_tokens=subwords.specials(bounds),
        show_progress=False,
    )
    return subwords.learn("unigram", models.Unigram(), trainer, documents, settings)


def load(content: str, languages: Sequence[str] = ()) -> Subwords:
    """Load the tokenizer from tokenizer.json. Raises ValueError if it is damaged."""
    return subwords.load("unigram", content)
