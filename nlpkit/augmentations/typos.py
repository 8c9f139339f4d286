"""Add typing noise as in informal Portuguese: no accents, `vc`, `mto`, `muuuito`, wrong letters."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from random import Random

from nlpkit.augmentations import Augment, each_word
from nlpkit.settings.declaration import setting


@dataclass(frozen=True, kw_only=True)
class Config:
    strength: float = setting(0.0, "share of the words that get a typing variant", 0, 1)


# Brazilian abbreviations: those that steps/clean.py expands, and others.
SHORT = {
    "abraço": ("abs", "abç"),
    "agora": ("agr",),
    "aqui": ("aki",),
    "beijo": ("bj", "bjo"),
    "beleza": ("blz",),
    "cadê": ("kd",),
    "com": ("c/",),
    "comigo": ("cmg",),
    "de": ("d",),
    "demais": ("dms",),
    "depois": ("dps",),
    "está": ("tá", "ta"),
    "estou": ("tô", "to"),
    "falou": ("flw",),
    "gente": ("gnt",),
    "hoje": ("hj",),
    "mais": ("+",),
    "mensagem": ("msg",),
    "mesmo": ("msm",),
    "muita": ("mta",),
    "muito": ("mto", "mt", "mtu"),
    "não": ("nao", "n", "ñ", "num"),
    "nada": ("nd",),
    "para": ("pra", "p/"),
    "porque": ("pq", "pk"),
    "qualquer": ("qqr", "qlqr"),
    "quando": ("qdo", "qnd"),
    "quanto": ("qto",),
    "que": ("q",),
    "quem": ("qm",),
    "quero": ("qro",),
    "também": ("tb", "tbm"),
    "tudo": ("td",),
    "verdade": ("vdd",),
    "você": ("vc", "vcê", "ce"),
    "vocês": ("vcs",),
}
LAUGHS = ("kkk", "kkkkkk", "rsrs", "haha", "hahaha", "hehe", "kk")
LAUGH = re.compile(r"k{2,}|(?:ha){2,}h?|(?:he){2,}h?|(?:rs){2,}s?", re.IGNORECASE)


def build(config: Config, folder: Path) -> Augment:
    """Return the augmentation."""

    def retype(text: str, rng: Random) -> str:
        return each_word(
            text, lambda word: slip(word, rng) if rng.random() < config.strength else word
        )

    return retype


def slip(word: str, rng: Random) -> str:
    """Return a typing variant of a word: shortened, unaccented, lengthened or mistyped."""
    if LAUGH.fullmatch(word):
        return rng.choice(LAUGHS)
    if short := SHORT.get(word.lower()):
        return rng.choice(short)
    if (plain := without_accents(word)) != word and rng.random() < 0.7:
        return plain
    if len(word) < 4:
        return word
    return rng.choice((_lengthen, _swap, _drop))(word, rng)


def without_accents(word: str) -> str:
    """Return the word without accents and cedillas."""
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))


def _lengthen(word: str, rng: Random) -> str:
    vowels = [index for index, letter in enumerate(word) if letter.lower() in "aeiouáéíóúãõ"]
    if not vowels:
        return word
    index = rng.choice(vowels)
    return word[:index] + word[index] * rng.randint(2, 4) + word[index + 1 :]


def _swap(word: str, rng: Random) -> str:
    index = rng.randrange(1, len(word) - 1)
    return word[:index] + word[index + 1] + word[index] + word[index + 2 :]


def _drop(word: str, rng: Random) -> str:
    index = rng.randrange(1, len(word))
    return word[:index] + word[index + 1 :]
