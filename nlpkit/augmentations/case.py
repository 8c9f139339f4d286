"""Change the case of a whole text: UPPER, lower or Capitalised Words.

It has an effect only where the tokenizer has lowercase = false.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random

from nlpkit.augmentations import Augment, each_word
from nlpkit.settings.declaration import setting


@dataclass(frozen=True, kw_only=True)
class Config:
    strength: float = setting(0.0, "share of the texts whose case is changed", 0, 1)


def build(config: Config, folder: Path) -> Augment:
    """Return the augmentation."""

    def recase(text: str, rng: Random) -> str:
        if rng.random() >= config.strength:
            return text
        return each_word(text, rng.choice((str.upper, str.lower, str.capitalize)))

    return recase
