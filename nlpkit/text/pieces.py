"""A fast path around `tokenizers` that encodes each distinct word once and caches its ids.

Words repeat, so most of a text comes from the cache, in a tenth of the tokenizer's time. The cache
is used only if, by the tokenizer's settings, the ids of a word do not depend on its neighbours.

Legend: N texts, S ids.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from nlpkit.text.unicode import whole

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Encoding, Tokenizer

    from nlpkit.text.word_memory import Memory

SPACE = "▁"
GROUP = 64  # new words that are encoded as one text
SHORT = 32  # a first call with fewer texts builds no cache, which would take longer
LONG = 1 << 17  # longest text that is encoded in one piece, in characters
FEW = 4 * GROUP  # below this many new words, finding the pieces that begin a word does not pay
MANY = 256  # texts of which the tokenizer's answers are held in memory
BLANKS = r"[\s\x00-\x1f\x7f]+"  # \s does not match NUL and other controls, which carry no meaning
_control = re.compile(r"[\x00-\x1f\x7f]").search
# \s beyond ASCII, and the same as UTF-8 bytes with SPACE: one search rules out most texts.
_wide = re.compile("[\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
_rare = re.compile(
    rb"\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2(?:\x80[\x80-\x8a\xa8\xa9\xaf]|\x81\x9f|\x96\x81)|\xe3\x80\x80"
)

# Masks of the public tweet datasets (Barbieri et al. 2022), so that masked and raw tweets agree.
# No pattern matches across a blank.
SOCIAL = (
    (r"(?i)https?://\S+|www\.\S+", "http"),
    (r"@\w+", "@user"),
    (r"(?i)k{3,}", "kkk"),
    (r"(?i)(?:ha){2,}h?|(?:he){2,}h?|(?:hua){2,}", "haha"),
    (r"(?i)(?:rs){2,}s?", "rsrs"),
    (r"!{2,}", "!!"),
    (r"\?{2,}", "??"),
    (r"\.{3,}", "..."),
)
# The case-sensitive link pattern is in the first bundles.
SEPARATORS = "[\u200b-\u200f]"  # zero-width characters that pretrained tokenizers cut at
MASKS = {regex for regex, _ in SOCIAL} | {r"https?://\S+|www\.\S+", BLANKS, SEPARATORS}
ALONE = {"NFC", "NFD", "NFKC", "Lowercase", "StripAccents", "Strip"}  # normalizers without context


class Pieces:
    """Encode texts by a tokenizer and a cache of its words."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.by_word = reads_by_word(_settings(tokenizer))
        self.memory: Memory | None = None
        self.begins: np.ndarray | None = None  # bool for each id: it begins a word

    def __call__(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return ids_S of all texts, concatenated, and lengths_N, the ids of each text (int64)."""
        if self.by_word and any(len(text) > LONG for text in texts):
            return self._cut(texts)
        return self._whole(texts)

    def _whole(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        import numpy as np

        if not self.by_word or (self.memory is None and len(texts) < SHORT):
            return self._ask(texts)
        encoded = [_bytes(text) for text in texts]
        joined = b" ".join(encoded)
        if _rare.search(joined):
            if odd := [row for row, text in enumerate(texts) if SPACE in text]:
                return self._with_odd(texts, odd)
            encoded = [_bytes(_wide.sub(" ", text)) for text in texts]
            joined = b" ".join(encoded)
        edges_N = np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)) + 1)
        if self.memory is None:
            from nlpkit.text.word_memory import Memory

            self.memory = Memory()
        cached = self.memory.ids_of(joined, edges_N, self._learn)
        if cached is None:
            return self._ask(texts)
        ids_S, after_N = cached
        return ids_S, np.diff(after_N, prepend=0)

    def _cut(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Encode long texts in parts: in one piece they take 80 times their size in memory."""
        import numpy as np

        parts = [_parts_of(text) for text in texts]
        encoded = [self._whole([part]) for part in chain.from_iterable(parts)]
        lengths = np.array([int(length_1[0]) for _, length_1 in encoded])
        first = np.cumsum([0, *map(len, parts)])[:-1]
        return np.concatenate([ids for ids, _ in encoded]), np.add.reduceat(lengths, first)

    def _with_odd(self, texts: Sequence[str], odd: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Encode texts that contain the SPACE character without the cache.

        The tokenizer takes the character for a blank, so it would split cached words.
        """
        import numpy as np

        others = list(texts)
        for row in odd:
            others[row] = ""
        ids_S, lengths_N = self._whole(others)
        odd_S, odd_lengths = self._ask([texts[row] for row in odd])
        index_S = np.repeat(np.cumsum(lengths_N)[odd], odd_lengths)
        lengths_N[odd] = odd_lengths
        return np.insert(ids_S, index_S, odd_S), lengths_N

    def _learn(self, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Encode new words, GROUP of them as one text, which is twice as fast."""
        import numpy as np

        if len(words) < FEW:
            return self._ask(words)
        groups = [words[start : start + GROUP] for start in range(0, len(words), GROUP)]
        parts = []
        joined = [" ".join(group) for group in groups]
        ids_S, lengths = self._ask(joined)
        begins_S = self._begins()[ids_S]
        ends = np.cumsum(lengths)
        for group, text, end, length in zip(groups, joined, ends, lengths, strict=True):
            here = slice(end - length, end)
            starts = np.flatnonzero(begins_S[here])
            if len(starts) == len(group) and not _control(text):
                parts.append((ids_S[here], np.diff(starts, append=length)))
            else:  # a word without pieces (a lone accent), or split by a control character
                parts.append(self._ask(group))
        ids, counts = zip(*parts, strict=True)
        return np.concatenate(ids), np.concatenate(counts)

    def _begins(self) -> np.ndarray:
        if self.begins is None:
            import numpy as np

            vocabulary = self.tokenizer.get_vocab()
            self.begins = np.zeros(max(vocabulary.values()) + 1, dtype=bool)
            self.begins[[id for piece, id in vocabulary.items() if piece[0] == SPACE]] = True
        return self.begins

    def _ask(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the ids of all texts, and how many each has.

        The tokenizer's answers take a hundred times the memory of their ids: MANY texts at once.
        """
        import numpy as np

        parts, lengths = [], []
        for start in range(0, len(texts), MANY):
            ids = [encoding.ids for encoding in self._encodings(texts[start : start + MANY])]
            lengths_N = np.fromiter(map(len, ids), np.int64, len(ids))
            flat = chain.from_iterable(ids)
            parts.append(np.fromiter(flat, np.int64, int(lengths_N.sum())))
            lengths.append(lengths_N)
        none = np.zeros(0, dtype=np.int64)
        return np.concatenate([*parts, none]), np.concatenate([*lengths, none])

    def _encodings(self, texts: Sequence[str]) -> Sequence[Encoding]:
        try:
            return self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        except TypeError:  # half a surrogate pair
            valid = [whole(text) for text in texts]
            return self.tokenizer.encode_batch_fast(valid, add_special_tokens=False)


def _parts_of(text: str) -> list[str]:
    """Cut a text at spaces into parts of at most LONG characters; a longer word stays whole.

    A text with the SPACE character is not cut: the tokenizer takes that character for a blank.
    """
    parts, start = [], 0
    while len(text) - start > LONG and SPACE not in text:
        end = text.rfind(" ", start + 1, start + LONG)
        end = end if end > 0 else text.find(" ", start + LONG)
        if end < 0:
            break
        parts.append(text[start:end])
        start = end
    return [*parts, text[start:]]


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return whole(text).encode()


def _settings(tokenizer: Tokenizer) -> dict[str, Any]:
    """Return the tokenizer's settings without its vocabulary, which is slow to dump and parse."""
    parts = {"normalizer": tokenizer.normalizer, "pre_tokenizer": tokenizer.pre_tokenizer}
    tree = {name: json.loads(part.__getstate__()) if part else None for name, part in parts.items()}
    return tree | {
        "added_tokens": tokenizer.get_added_tokens_decoder(),
        "post_processor": tokenizer.post_processor,
        "truncation": tokenizer.truncation,
    }


def reads_by_word(tokenizer: dict[str, Any]) -> bool:
    """Tell whether the ids of a text are the concatenated ids of its words (as str.split cuts).

    `tokenizer` is the JSON tree of a tokenizer of the library `tokenizers`.
    """
    parts = [*_parts(tokenizer["normalizer"], "normalizers")]
    cuts = [*_parts(tokenizer["pre_tokenizer"], "pretokenizers")]
    characters = not cuts and {"type": "Prepend", "prepend": SPACE} in parts
    metaspace = cuts and cuts[0]["type"] == "Metaspace" and cuts[0]["prepend_scheme"] == "always"
    return (
        bool(characters or metaspace)
        and {"type": "Replace", "pattern": {"Regex": BLANKS}, "content": " "} in parts
        and any(part["type"] == "Strip" for part in parts)
        and all(map(_is_blind, parts))
        and all(cut["type"] in ("Metaspace", "Punctuation") for cut in cuts)
        and not tokenizer["added_tokens"]
        and not tokenizer["post_processor"]
        and not tokenizer["truncation"]
    )


def _parts(tree: dict[str, Any] | None, inside: str) -> list[dict[str, Any]]:
    """Return the parts of a Sequence that may hold Sequences, in order."""
    if not tree:
        return []
    if tree["type"] != "Sequence":
        return [tree]
    return [part for inner in tree[inside] for part in _parts(inner, inside)]


def _is_blind(part: dict[str, Any]) -> bool:
    """Tell whether a normalizer changes a word without regard to its neighbours."""
    if part["type"] == "Replace":
        return part["pattern"].get("Regex") in MASKS or part["pattern"] == {"String": " "}
    return part["type"] in ALONE or part == {"type": "Prepend", "prepend": SPACE}
