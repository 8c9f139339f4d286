"""Drop random words (Iyyer et al. 2015), so that no single word decides the answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from random import Random

from nlpkit.augmentations import Augment
from nlpkit.settings.declaration import setting


@dataclass(frozen=True, kw_only=True)
class Config:
    strength: float = setting(0.0, "share of the words that are dropped", 0, 1)


# These words are never dropped: without one of them a text may say the opposite.
NEGATION = re.compile(
    r"(?:não|nao|ñ|n|num|nem|nunca|jamais|nada|nenhum\w*|ninguém|ninguem|sem|mas|porém"
    r"|not|no|nor|never|none|nobody|nothing|without|but|cannot|\w+n['’]t)",
    re.IGNORECASE,
)
MARKS = ".,;:!?…()[]\"“”'*-"


def build(config: Config, folder: Path) -> Augment:
    """Return the augmentation. A text never becomes empty: its first word stays if all would go."""

    def drop(text: str, rng: Random) -> str:
        words = re.findall(r"\S+", text)
        remaining = [
            word
            for word in words
            if NEGATION.fullmatch(word.strip(MARKS)) or rng.random() >= config.strength
        ]
        return " ".join(remaining or words[:1])

    return drop
