"""Leave out words at random (Iyyer et al. 2015), so that no single word decides alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from random import Random

from nlpkit.augmentations import Augment
from nlpkit.settings.declaration import setting


@dataclass(frozen=True, kw_only=True)
class Config:
    strength: float = setting(0.0, "share of the words that are left out", 0, 1)


# Without one of these a text says the opposite.
NEGATION = re.compile(
    r"(?:não|nao|ñ|n|num|nem|nunca|jamais|nada|nenhum\w*|ninguém|ninguem|sem|mas|porém"
    r"|not|no|nor|never|none|nobody|nothing|without|but|cannot|\w+n['’]t)",
    re.IGNORECASE,
)
MARKS = ".,;:!?…()[]\"“”'*-"


def build(config: Config, folder: Path) -> Augment:
    """Return the change; the first word that would go stays where all would."""

    def drop(text: str, rng: Random) -> str:
        words = re.findall(r"\S+", text)
        kept = [
            word
            for word in words
            if NEGATION.fullmatch(word.strip(MARKS)) or rng.random() >= config.strength
        ]
        return " ".join(kept or words[:1])

    return drop
