"""Augmentations of training texts, one file each: other ways to write what keeps its label.

A file provides a frozen `Config` whose `strength` (0 to 1) says how much is changed, and

    build(config, folder)   a callable (text, rng) -> text; paths resolve as those of recipes do

Every epoch draws anew; the same seed, epoch and row give the same text. In a recipe:

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
# A changed link or @name is no other way to write it.
WORD = re.compile(r"(?:https?://|www\.|@)\S+|(?P<word>[^\W\d_]+)", re.IGNORECASE)


def each_word(text: str, change: Callable[[str], str]) -> str:
    """Change the words of a text, but for those in links and @names."""
    return WORD.sub(lambda match: change(match[0]) if match["word"] else match[0], text)


def build(parts: Sequence[Any], folder: Path) -> Augment:
    """Chain the augmentations of a recipe in the order in which it names them.

    Raises:
        InputError: a file that one of them needs is missing or is not of its format.
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
