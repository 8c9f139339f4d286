"""Characters as tokens; rare characters are unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nlpkit.text import NO_VECTORS, WordVectors, subwords
from nlpkit.text.pieces import SPACE
from nlpkit.text.subwords import Subwords

if TYPE_CHECKING:
    from nlpkit.settings.sections import Tokenizer as Settings


def learn(
    documents: Sequence[Any],
    settings: Settings,
    *,
    bounds: bool = False,
    vectors: WordVectors = NO_VECTORS,
) -> Subwords:
    """Learn the most frequent characters. Raises InputError if all texts are blank."""
    from tokenizers import normalizers

    texts = subwords.as_texts(documents)
    normal = subwords.normalizer(
        settings, normalizers.Replace(" ", SPACE), normalizers.Prepend(SPACE)
    )
    counts = Counter[str]()
    for text in texts:
        counts.update(normal.normalize_str(text))
    counts.pop(SPACE, None)
    pad, unk, *others = subwords.specials(bounds)
    first = [pad, unk, SPACE, *others]  # architectures/bow.py needs the space to have id 2
    frequent = [char for char, _ in counts.most_common(settings.vocab_size - len(first))]
    return subwords.of_vocabulary("char", [*first, *frequent], normal)


def load(content: str, languages: Sequence[str] = ()) -> Subwords:
    """Load the tokenizer from tokenizer.json. Raises ValueError if it is damaged."""
    return subwords.load("char", content)
