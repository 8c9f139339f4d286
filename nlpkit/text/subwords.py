"""Subword and character tokenizers, built on the library `tokenizers`.

The normalization of a text (case, accents, links) is stored in tokenizer.json too, so that
training and inference cannot differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nlpkit.errors import InputError
from nlpkit.text import Encoded
from nlpkit.text.documents import whole_text
from nlpkit.text.pieces import BLANKS, SOCIAL, SPACE, Pieces
from nlpkit.text.simple import WORD
from nlpkit.text.unicode import visible, whole
from nlpkit.text.vocabulary import INSIDE

if TYPE_CHECKING:
    import numpy as np
    import tokenizers

    from nlpkit.settings.sections import Tokenizer as Settings

PAD, UNK, BOS, EOS = "[PAD]", "[UNK]", "[BOS]", "[EOS]"


class Subwords:
    """Encode texts; lists of words are joined by spaces first."""

    def __init__(self, kind: str, tokenizer: tokenizers.Tokenizer) -> None:
        self.kind, self.tokenizer = kind, tokenizer
        self.vocab_size = int(tokenizer.get_vocab_size())
        self.pad, self.unk = 0, 1
        self.bos: int | None = tokenizer.token_to_id(BOS)
        self.eos: int | None = tokenizer.token_to_id(EOS)
        self._remembered = Pieces(tokenizer)

    def encode(self, documents: Sequence[Any], *, offsets: bool = False) -> Encoded:
        """Tokenize documents; `offsets` bypasses the cache of words and is slower."""
        texts = list(map(whole_text, documents))
        return self._with_offsets(texts) if offsets else Encoded(*self._remembered(texts))

    def _with_offsets(self, texts: Sequence[str]) -> Encoded:
        import numpy as np

        valid = [whole(text) for text in texts]
        encodings = self.tokenizer.encode_batch(valid, add_special_tokens=False)
        ids = [id for encoding in encodings for id in encoding.ids]
        pairs = [
            _without_blanks(text, piece, *pair)
            for text, encoding in zip(valid, encodings, strict=True)
            for piece, pair in zip(encoding.tokens, encoding.offsets, strict=True)
        ]
        return Encoded(
            np.array(ids, dtype=np.int64),
            np.array([len(encoding.ids) for encoding in encodings], dtype=np.int64),
            np.array(pairs, dtype=np.int64).reshape(-1, 2),
        )

    def pieces(self, ids: Sequence[Any]) -> list[str]:
        """Return the piece of each id; `▁` is the space before a word, `##` the inside."""
        # The name of an imported special piece ends in a space.
        return [str(self.tokenizer.id_to_token(int(id))).rstrip(" ") for id in ids]

    def text(self, ids: Sequence[Any]) -> str:
        """Decode ids to a text, without `pad`, `bos` and `eos`.

        An imported tokenizer has a decoder of its own, such as that of bytes; ours need none.
        """
        silent = {self.pad, self.bos, self.eos}
        heard = [int(id) for id in ids if id not in silent]
        if self.tokenizer.decoder:
            return str(self.tokenizer.decode(heard, skip_special_tokens=False)).strip()
        pieces = self.pieces(heard)
        if self.kind == "wordpiece":
            pieces = [piece.removeprefix(INSIDE) for piece in pieces]
        return "".join(pieces).replace(SPACE, " ").strip()

    def sizes(self) -> Mapping[str, int]:
        """Return the vocabulary's size."""
        return {"vocab_size": self.vocab_size}

    def random(self, rng: np.random.Generator, batch: int, time: int) -> np.ndarray:
        """Return random ids_BT without padding."""
        return rng.integers(1, self.vocab_size, (batch, time))

    def to_json(self) -> str:
        """Return the contents of tokenizer.json."""
        return str(self.tokenizer.to_str())


def _without_blanks(text: str, piece: str, start: int, end: int) -> tuple[int, int]:
    """Return [start, end) of a piece without the space before a word, which is part of the piece.

    A piece that is only that space has an empty span.
    """
    while start < end and text[start].isspace():
        start += 1
    return (start, start) if piece == SPACE else (start, end)


