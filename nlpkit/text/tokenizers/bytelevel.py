"""Byte-level byte-pair encoding (Radford et al. 2019): every text has ids, and ids give it back.

A space belongs to the word after it. Each digit is a piece of its own, so that numbers are copied
digit by digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nlpkit.errors import InputError
from nlpkit.text import NO_VECTORS, Encoded, WordVectors, subwords
from nlpkit.text.documents import whole_text
from nlpkit.text.subwords import Subwords

if TYPE_CHECKING:
    from nlpkit.settings.sections import Tokenizer as Settings


class ByteLevel(Subwords):
    """Encode texts by their bytes; a blank text has no ids, as other kinds read it."""

    def encode(self, documents: Sequence[Any], *, offsets: bool = False) -> Encoded:
        """Tokenize documents."""
        texts = [whole_text(document) for document in documents]
        return super().encode(["" if text.isspace() else text for text in texts], offsets=offsets)


def learn(
    documents: Sequence[Any],
    settings: Settings,
    *,
    bounds: bool = False,
    vectors: WordVectors = NO_VECTORS,
) -> ByteLevel:
    """Learn the vocabulary. Raises InputError if all texts are blank or it is below 260 pieces."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    special = subwords.specials(bounds)
    if settings.vocab_size < 256 + len(special):
        raise InputError(
            f"tokenizer.vocab_size = {settings.vocab_size}: a bytelevel tokenizer needs "
            f"{256 + len(special)} pieces, for every byte"
        )
    trainer = trainers.BpeTrainer(
        min_frequency=2,
        vocab_size=settings.vocab_size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=special,
        show_progress=False,
    )
    result = Tokenizer(models.BPE())
    lower = [normalizers.Lowercase()] if settings.lowercase else []
    result.normalizer = normalizers.Sequence([normalizers.NFC(), *lower])
    result.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    result.decoder = decoders.ByteLevel()
    result.train_from_iterator(subwords.as_texts(documents), trainer)
    return ByteLevel("bytelevel", subwords.without_added(result))


def load(content: str, languages: Sequence[str] = ()) -> ByteLevel:
    """Load the tokenizer from tokenizer.json. Raises ValueError if it is damaged."""
    return ByteLevel("bytelevel", subwords.load("bytelevel", content).tokenizer)
