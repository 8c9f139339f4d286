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
    strength: float = setting(0.0, "share of the known words that are replaced", 0, 1)
    thesaurus: str = setting(
        "lexicon/thesaurus/th_pt_BR.tsv.xz",
        "file with word, sense and synonyms (a|b|c) in each line, by tabs",
    )


WORD = re.compile(r"[^\W\d_]+")
CLOSEST = 5  # synonyms that are drawn from: thesauri list rare senses beside the usual ones


def build(config: Config, folder: Path) -> Augment:
    """Read the thesaurus and return the change.

    Raises:
        InputError: there is no such file, or it holds no synonyms.
    """
    from nlpkit.settings.files import resolve

    (path, *_) = resolve(config.thesaurus, folder)
    known = read(path)

    def replace(text: str, rng: Random) -> str:
        def other(word: str) -> str:
            choices = known.get(word.lower())
            if not choices or rng.random() >= config.strength:
                return word
            chosen = rng.choice(choices)
            return chosen.capitalize() if word[0].isupper() else chosen

        return each_word(text, other)

    return replace


def read(path: Path) -> dict[str, tuple[str, ...]]:
    """Return each word's closest synonyms: they name it in turn, and share most of its others.

    Raises:
        InputError: the file holds none.
    """
    found: dict[str, set[str]] = {}
    with records.open_input(path) as stream:
        source = records.Source(str(path), errors="replace")
        for record in records.read(stream, "lines", source):
            word, _, rest = record[records.TEXT].lower().partition("\t")
            sense, _, synonyms = rest.partition("\t")
            if not sense.startswith("ant"):  # an opposite, in some files
                single = {other for other in synonyms.split("|") if WORD.fullmatch(other)}
                found.setdefault(word, set()).update(single - {word})
    known = {word: closest for word in found if (closest := _closest(word, found))}
    if not known:
        raise InputError(
            f"{quoted(path)}: holds no synonyms; each line is a word, "
            "its sense and synonyms (a|b), by tabs"
        )
    return known


def _closest(word: str, found: dict[str, set[str]]) -> tuple[str, ...]:
    mutual = [other for other in found[word] if word in found.get(other, ())]

    def unlike(other: str) -> tuple[float, str]:
        return -len(found[word] & found[other]) / len(found[word] | found[other]), other

    return tuple(sorted(mutual, key=unlike)[:CLOSEST])
