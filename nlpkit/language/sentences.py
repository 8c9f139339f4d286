"""Split tokens into sentences at . ! ? or …, with the quotes and brackets that follow.

A full stop after an abbreviation does not end a sentence if the next word continues it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from nlpkit.language.words import Span

_END = re.compile(r"[.!?…。؟]+")
_CLOSING = re.compile(r"[)\]}\"'»”’]+")
_TOUCHING = re.compile(r"[.!?…。؟)\]}\"'»”’]+")
_INSIDE = re.compile(r"[,;:]+")  # marks that never begin a sentence
# Abbreviations that a name or a number follows.
_BEFORE_NAMES = frozenset(
    [
        "sr",
        "sra",
        "srs",
        "sras",
        "srta",
        "srtas",
        "dr",
        "dra",
        "drs",
        "dras",
        "prof",
        "profa",
        "profs",
        "profas",
        "profª",
        "exmo",
        "exma",
        "exmos",
        "exmas",
        "ilmo",
        "ilma",
        "revmo",
        "revma",
        "rev",
        "pe",
        "fr",
        "st",
        "sta",
        "sto",
        "v.exa",
        "v.sa",
        "s.exa",
        "exa",
        "cel",
        "sgt",
        "gen",
        "maj",
        "alm",
        "brig",
        "des",
        "dep",
        "gov",
        "pres",
        "eng",
        "enga",
        "arq",
        "adv",
        "mons",
        "cap",
        "caps",
        "ten",
        "av",
        "trav",
        "rod",
        "al",
        "pça",
        "pca",
        "pág",
        "pag",
        "págs",
        "pags",
        "pp",
        "fl",
        "fls",
        "art",
        "arts",
        "séc",
        "sec",
        "nº",
        "núm",
        "num",
        "vol",
        "vols",
        "fig",
        "figs",
        "tab",
        "ed",
        "apto",
        "ap",
        "bl",
        "tel",
        "proc",
        "ref",
        "mr",
        "mrs",
        "ms",
        "messrs",
        "jr",
        "hon",
        "capt",
        "lt",
        "col",
        "vs",
    ]
)
# Abbreviations that may end a sentence: it continues if a lower-case letter or a number follows.
# Words of other uses (dez, vc, min) are left out, because many writers omit capitals.
_ANYWHERE = frozenset(
    [
        "ltda",
        "etc",
        "cia",
        "inc",
        "co",
        "corp",
        "ex",
        "obs",
        "qd",
        "qdo",
        "qto",
        "q",
        "pq",
        "jan",
        "fev",
        "abr",
        "mai",
        "jun",
        "jul",
        "ago",
        "set",
        "nov",
        "seg",
        "qua",
        "qui",
        "sáb",
        "sab",
        "máx",
        "mín",
        "max",
        "aprox",
        "depto",
        "dpto",
        "resp",
        "emp",
        "esq",
        "lat",
        "fem",
        "masc",
        "téc",
        "tec",
        "adm",
        "cf",
        "i.e",
        "e.g",
        "p.ex",
        "a.c",
        "d.c",
        "s.a",
        "u.s",
    ]
)


def sentences(tokens: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """Yield (first token, one past the last token) of each sentence, as indices."""
    first, ended = 0, False
    for index, (token, _, end) in enumerate(tokens):
        if _END.fullmatch(token):
            ended = not _goes_on(tokens, index)
        else:
            ended = ended and bool(_CLOSING.fullmatch(token))
        if index + 1 == len(tokens):
            yield first, index + 1
        elif ended:
            after, start, _ = tokens[index + 1]
            touches = start == end and _TOUCHING.fullmatch(after)
            if not touches and not _INSIDE.fullmatch(after):
                yield first, index + 1
                first, ended = index + 1, False


def _goes_on(tokens: Sequence[Span], index: int) -> bool:
    """Tell whether the full stop at `index` belongs to an abbreviation inside a sentence."""
    if not 0 < index < len(tokens) - 1 or tokens[index][0] != ".":
        return False
    (word, _, end), (after, _, _) = tokens[index - 1], tokens[index + 1]
    if end != tokens[index][1]:
        return False
    word = word.lower()
    return word in _BEFORE_NAMES or (word in _ANYWHERE and not after[0].isupper())
