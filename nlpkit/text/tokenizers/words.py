"""Words as tokens: several ids a word, hashed from its form, affixes and shape, and its letters.

Nothing is learned and no word is unknown: each feature is hashed into one of `buckets` rows of a
table (Bloom embeddings, Serrà & Karatzoglou 2017; the features extend those of spaCy's
MultiHashEmbed), each letter into one of 256. Words with pretrained vectors have an id of their own
besides.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nlpkit.errors import UsageError
from nlpkit.text import NO_VECTORS, Encoded, WordVectors, simple as simple_rules
from nlpkit.text.documents import whole_text
from nlpkit.text.subwords import UNK

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.settings.sections import Tokenizer as Settings

# Columns of the features in a word's ids.
FORM, SUFFIXES, OTHERS, STYLE, KNOWN = 0, slice(1, 6), slice(6, 9), 9, 10
SLOTS = 11
VERSION = 2
LETTERS = 256
LANGUAGES = ("pt", "en")  # languages with rules; texts in others are split at white space
CACHED = 1 << 17  # most cached words; a full cache is cleared
LONGEST = 100  # longest cached word, in characters: bounds memory on any input
_DIGIT = re.compile(r"\d")
_RUN = re.compile(r"(.)\1{3,}")


class Words:
    """Encode lists of words, or texts, which are split first.

    Ids are [T, SLOTS + letters]: the features, then the word's first and last letters.

    Args:
        buckets: rows of the hashed table.
        letters: most letters of a word.
        style: annotation style of documents that have none of their own (treebank embeddings,
            Stymne et al. 2018); "" for none.
        vocabulary: words with pretrained vectors; their ids in the column KNOWN count from 1, and
            0 is any other word.
        width: dimensions of the vectors.
        lang: rules that split texts, those of `nlpkit tokenize` for pt or en; "" splits at white
            space.
        simple: split texts, and lists of words, as `nlpkit.text.simple` does instead.

    Raises:
        ValueError: `buckets` or `letters` is below 2.
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
        simple: bool = False,
        version: int = VERSION,
    ) -> None:
        if min(buckets, letters) < 2:
            raise ValueError("buckets and letters must be at least 2")
        self.buckets, self.letters, self.style, self.lang = buckets, letters, style, lang
        self.simple, self.version = simple, version
        self.vocab_size = buckets
        self.pad, self.unk, self.bos, self.eos = 0, 0, None, None
        self.vocabulary, self.width = tuple(vocabulary), width
        self.places = {word: place for place, word in enumerate(self.vocabulary, 1)}
        self.known: dict[str, tuple[int, ...]] = {}

    def to_json(self) -> str:
        """Return the contents of tokenizer.json."""
        tree = {
            "kind": self.kind,
            "version": self.version,
            "buckets": self.buckets,
            "letters": self.letters,
        }
        tree |= {"style": self.style, "width": self.width}
        tree |= {"simple": True} if self.simple else {}
        tree |= {"vocabulary": " ".join(self.vocabulary)}
        return json.dumps(tree, ensure_ascii=False) + "\n"

    def encode(self, documents: Sequence[Any], *, offsets: bool = False) -> Encoded:
        """Return the ids of each word; offsets of a list of words assume one space between two."""
        import numpy as np

        parts = self.split(documents)
        empty = np.zeros((0, SLOTS + self.letters), dtype=np.int32)
        rows = [self._rows(doc, words) for doc, words in zip(documents, parts, strict=True)]
        lengths_N = np.array([len(words) for words in parts], dtype=np.int64)
        spans_S2 = _offsets(documents, parts) if offsets else None
        return Encoded(np.concatenate([empty, *rows]), lengths_N, spans_S2, parts)

    def split(self, documents: Sequence[Any]) -> list[Sequence[str]]:
        """Return the words of each document."""
        if self.simple:
            texts = map(whole_text, documents)
            return [simple_rules.words(text) for text in texts]
        raw = [document for document in documents if isinstance(document, str)]
        split = iter(_by_rules(raw, self.lang) if self.lang else map(str.split, raw))
        return [next(split) if isinstance(doc, str) else doc for doc in documents]

    def _rows(self, document: Any, words: Sequence[str]) -> np.ndarray:
        import numpy as np

        rows_TF = np.array([self._word(word) for word in words], dtype=np.int32)
        rows_TF = rows_TF.reshape(-1, SLOTS + self.letters)
        style = getattr(document, "style", self.style)
        if style or self.version == 1:  # which hashed the name of no style, too
            rows_TF[:, STYLE] = self._hash("z" + style)
        return rows_TF

    def pieces(self, ids: Sequence[Any]) -> list[str]:
        """Return the words of the vocabulary, and UNK for others: a hash cannot be inverted."""
        known = [int(row[KNOWN]) for row in ids]
        return [self.vocabulary[id - 1] if id else UNK for id in known]

    def text(self, ids: Sequence[Any]) -> str:
        """Return the words, joined by spaces."""
        return " ".join(self.pieces(ids))

    def sizes(self) -> Mapping[str, int]:
        """Return the size of the hashed table, the number of words with vectors, and D."""
        known, width = len(self.vocabulary), self.width
        return {"vocab_size": self.vocab_size, "known": known, "known_width": width}

    def random(self, rng: np.random.Generator, batch: int, time: int) -> np.ndarray:
        """Return random valid ids_BTF, for the export and its checks."""
        import numpy as np

        features = rng.integers(1, self.buckets, (batch, time, SLOTS))
        features[:, :, KNOWN] = rng.integers(0, len(self.vocabulary) + 1, (batch, time))
        letters = rng.integers(1, LETTERS, (batch, time, self.letters))
        return np.concatenate([features, letters], axis=2)

    def _word(self, word: str) -> tuple[int, ...]:
        features = self.known.get(word)
        if features is None:
            features = self._features(word)
            if len(word) <= LONGEST:
                if len(self.known) >= CACHED:
                    self.known.clear()
                self.known[word] = features
        return features

    def _features(self, word: str) -> tuple[int, ...]:
        low = normal(word)
        ends = [f"{n}{low[-n:]}" for n in range(1, 6)]
        others = [f"p{low[:3]}", f"q{low[:2]}", f"s{shape(word)}"]
        features = [self._hash(text) for text in (f"w{low}", *ends, *others)]
        spelling = word
        if len(word) > self.letters:
            spelling = word[: self.letters // 4] + word[-(self.letters - self.letters // 4) :]
        letters = [ord(letter) % (LETTERS - 1) + 1 for letter in spelling]
        return (
            *features,
            0,
            self.places.get(low, 0),
            *letters,
            *[0] * (self.letters - len(letters)),
        )

    def _hash(self, text: str) -> int:
        """Return a row of the table, from 1; row 0 is for padding and absent features."""
        return zlib.crc32(text.encode("utf-8", "replace")) % (self.buckets - 1) + 1


def learn(
    documents: Sequence[Any],
    settings: Settings,
    *,
    bounds: bool = False,
    vectors: WordVectors = NO_VECTORS,
) -> Words:
    """Return a tokenizer with these settings; nothing is learned from the documents.

    Raises:
        UsageError: `bounds` is True: hashes cannot be decoded, so no task can generate text.
    """
    if bounds:
        raise UsageError('[tokenizer] kind = "words" cannot generate text; use bpe or unigram')
    return Words(
        buckets=settings.vocab_size,
        letters=settings.letters,
        style=settings.style,
        vocabulary=vectors.words,
        width=vectors.width,
        simple=settings.simple_words,
    )


def load(content: str, languages: Sequence[str] = ()) -> Words:
    """Load the tokenizer from tokenizer.json. Raises ValueError, KeyError or TypeError."""
    tree = json.loads(content)
    if tree["version"] not in (1, VERSION):
        raise ValueError(f"word tokenizer of unknown version {tree['version']!r}")
    settings = {key: tree[key] for key in ("buckets", "letters", "style", "width")}
    lang = languages[0] if languages and languages[0] in LANGUAGES else ""
    vocabulary, by_marks = tree["vocabulary"].split(), bool(tree.get("simple", False))
    return Words(
        **settings, vocabulary=vocabulary, lang=lang, simple=by_marks, version=tree["version"]
    )


def _by_rules(texts: Sequence[str], lang: str) -> list[list[str]]:
    """Split texts as `nlpkit tokenize` does, and Portuguese verbs from a pronoun that follows."""
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
    """Return offsets_S2: [start, end) of each word, in characters."""
    import numpy as np

    from nlpkit.language.words import spans_of

    spans: list[tuple[int, int]] = []
    for document, words in zip(documents, parts, strict=True):
        text = whole_text(document)
        spans += [(start, end) for _, start, end in spans_of(text, words)]
    return np.array(spans, dtype=np.int64).reshape(-1, 2)


def normal(word: str) -> str:
    """Return the word as vocabularies spell it: in lower case, with 0 for every digit."""
    return _DIGIT.sub("0", word.lower())


def shape(word: str) -> str:
    """Return the shape of a word: X capitals, x lower case, d digits; runs are cut at 3.

    "Canon-EOS2000" is "Xxxx-XXXddd".
    """
    marks = (
        "X" if c.isupper() else "x" if c.islower() else "d" if c.isdigit() else c for c in word
    )
    return _RUN.sub(r"\1\1\1", "".join(marks))
