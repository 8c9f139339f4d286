"""Words to rows of ids: hashed form, affixes and shape of each word, and its letters.

Nothing is learned here: a feature is hashed into one of `buckets` rows of a table (Bloom
embeddings, Serrà & Karatzoglou 2017; the features are those of spaCy's MultiHashEmbed and more),
a letter into one of 256. So no word is unknown. A vocabulary of words that have vectors of their
own may stand beside it.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nlpkit.errors import UsageError
from nlpkit.text import NO_VECTORS, Encoded, WordVectors
from nlpkit.text.subwords import UNK

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.settings.sections import Tokenizer as Settings

# Where features stand in a row.
FORM, SUFFIXES, OTHERS, STYLE, KNOWN = 0, slice(1, 6), slice(6, 9), 9, 10
SLOTS = 11
LETTERS = 256
LANGUAGES = ("pt", "en")  # whose rules split texts; texts of others are split at white space
CACHED = 1 << 17  # words whose ids are kept; then the cache starts anew
LONGEST = 100  # characters of a word that is kept: memory is bounded whatever the text
_DIGIT = re.compile(r"\d")
_RUN = re.compile(r"(.)\1{3,}")


class Words:
    """Encode lists of words, or texts, which `lang` says how to split.

    `lang` is pt or en, for the rules of `nlpkit tokenize`, or empty for white space.

    Ids are [T, SLOTS + letters]: the features, then the word's first letters and last ones.
    `style` is that in which documents without one of their own are answered (the treebank
    embeddings of Stymne et al. 2018). The words of `vocabulary` have a place of their own beside
    the hashes, from 1 on: 0 is any other word. `width` is that of their vectors.
    """

    kind = "words"

    def __init__(
        self,
        *,
        buckets: int,
        letters: int,
        style: str,
        vocabulary: Sequence[str] = (),
        width: int = 0,
        lang: str = "",
    ) -> None:
        if min(buckets, letters) < 2:
            raise ValueError("buckets and letters must be 2 at least")
        self.buckets, self.letters, self.style, self.lang = buckets, letters, style, lang
        self.vocab_size = buckets
        self.pad, self.unk, self.bos, self.eos = 0, 0, None, None
        self.vocabulary, self.width = tuple(vocabulary), width
        self.places = {word: place for place, word in enumerate(self.vocabulary, 1)}
        self.known: dict[str, tuple[int, ...]] = {}

    def to_json(self) -> str:
        """Return the contents of tokenizer.json."""
        tree = {"kind": self.kind, "version": 1, "buckets": self.buckets, "letters": self.letters}
        tree |= {"style": self.style, "width": self.width}
        tree |= {"vocabulary": " ".join(self.vocabulary)}
        return json.dumps(tree, ensure_ascii=False) + "\n"

    def encode(self, documents: Sequence[Any], *, offsets: bool = False) -> Encoded:
        """Return each word's row of ids; offsets are those of a text's words in the text.

        Of a list of words they are as if the words had one space between.
        """
        import numpy as np

        parts = self.split(documents)
        none = np.zeros((0, SLOTS + self.letters), dtype=np.int32)
        rows = [self._rows(doc, words) for doc, words in zip(documents, parts, strict=True)]
        lengths_N = np.array([len(words) for words in parts], dtype=np.int64)
        spans_S2 = _offsets(documents, parts) if offsets else None
        return Encoded(np.concatenate([none, *rows]), lengths_N, spans_S2, parts)

    def split(self, documents: Sequence[Any]) -> list[Sequence[str]]:
        """Return each document's words."""
        texts = [document for document in documents if isinstance(document, str)]
        split = iter(_by_rules(texts, self.lang) if self.lang else map(str.split, texts))
        return [next(split) if isinstance(doc, str) else doc for doc in documents]

    def _rows(self, document: Any, words: Sequence[str]) -> np.ndarray:
        import numpy as np

        rows_TF = np.array([self._word(word) for word in words], dtype=np.int32)
        rows_TF = rows_TF.reshape(-1, SLOTS + self.letters)
        rows_TF[:, STYLE] = self._hash("z" + getattr(document, "style", self.style))
        return rows_TF

    def pieces(self, ids: Sequence[Any]) -> list[str]:
        """Return the words that have a place in the vocabulary; a hash cannot be turned back."""
        places = [int(row[KNOWN]) for row in ids]
        return [self.vocabulary[place - 1] if place else UNK for place in places]

    def text(self, ids: Sequence[Any]) -> str:
        """Return the words with spaces between."""
        return " ".join(self.pieces(ids))

    def sizes(self) -> Mapping[str, int]:
        """Return the rows of the hashed table, the words with vectors, and their width."""
        known, width = len(self.vocabulary), self.width
        return {"vocab_size": self.vocab_size, "known": known, "known_width": width}

    def random(self, rng: np.random.Generator, batch: int, time: int) -> np.ndarray:
        """Return ids such as these, for the export and its gate."""
        import numpy as np

        features = rng.integers(1, self.buckets, (batch, time, SLOTS))
        features[:, :, KNOWN] = rng.integers(0, len(self.vocabulary) + 1, (batch, time))
        letters = rng.integers(1, LETTERS, (batch, time, self.letters))
        return np.concatenate([features, letters], axis=2)

    def _word(self, word: str) -> tuple[int, ...]:
        found = self.known.get(word)
        if found is None:
            found = self._features(word)
            if len(word) <= LONGEST:
                if len(self.known) >= CACHED:
                    self.known.clear()
                self.known[word] = found
        return found

    def _features(self, word: str) -> tuple[int, ...]:
        low = normal(word)
        ends = [f"{n}{low[-n:]}" for n in range(1, 6)]
        others = [f"p{low[:3]}", f"q{low[:2]}", f"s{shape(word)}"]
        features = [self._hash(text) for text in (f"w{low}", *ends, *others)]
        kept = word
        if len(word) > self.letters:
            kept = word[: self.letters // 4] + word[-(self.letters - self.letters // 4) :]
        letters = [ord(letter) % (LETTERS - 1) + 1 for letter in kept]
        return (
            *features,
            0,
            self.places.get(low, 0),
            *letters,
            *[0] * (self.letters - len(letters)),
        )

    def _hash(self, text: str) -> int:
        """Return a row of the table; row 0 is kept for padding and for what is left out."""
        return zlib.crc32(text.encode("utf-8", "replace")) % (self.buckets - 1) + 1


def learn(
    documents: Sequence[Any],
    settings: Settings,
    *,
    bounds: bool = False,
    vectors: WordVectors = NO_VECTORS,
) -> Words:
    """Return the tokenizer of these settings: nothing is learned from the documents.

    Raises:
        UsageError: a task wants to write texts, which hashes cannot be turned back into.
    """
    if bounds:
        raise UsageError('[tokenizer] kind = "words" writes no texts; take bpe or unigram')
    return Words(
        buckets=settings.vocab_size,
        letters=settings.letters,
        style=settings.style,
        vocabulary=vectors.words,
        width=vectors.width,
    )


def load(content: str, languages: Sequence[str] = ()) -> Words:
    """Return the tokenizer of tokenizer.json. Raises ValueError, KeyError or TypeError."""
    tree = json.loads(content)
    if tree["version"] != 1:
        raise ValueError(f"words of version {tree['version']!r}")
    settings = {key: tree[key] for key in ("buckets", "letters", "style", "width")}
    lang = languages[0] if languages and languages[0] in LANGUAGES else ""
    return Words(**settings, vocabulary=tree["vocabulary"].split(), lang=lang)


def _by_rules(texts: Sequence[str], lang: str) -> list[list[str]]:
    """Split texts as `nlpkit tokenize` does, and Portuguese verbs from the pronoun behind them."""
    from nlpkit.language import contractions
    from nlpkit.language.words import splitter

    split = splitter(lang).split_all(texts) if texts else []
    if lang != "pt":
        return split
    return [
        [word for token in tokens for word in contractions.verb_and_pronoun(token)]
        for tokens in split
    ]


def _offsets(documents: Sequence[Any], parts: Sequence[Sequence[str]]) -> np.ndarray:
    """Return (first, one past the last) character of each word, offsets_S2."""
    import numpy as np

    from nlpkit.language.words import spans_of

    spans: list[tuple[int, int]] = []
    for document, words in zip(documents, parts, strict=True):
        text = document if isinstance(document, str) else " ".join(words)
        spans += [(start, end) for _, start, end in spans_of(text, words)]
    return np.array(spans, dtype=np.int64).reshape(-1, 2)


def normal(word: str) -> str:
    """Return the word in lower case with 0 for every digit, as vocabularies hold it."""
    return _DIGIT.sub("0", word.lower())


def shape(word: str) -> str:
    """Return the word with X for capitals, x for small letters, d for digits; runs are cut at 3."""
    marks = (
        "X" if c.isupper() else "x" if c.islower() else "d" if c.isdigit() else c for c in word
    )
    return _RUN.sub(r"\1\1\1", "".join(marks))
