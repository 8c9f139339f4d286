"""Characters: each is a token, the rare ones are unknown."""

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
    """Learn which characters are common. Raises InputError where there are none."""
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
    first = [pad, unk, SPACE, *others]  # architectures/bow.py counts on the space being third
    usual = [char for char, _ in counts.most_common(settings.vocab_size - len(first))]
    return subwords.of_vocabulary("char", [*first, *usual], normal)


def load(content: str, languages: Sequence[str] = ()) -> Subwords:
    """Return the tokenizer of tokenizer.json. Raises ValueError where it is damaged."""
    return subwords.load("char", content)