def load(kind: str, content: str) -> Subwords:
    """Load a tokenizer from the contents of tokenizer.json. Raises ValueError if damaged."""
    from tokenizers import Tokenizer

    try:
        return Subwords(kind, Tokenizer.from_str(content))
    except Exception as problem:  # tokenizers raises bare Exception
        raise ValueError(str(problem)) from None


def specials(bounds: bool) -> list[str]:
    """Return the special pieces; the first two have the ids 0 and 1."""
    return [PAD, UNK, *([BOS, EOS] if bounds else [])]


def as_texts(documents: Sequence[Any]) -> list[str]:
    """Return documents as normalized training texts.

    Raises:
        InputError: all texts are blank.
    """
    texts = [visible(whole_text(doc)) for doc in documents]
    if not any(text.strip() for text in texts):
        raise InputError("the training texts are all empty; there is nothing to learn from")
    return texts


def learn(
    kind: str, model: Any, trainer: Any, documents: Sequence[Any], settings: Settings
) -> Subwords:
    """Learn a vocabulary of pieces by a trainer of `tokenizers`; words are split at spaces.

    Raises:
        InputError: all texts are blank, or the trainer fails.
    """
    from tokenizers import Tokenizer, pre_tokenizers

    texts = as_texts(documents)
    result = Tokenizer(model)
    result.normalizer = normalizer(settings)
    isolated = pre_tokenizers.Punctuation("isolated")
    spaced = pre_tokenizers.Sequence([metaspace(), isolated])
    result.pre_tokenizer = simple_words() if settings.simple_words else spaced
    try:
        result.train_from_iterator(texts, trainer)
    except Exception as problem:  # tokenizers raises bare Exception
        raise InputError(
            f"the tokenizer can't be trained ({problem}); try another tokenizer.vocab_size"
        ) from None
    return Subwords(kind, without_added(result))


def metaspace() -> Any:
    """Return a pre-tokenizer that splits at spaces; a word has SPACE before it."""
    from tokenizers import pre_tokenizers

    return pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")


def simple_words() -> Any:
    """Return a pre-tokenizer that splits as `nlpkit.text.simple` does, a space before each word."""
    from tokenizers import Regex, pre_tokenizers

    split = pre_tokenizers.Split(Regex(WORD), "removed", invert=True)
    return pre_tokenizers.Sequence([split, metaspace()])


def by_simple_words(tokenizer: Subwords) -> Subwords:
    """Return a tokenizer whose pieces keep to simple words, each with the space before a word."""
    from tokenizers import Tokenizer

    library = Tokenizer.from_str(tokenizer.to_json())
    library.pre_tokenizer = simple_words()
    return Subwords(tokenizer.kind, library)


def normalizer(settings: Settings, *more: Any) -> Any:
    """Return the normalizer that the settings ask for, followed by `more` normalizers."""
    from tokenizers import Regex, normalizers

    steps: list[Any] = [normalizers.NFC()]
    if settings.social:
        steps += [normalizers.Replace(Regex(pattern), to) for pattern, to in SOCIAL]
    if settings.lowercase:
        steps.append(normalizers.Lowercase())
    if settings.strip_accents:
        steps += [normalizers.NFD(), normalizers.StripAccents()]
    steps += [normalizers.Replace(Regex(BLANKS), " "), normalizers.Strip()]
    result = normalizers.Sequence(steps)
    return normalizers.Sequence([result, *more]) if more else result


def without_added(trained: tokenizers.Tokenizer) -> tokenizers.Tokenizer:
    """Remove the added tokens, so that "[PAD]" in a text is plain text."""
    from tokenizers import Tokenizer

    tree = json.loads(trained.to_str())
    tree["added_tokens"] = []
    return Tokenizer.from_str(json.dumps(tree))


def of_vocabulary(kind: str, pieces: Iterable[str], normal: Any) -> Subwords:
    """Return a tokenizer that cuts a text into the single characters of a vocabulary."""
    from tokenizers import Tokenizer, models

    vocab = {piece: id for id, piece in enumerate(pieces)}
    result = Tokenizer(models.BPE(vocab=vocab, merges=[], unk_token=UNK))
    result.normalizer = normal
    return Subwords(kind, result)
