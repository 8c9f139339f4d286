"""Augmentations, one file each: random changes to training texts that leave the label valid.

A file provides a frozen `Config` whose `strength` (0 to 1) is the share of texts or words to
change, and

    build(config, folder)   a callable (text, rng) -> text; paths resolve like those of a recipe

Every epoch draws new changes; the same seed, epoch and row give the same text. In a recipe:

    [augment]
    typos = 0.1
    synonyms = { strength = 0.1, thesaurus = "lexicon/thesaurus/th_pt_BR.tsv.xz" }
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

Augment = Callable[[str, Random], str]
# A link or @name that is changed would point elsewhere, so they match without the group `word`.
WORD = re.compile(r"(?:https?://|www\.|@)\S+|(?P<word>[^\W\d_]+)", re.IGNORECASE)


def each_word(text: str, change: Callable[[str], str]) -> str:
    """Apply `change` to each word of a text, except in links and @names."""
    return WORD.sub(lambda match: change(match[0]) if match["word"] else match[0], text)


def build(parts: Sequence[Any], folder: Path) -> Augment:
    """Chain a recipe's augmentations in the recipe's order; those of strength 0 are left out.

    Raises:
        InputError: a file that an augmentation reads is missing or malformed.
    """
    from nlpkit import catalog

    chain = [
        catalog.load("augmentations", part.name).build(part.config, folder)
        for part in parts
        if part.config.strength
    ]

    def augment(text: str, rng: Random) -> str:
        for change in chain:
            text = change(text, rng)
        return text

    return augment
