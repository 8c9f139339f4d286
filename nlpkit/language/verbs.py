"""Portuguese verbs with clitic pronouns: detect verbs and restore the letters they drop."""

from __future__ import annotations

import re
from functools import cache

INFINITIVES = ("ar", "er", "ir", "or")
_PLAIN = str.maketrans("áéêíóô", "aeeioo")

# A verb drops its final r, s or z before "lo". Irregular verbs match as whole forms with an
# optional prefix, before the endings.
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
_NEVER = re.compile(r"\w*[^aeiouáéíóúâêôãõmrsz]")  # verb forms end in none of these letters
_LIKELY = re.compile(r"\w+(?:ei|eu|ia|ra)")


def with_dropped_letter(verb: str) -> str:
    """Return the full form of a verb that stands before "lo", or "" if it is no verb.

    amá is amar, fi is fiz, vamo is vamos.
    """
    for pattern, form in _IRREGULAR:
        if match := re.fullmatch(pattern, verb):
            return match.expand(form)
    for ending, form in _ENDINGS:
        if verb.endswith(ending):
            return verb.removesuffix(ending) + form
    return ""


def infinitive(stem: str) -> str:
    """Return the infinitive of a future with its pronoun inside, or "" if the stem has none.

    `stem` is the part before the pronoun: dá and dar are dar, fá is far, pô and pôr are por.
    """
    plain = stem[:-2] + stem[-2:].translate(_PLAIN)
    plain += "" if plain.endswith("r") else "r"
    return plain if plain.endswith(INFINITIVES) else ""


@cache
def is_verb(word: str) -> bool:
    """Tell whether a lower-case word can be a verb form.

    simplemma's table decides, and the ending for a word that it lacks. Endings that no noun has,
    and those that no verb has, are tested first, because the table is slow to load.
    """
    if _SURELY.fullmatch(word):
        return True
    if _NEVER.fullmatch(word):
        return False
    from simplemma import is_known, lemmatize

    if not is_known(word, lang="pt"):
        return bool(_LIKELY.fullmatch(word))
    lemma = lemmatize(word, lang="pt")
    return lemma != word and lemma.endswith((*INFINITIVES, "ôr"))
