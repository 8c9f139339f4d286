"""Tokenizers of pieces of words or of characters, by the library `tokenizers`.

What becomes of a text before it is cut (case, accents, links) is stored in tokenizer.json too, so
that training and serving cannot differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nlpkit.errors import InputError
from nlpkit.text import Encoded
from nlpkit.text.pieces import BLANKS, SOCIAL, SPACE, Pieces
from nlpkit.text.unicode import visible, whole

if TYPE_CHECKING:
    import numpy as np
    import tokenizers

    from nlpkit.settings.sections import Tokenizer as Settings

PAD, UNK, BOS, EOS = "[PAD]", "[UNK]", "[BOS]", "[EOS]"


class Subwords:
    """Encode texts, or lists of words as texts with spaces between."""

    def __init__(self, kind: str, tokenizer: tokenizers.Tokenizer) -> None:
        self.kind, self.tokenizer = kind, tokenizer
        self.vocab_size = int(tokenizer.get_vocab_size())
        self.pad, self.unk = 0, 1
        self.bos: int | None = tokenizer.token_to_id(BOS)
        self.eos: int | None = tokenizer.token_to_id(EOS)
        self._remembered = Pieces(tokenizer)

    def encode(self, documents: Sequence[Any], *, offsets: bool = False) -> Encoded:
        """Return the ids of documents; offsets take the tokenizer's own, slower way."""
        texts = [doc if isinstance(doc, str) else " ".join(doc) for doc in documents]
        return self._with_offsets(texts) if offsets else Encoded(*self._remembered(texts))

    def _with_offsets(self, texts: Sequence[str]) -> Encoded:
        import numpy as np

        valid = [whole(text) for text in texts]
        made = self.tokenizer.encode_batch(valid, add_special_tokens=False)
        ids = [id for encoding in made for id in encoding.ids]
        pairs = [
            _without_blanks(text, piece, *pair)
            for text, encoding in zip(valid, made, strict=True)
            for piece, pair in zip(encoding.tokens, encoding.offsets, strict=True)
        ]
        return Encoded(
            np.array(ids, dtype=np.int64),
            np.array([len(encoding.ids) for encoding in made], dtype=np.int64),
            np.array(pairs, dtype=np.int64).reshape(-1, 2),
        )

    def pieces(self, ids: Sequence[Any]) -> list[str]:
        """Return what each id stands for; `▁` stands for the space before a word."""
        return [str(self.tokenizer.id_to_token(int(id))) for id in ids]

    def text(self, ids: Sequence[Any]) -> str:
        """Return the text that ids stand for."""
        silent = {self.pad, self.bos, self.eos}
        return "".join(self.pieces([i for i in ids if i not in silent])).replace(SPACE, " ").strip()

    def sizes(self) -> Mapping[str, int]:
        """Return the vocabulary's size."""
        return {"vocab_size": self.vocab_size}

    def random(self, rng: np.random.Generator, batch: int, time: int) -> np.ndarray:
        """Return ids_BT of pieces, none of padding."""
        return rng.integers(1, self.vocab_size, (batch, time))

    def to_json(self) -> str:
        """Return the contents of tokenizer.json."""
        return str(self.tokenizer.to_str())


def _without_blanks(text: str, piece: str, start: int, end: int) -> tuple[int, int]:
    """Return a piece's span without the space before a word, which is part of the piece.

    The span of a piece that is nothing but that space is empty.
    """
    while start < end and text[start].isspace():
        start += 1
    return (start, start) if piece == SPACE else (start, end)


def load(kind: str, content: str) -> Subwords:
    """Return the tokenizer of tokenizer.json. Raises ValueError where it is damaged."""
    from tokenizers import Tokenizer

    try:
        return Subwords(kind, Tokenizer.from_str(content))
    except Exception as problem:  # tokenizers raises bare Exception
        raise ValueError(str(problem)) from None


def specials(bounds: bool) -> list[str]:
    """Return the pieces that no text spells; the first two have the ids 0 and 1."""
    return [PAD, UNK, *([BOS, EOS] if bounds else [])]


def as_texts(documents: Sequence[Any]) -> list[str]:
    """Return documents as texts to learn from.

    Raises:
        InputError: they hold no characters.
    """
    texts = [visible(doc if isinstance(doc, str) else " ".join(doc)) for doc in documents]
    if not any(text.strip() for text in texts):
        raise InputError("the training texts are all empty; there is nothing to learn from")
    return texts


def learn(
    kind: str, model: Any, trainer: Any, documents: Sequence[Any], settings: Settings
) -> Subwords:
    """Learn pieces by a trainer of `tokenizers`; words are told apart by their spaces.

    Raises:
        InputError: the texts hold nothing to learn from.
    """
    from tokenizers import Tokenizer, pre_tokenizers

    texts = as_texts(documents)
    made = Tokenizer(model)
    made.normalizer = normalizer(settings)
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
    return Subwords(kind, _without_added(made))


def normalizer(settings: Settings, *more: Any) -> Any:
    """Return what becomes of a text before it is cut."""
    from tokenizers import Regex, normalizers

    steps: list[Any] = [normalizers.NFC()]
    if settings.social:
        steps += [normalizers.Replace(Regex(pattern), to) for pattern, to in SOCIAL]
    if settings.lowercase:
        steps.append(normalizers.Lowercase())
    if settings.strip_accents:
        steps += [normalizers.NFD(), normalizers.StripAccents()]
    steps += [normalizers.Replace(Regex(BLANKS), " "), normalizers.Strip()]
    made = normalizers.Sequence(steps)
    return normalizers.Sequence([made, *more]) if more else made


def _without_added(trained: tokenizers.Tokenizer) -> tokenizers.Tokenizer:
    """Forget the special pieces' spelling, so that a text that says "[PAD]" is only text."""
    from tokenizers import Tokenizer

    tree = json.loads(trained.to_str())
    tree["added_tokens"] = []
    return Tokenizer.from_str(json.dumps(tree))


def of_vocabulary(kind: str, pieces: Iterable[str], normal: Any) -> Subwords:
    """Return the tokenizer that cuts a text into single characters of a vocabulary."""
    from tokenizers import Tokenizer, models

    vocab = {piece: place for place, piece in enumerate(pieces)}
    made = Tokenizer(models.BPE(vocab=vocab, merges=[], unk_token=UNK))
    made.normalizer = normal
    return Subwords(kind, made)
