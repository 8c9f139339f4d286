"""A lexicon: the lemmas that each known form may have, by UPOS tag.

The forms are the keys of a trie (MARISA, Yata 2011). Forms whose tags and edit scripts are equal
share a class, so that a million forms take four or five megabytes. The file is an .npz without
pickled objects: the trie, the class of each key, and as JSON the language and the classes. A word
is also listed without its accents, as people write it; the tag is then in small letters.
"""

from __future__ import annotations

import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self
from zipfile import BadZipFile

from nlpkit.language.edit_scripts import apply, script_of

if TYPE_CHECKING:
    import numpy as np

Analyses = tuple[tuple[str, str], ...]  # (tag, lemma), most common first


def restored(tag: str) -> str:
    """Return a tag as an entry has it that is a word without its accents: in small letters."""
    return tag.lower()


class Lexicon:
    """The tags and lemmas of a language's known forms."""

    def __init__(
        self, language: str, trie: Any, class_N: np.ndarray, classes: list[Analyses]
    ) -> None:
        """`class_N` is the class of each of the N keys; a class pairs tags with edit scripts."""
        self.language = language
        self.trie, self.class_N, self.classes = trie, class_N, classes
        self.of = lru_cache(1 << 16)(self._of)

    def _of(self, form: str) -> Analyses:
        """Return the tags and lemmas of a lower-case form; none if it is unknown."""
        try:
            key = self.trie.get(form)
        except UnicodeEncodeError:  # a lone surrogate, as in a cut JSON string
            key = None
        if key is None:
            return ()
        lemmas = ((tag, apply(script, form)) for tag, script in self.classes[self.class_N[key]])
        return tuple((tag, lemma) for tag, lemma in lemmas if lemma)

    def is_lemma(self, word: str, tag: str) -> bool:
        """Return whether a word is the lemma of a form with this tag, namely its own."""
        return (tag, word) in self.of(word)

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read what `pack` returned.

        Raises:
            ValueError: the content is no lexicon, or a damaged one.
        """
        import marisa_trie
        import numpy as np

        trie = marisa_trie.Trie()
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                trie.frombytes(arrays["trie"].tobytes())
                described = json.loads(arrays["json"].tobytes())
                language = str(described["language"])
                classes = [
                    tuple((tag, script) for tag, script in each) for each in described["classes"]
                ]
                class_N = arrays["class_N"]
        except (ValueError, KeyError, TypeError, RuntimeError, EOFError, BadZipFile) as problem:
            raise ValueError(f"not a lexicon ({problem})") from None
        if class_N.shape != (len(trie),) or (len(class_N) and class_N.max() >= len(classes)):
            raise ValueError("not a lexicon (its parts differ in length)")
        return cls(language, trie, class_N, classes)


def pack(entries: Iterable[tuple[str, str, str]], *, language: str) -> bytes:
    """Return the file of a lexicon of (form, lemma, tag); the order of equal forms is kept."""
    import marisa_trie
    import numpy as np

    found: dict[str, dict[tuple[str, str], None]] = defaultdict(dict)
    for form, lemma, tag in entries:
        found[form][tag, script_of(form, lemma)] = None
    keys = {form: tuple(pairs) for form, pairs in found.items()}
    classes = [each for each, _ in Counter(keys.values()).most_common()]
    index = {each: number for number, each in enumerate(classes)}
    trie = marisa_trie.Trie(sorted(keys))
    class_N = np.zeros(len(keys), dtype=np.uint16 if len(classes) < 1 << 16 else np.uint32)
    for form, each in keys.items():
        class_N[trie[form]] = index[each]
    described = {"language": language, "classes": classes}
    stream = io.BytesIO()
    np.savez(
        stream,
        trie=np.frombuffer(trie.tobytes(), dtype=np.uint8),
        class_N=class_N,
        json=np.frombuffer(json.dumps(described, ensure_ascii=False).encode(), dtype=np.uint8),
    )
    return stream.getvalue()
