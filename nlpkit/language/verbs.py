"""Portuguese verbs before clitics: recognise verbs and restore the letters that they drop."""

from __future__ import annotations

import re
from functools import cache

INFINITIVES = ("ar", "er", "ir", "or")
_PLAIN = str.maketrans("áéêíóô", "aeeioo")

# Before "lo" a verb drops its final r, s or z. Irregular verbs, with their prefixes, come first.
_IRREGULAR = (
    (r"((?:contra|des|lique|per|rare|re|satis)?f)á", r"\1az"),
    (r"((?:contra|des|lique|per|rare|re|satis)?f)ê", r"\1ez"),
    (r"((?:contra|des|lique|per|rare|re|satis)?f)i", r"\1iz"),
    (r"((?:ben|con|contra|des|inter|mal|pre|re)?d)i", r"\1iz"),
    (r"trá", "traz"),
    (r"qui", "quis"),
    (r"p[ôo]", "pôr"),
)
_ENDINGS = (
    ("ei", "eis"), ("mo", "mos"), ("du", "duz"), ("u", "us"), ("õe", "ões"), ("em", "ens"),
    ("ói", "óis"), ("á", "ar"), ("a", "ar"), ("é", "er"), ("ê", "er"), ("e", "er"),
    ("í", "ir"), ("i", "ir"), ("ô", "or"), ("po", "por"),
)  # fmt: skip
_SURELY = re.compile(r"\w+(?:ou|iu|ndo|ava|sse)")
_LIKELY = re.compile(r"\w+(?:ei|eu|ia|ra)")


def with_dropped_letter(verb: str) -> str:
    """Return a verb's form without "lo": amar for amá, fiz for fi, vamos for vamo; "" if none."""
    for pattern, form in _IRREGULAR:
        if match := re.fullmatch(pattern, verb):
            return match.expand(form)
    for ending, form in _ENDINGS:
        if verb.endswith(ending):
            return verb.removesuffix(ending) + form
    return ""


def infinitive(stem: str) -> str:
    """Return the infinitive inside a future with its pronoun in the middle; "" if there is none.

    `stem` is the part before the pronoun: dá and dar give dar, fá gives far, pô and pôr give por.
    """
    plain = stem[:-2] + stem[-2:].translate(_PLAIN)
    plain += "" if plain.endswith("r") else "r"
    return plain if plain.endswith(INFINITIVES) else ""


@cache
def is_verb(word: str) -> bool:
    """Tell whether a word in lower case can be a form of a verb.

    simplemma's table decides, or the ending of a word that it lacks. The table takes long to load,
    so endings that no noun has are tested first.
    """
    if _SURELY.fullmatch(word):
        return True
    from simplemma import is_known, lemmatize

    if not is_known(word, lang="pt"):
        return bool(_LIKELY.fullmatch(word))
    lemma = lemmatize(word, lang="pt")
    return lemma != word and lemma.endswith((*INFINITIVES, "ôr"))
