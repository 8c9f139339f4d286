"""Train a tokenizer. Whatever it does to text is stored in tokenizer.json and served as is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import tokenizers
from tokenizers import Regex, models, normalizers, pre_tokenizers, trainers

from nlpkit.errors import InputError
from nlpkit.settings.sections import Tokenizer as Settings
from nlpkit.text.pieces import BLANKS, SOCIAL
from nlpkit.text.words import WordEncoder

PAD, UNKNOWN, SPACE = "[PAD]", "[UNK]", "▁"


def train(
    documents: Sequence[Any],
    settings: Settings,
    known: tuple[Sequence[str], Any] = ((), None),
) -> str:
    """Learn the pieces from texts and return the contents of tokenizer.json.

    `known`: words and vectors_VD that a words tokenizer gives places of their own.

    Raises:
        InputError: the texts hold no characters to learn from.
    """
    if settings.kind == "words":
        words, vectors_VD = known
        return WordEncoder(
            buckets=settings.vocab_size,
            letters=settings.letters,
            style=settings.style,
            window=settings.window,
            overlap=settings.overlap,
            vocabulary=words,
            width=vectors_VD.shape[1] if len(words) else 0,
        ).to_json()
    if not all(isinstance(document, str) for document in documents):
        raise InputError(
            f'[tokenizer] kind = "{settings.kind}" reads texts, not lists of words; '
            'take kind = "words", or another text field'
        )
    return str(_subwords(documents, settings).to_str(pretty=True))


def _subwords(texts: Sequence[str], settings: Settings) -> tokenizers.Tokenizer:
    if not any(text.strip() for text in texts):
        raise InputError("the training texts are all empty; there is nothing to learn from")
    if settings.kind == "char":
        return _characters(texts, settings)
    special = [PAD, UNKNOWN]
    common: dict[str, Any] = {
        "vocab_size": settings.vocab_size,
        "special_tokens": special,
        "show_progress": False,
    }
    if settings.kind == "bpe":
        made = tokenizers.Tokenizer(models.BPE(unk_token=UNKNOWN))
        trainer: Any = trainers.BpeTrainer(min_frequency=2, limit_alphabet=1000, **common)
    else:
        made = tokenizers.Tokenizer(models.Unigram())
        trainer = trainers.UnigramTrainer(unk_token=UNKNOWN, **common)
    made.normalizer = _normalizer(settings)
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always"),
            pre_tokenizers.Punctuation("isolated"),
        ]
    )
    try:
        made.train_from_iterator(texts, trainer)
    except Exception as problem:  # tokenizers raises bare Exception
        raise InputError(
            f"the tokenizer can't be trained ({problem}); try another tokenizer.vocab_size"
        ) from None
    return _without_added(made)


def _characters(texts: Iterable[str], settings: Settings) -> tokenizers.Tokenizer:
    normalizer = normalizers.Sequence(
        [_normalizer(settings), normalizers.Replace(" ", SPACE), normalizers.Prepend(SPACE)]
    )
    counts = Counter[str]()
    for text in texts:
        counts.update(normalizer.normalize_str(text))
    counts.pop(SPACE, None)
    usual = [char for char, _ in counts.most_common(settings.vocab_size - 3)]
    # architectures/bow.py counts on the space being third.
    vocab = {piece: place for place, piece in enumerate([PAD, UNKNOWN, SPACE, *usual])}
    made = tokenizers.Tokenizer(models.BPE(vocab=vocab, merges=[], unk_token=UNKNOWN))
    made.normalizer = normalizer
    return made


def _normalizer(settings: Settings) -> normalizers.Normalizer:
    steps: list[normalizers.Normalizer] = [normalizers.NFC()]
    if settings.social:
        steps += [normalizers.Replace(Regex(pattern), to) for pattern, to in SOCIAL]
    if settings.lowercase:
        steps.append(normalizers.Lowercase())
    if settings.strip_accents:
        steps += [normalizers.NFD(), normalizers.StripAccents()]
    steps += [normalizers.Replace(Regex(BLANKS), " "), normalizers.Strip()]
    return normalizers.Sequence(steps)


def _without_added(trained: tokenizers.Tokenizer) -> tokenizers.Tokenizer:
    """Forget the special tokens' spelling, so that a text that says "[PAD]" is only text."""
    tree = json.loads(trained.to_str())
    tree["added_tokens"] = []
    return tokenizers.Tokenizer.from_str(json.dumps(tree))
