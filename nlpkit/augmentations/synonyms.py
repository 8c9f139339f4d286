"""Replace words by synonyms of a thesaurus (Zhang et al. 2015; Wei & Zou 2019)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from random import Random

from nlpkit import records
from nlpkit.augmentations import Augment, each_word
from nlpkit.errors import InputError, quoted
from nlpkit.settings.declaration import setting


@dataclass(frozen=True, kw_only=True)
class Config:
    strength: float = setting(0.0, "share of the thesaurus's words that are replaced", 0, 1)
    thesaurus: str = setting(
        "lexicon/thesaurus/th_pt_BR.tsv.xz",
        "file whose lines hold a word, its sense and its synonyms (a|b|c), separated by tabs",
    )


WORD = re.compile(r"[^\W\d_]+")
CLOSEST = 5  # synonyms of a word to draw from; a thesaurus also lists those of rare senses


def build(config: Config, folder: Path) -> Augment:
    """Read the thesaurus and return the augmentation.

    Raises:
        InputError: the file is missing or holds no synonyms.
    """
    from nlpkit.settings.files import resolve

    (path, *_) = resolve(config.thesaurus, folder)
    thesaurus = read(path)

    def replace(text: str, rng: Random) -> str:
        def synonym_of(word: str) -> str:
            choices = thesaurus.get(word.lower())
            if not choices or rng.random() >= config.strength:
                return word
            synonym = rng.choice(choices)
            return synonym.capitalize() if word[0].isupper() else synonym

        return each_word(text, synonym_of)

    return replace


def read(path: Path) -> dict[str, tuple[str, ...]]:
    """Return each word's closest synonyms, at most CLOSEST, in lower case.

    A synonym counts if it lists the word in turn; the closest share most of the word's synonyms
    (Jaccard similarity).

    Raises:
        InputError: the file holds no synonyms.
    """
    synonyms_of: dict[str, set[str]] = {}
    with records.open_input(path) as stream:
        source = records.Source(str(path), errors="replace")
        for record in records.read(stream, "lines", source):
            word, _, rest = record[records.TEXT].lower().partition("\t")
            sense, _, synonyms = rest.partition("\t")
            if not sense.startswith("ant"):  # some files also list antonyms
                single = {other for other in synonyms.split("|") if WORD.fullmatch(other)}
                synonyms_of.setdefault(word, set()).update(single - {word})
    closest_of = {word: closest for word in synonyms_of if (closest := _closest(word, synonyms_of))}
    if not closest_of:
        raise InputError(
            f"{quoted(path)}: holds no synonyms; give each line a word, its sense and its synonyms "
            "(a|b), separated by tabs"
        )
    return closest_of


def _closest(word: str, synonyms_of: dict[str, set[str]]) -> tuple[str, ...]:
    mutual = [other for other in synonyms_of[word] if word in synonyms_of.get(other, ())]

    def distance(other: str) -> tuple[float, str]:
        return -len(synonyms_of[word] & synonyms_of[other]) / len(
            synonyms_of[word] | synonyms_of[other]
        ), other

    return tuple(sorted(mutual, key=distance)[:CLOSEST])
