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
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self

from nlpkit.text.windows import Windows, cut

if TYPE_CHECKING:
    import numpy as np

KIND = "words"
# Where features stand in a row.
FORM, SUFFIXES, OTHERS, STYLE, KNOWN = 0, slice(1, 6), slice(6, 9), 9, 10
SLOTS = 11
LETTERS = 256
CACHED = 1 << 17  # words whose ids are kept; then the cache starts anew
LONGEST = 100  # characters of a word that is kept: memory is bounded whatever the text
_DIGIT = re.compile(r"\d")
_RUN = re.compile(r"(.)\1{3,}")


class Words(tuple[str, ...]):
    """The words of one document, with the annotation style that its gold follows."""

    style: str

    def __new__(cls, words: Iterable[str], style: str = "") -> Self:
        self = super().__new__(cls, words)
        self.style = style
        return self


class WordEncoder:
    """Encode lists of words; a string is split at white space.

    Ids are [T, SLOTS + letters]: the features, then the word's first letters and last ones.
    `style` is that in which documents without one of their own are answered (the treebank
    embeddings of Stymne et al. 2018). The words of `vocabulary` have a place of their own beside
    the hashes, from 1 on: 0 is any other word. `width` is that of their vectors.
    """

    def __init__(
        self,
        *,
        buckets: int,
        letters: int,
        style: str,
        window: int,
        overlap: int,
        vocabulary: Sequence[str] = (),
        width: int = 0,
    ) -> None:
        if min(buckets, letters) < 2:
            raise ValueError("buckets and letters must be 2 at least")
        self.buckets, self.letters, self.style = buckets, letters, style
        self.window, self.overlap = window, overlap
        self.vocab_size = buckets
        self.vocabulary, self.width = tuple(vocabulary), width
        self.places = {word: place for place, word in enumerate(self.vocabulary, 1)}
        self.known: dict[str, tuple[int, ...]] = {}

    @classmethod
    def from_json(cls, text: str, *, window: int, overlap: int) -> WordEncoder:
        """Build from the contents of tokenizer.json. Raises ValueError, KeyError or TypeError."""
        tree = json.loads(text)
        if tree["version"] != 1:
            raise ValueError(f"words of version {tree['version']!r}")
        settings = {key: tree[key] for key in ("buckets", "letters", "style", "width")}
        vocabulary = tree["vocabulary"].split()
        return cls(**settings, vocabulary=vocabulary, window=window, overlap=overlap)

    def to_json(self) -> str:
        """Return the contents of tokenizer.json."""
        tree = {"kind": KIND, "version": 1, "buckets": self.buckets, "letters": self.letters}
        tree |= {"style": self.style, "width": self.width}
        tree |= {"vocabulary": " ".join(self.vocabulary)}
        return json.dumps(tree, ensure_ascii=False) + "\n"

    def ids(self, documents: Sequence[Any]) -> list[np.ndarray]:
        """Return each document's ids, whole (int32 [T, F])."""
        import numpy as np

        width = SLOTS + self.letters
        made = []
        for document in documents:
            words = document.split() if isinstance(document, str) else document
            style = self._hash("z" + getattr(document, "style", self.style))
            rows = np.array([self._word(word) for word in words], dtype=np.int32)
            rows = rows.reshape(-1, width)
            rows[:, STYLE] = style
            made.append(rows)
        return made

    def windows(self, documents: Sequence[Any]) -> Windows:
        """Encode and cut. A document without words has no window."""
        import numpy as np

        ids = self.ids(documents)
        lengths_N = np.array([len(rows) for rows in ids], dtype=np.int64)
        none = np.zeros((0, SLOTS + self.letters), dtype=np.int32)
        return cut(np.concatenate([none, *ids]), lengths_N, self.window, self.overlap)

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


def normal(word: str) -> str:
    """Return the word in lower case with 0 for every digit, as vocabularies hold it."""
    return _DIGIT.sub("0", word.lower())


def shape(word: str) -> str:
    """Return the word with X for capitals, x for small letters, d for digits; runs are cut at 3."""
    marks = (
        "X" if c.isupper() else "x" if c.islower() else "d" if c.isdigit() else c for c in word
    )
    return _RUN.sub(r"\1\1\1", "".join(marks))
