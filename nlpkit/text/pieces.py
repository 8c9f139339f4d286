"""The ids of texts, each distinct word asked of the tokenizer once.

Words repeat: most of a text is answered from memory, in a tenth of the tokenizer's time. The memory
is used only where the tokenizer's own JSON shows that no word's ids depend on its neighbours.

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
    from tokenizers import Tokenizer

    from nlpkit.text.word_memory import Memory

SPACE = "▁"
GROUP = 64  # new words that are asked as one text
SHORT = 32  # texts at first for which there is no memory: to make it would take longer
LONG = 1 << 17  # characters of a text that is asked whole
FEW = 4 * GROUP  # for fewer it is not worth to learn which pieces begin a word
BLANKS = r"[\s\x00-\x1f\x7f]+"  # \s leaves NUL and other controls alone; they tell a model nothing
_control = re.compile(r"[\x00-\x1f\x7f]").search
# What \s is beyond ASCII, and as bytes, with SPACE: one search shows that most texts have none.
_wide = re.compile("[\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
_rare = re.compile(
    rb"\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2(?:\x80[\x80-\x8a\xa8\xa9\xaf]|\x81\x9f|\x96\x81)|\xe3\x80\x80"
)

# How tweets were masked in the public sets (Barbieri et al. 2022), so that masked and raw agree.
# None of these can match across a blank.
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
MASKS = {regex for regex, _ in SOCIAL} | {r"https?://\S+|www\.\S+", BLANKS}  # the first bundles'
ALONE = {"NFC", "NFD", "Lowercase", "StripAccents", "Strip"}  # normalizers blind to neighbours


class Pieces:
    """Texts to ids, by a tokenizer and a memory of its answers."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.by_word = reads_by_word(_settings(tokenizer))
        self.memory: Memory | None = None
        self.begins: np.ndarray | None = None  # of each id: whether it begins a word

    def __call__(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return all texts' ids, ids_S, and how many each has, lengths_N (int64)."""
        if self.by_word and any(len(text) > LONG for text in texts):
            return self._cut(texts)
        return self._whole(texts)

    def _whole(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        import numpy as np

        if not self.by_word or (self.memory is None and len(texts) < SHORT):
            return self._ask(texts)
        read = [_bytes(text) for text in texts]
        joined = b" ".join(read)
        if _rare.search(joined):
            if odd := [row for row, text in enumerate(texts) if SPACE in text]:
                return self._with_odd(texts, odd)
            read = [_bytes(_wide.sub(" ", text)) for text in texts]
            joined = b" ".join(read)
        edges_N = np.cumsum(np.fromiter(map(len, read), np.int64, len(read)) + 1)
        if self.memory is None:
            from nlpkit.text.word_memory import Memory

            self.memory = Memory()
        found = self.memory.ids_of(joined, edges_N, self._learn)
        if found is None:
            return self._ask(texts)
        ids_S, after_N = found
        return ids_S, np.diff(after_N, prepend=0)

    def _cut(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Ask for long texts part by part: whole they would take 80 times their size of memory."""
        import numpy as np

        parts = [_parts_of(text) for text in texts]
        asked = [self._whole([part]) for part in chain.from_iterable(parts)]
        lengths = np.array([int(length_1[0]) for _, length_1 in asked])
        first = np.cumsum([0, *map(len, parts)])[:-1]
        return np.concatenate([ids for ids, _ in asked]), np.add.reduceat(lengths, first)

    def _with_odd(self, texts: Sequence[str], odd: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Ask the tokenizer for texts with a SPACE of their own, which it takes for a blank."""
        import numpy as np

        others = list(texts)
        for row in odd:
            others[row] = ""
        ids_S, lengths_N = self._whole(others)
        asked_S, asked = self._ask([texts[row] for row in odd])
        places_S = np.repeat(np.cumsum(lengths_N)[odd], asked)
        lengths_N[odd] = asked
        return np.insert(ids_S, places_S, asked_S), lengths_N

    def _learn(self, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Ask for the ids of words, many as one text: that is twice as fast."""
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
            else:  # a word of none, such as a lone accent, or of several, by a control
                parts.append(self._ask(group))
        ids, counts = zip(*parts, strict=True)
        return np.concatenate(ids), np.concatenate(counts)

    def _begins(self) -> np.ndarray:
        if self.begins is None:
            import numpy as np

            vocabulary = self.tokenizer.get_vocab()
            self.begins = np.zeros(max(vocabulary.values()) + 1, dtype=bool)
            self.begins[[place for piece, place in vocabulary.items() if piece[0] == SPACE]] = True
        return self.begins

    def _ask(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        import numpy as np

        try:
            encodings = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        except TypeError:  # half a surrogate pair
            mended = [whole(text) for text in texts]
            encodings = self.tokenizer.encode_batch_fast(mended, add_special_tokens=False)
        ids = [encoding.ids for encoding in encodings]
        lengths_N = np.fromiter(map(len, ids), np.int64, len(ids))
        return np.fromiter(chain.from_iterable(ids), np.int64, int(lengths_N.sum())), lengths_N


def _parts_of(text: str) -> list[str]:
    """Cut a text at spaces, so that its parts are of LONG characters where it has spaces.

    One with a SPACE of its own is left whole: the tokenizer takes it for a blank.
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
    """Return the tokenizer's JSON without the vocabulary, which takes long to write and parse."""
    parts = {"normalizer": tokenizer.normalizer, "pre_tokenizer": tokenizer.pre_tokenizer}
    told = {name: json.loads(part.__getstate__()) if part else None for name, part in parts.items()}
    return told | {
        "added_tokens": tokenizer.get_added_tokens_decoder(),
        "post_processor": tokenizer.post_processor,
        "truncation": tokenizer.truncation,
    }


def reads_by_word(tokenizer: dict[str, Any]) -> bool:
    """Tell whether a text's ids are those of its words (as str.split cuts them), one by one."""
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
    """Return the links of a chain that may hold chains."""
    if not tree:
        return []
    if tree["type"] != "Sequence":
        return [tree]
    return [part for inner in tree[inside] for part in _parts(inner, inside)]


def _is_blind(part: dict[str, Any]) -> bool:
    """Tell whether a normalizer does to a word what it does to that word in any text."""
    if part["type"] == "Replace":
        return part["pattern"].get("Regex") in MASKS or part["pattern"] == {"String": " "}
    return part["type"] in ALONE or part == {"type": "Prepend", "prepend": SPACE}
