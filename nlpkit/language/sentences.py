"""Where sentences end: at . ! ? or …, with the quotes and brackets that touch it.

A point behind an abbreviation ends no sentence where the next word shows that it goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from nlpkit.language.words import Span

_END = re.compile(r"[.!?…。؟]+")
_CLOSING = re.compile(r"[)\]}\"'»”’]+")
_TOUCHING = re.compile(r"[.!?…。؟)\]}\"'»”’]+")
_INSIDE = re.compile(r"[,;:]+")  # no sentence begins with one
# A name or a number follows these.
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
# A sentence may end with these: it goes on before a small letter or a number. Words that are
# more than abbreviations (dez, vc, min) are left out: people forget capitals.
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
    """Yield (first, one past the last) token of each sentence."""
    first, ended = 0, False
    for place, (token, _, end) in enumerate(tokens):
        if _END.fullmatch(token):
            ended = not _goes_on(tokens, place)
        else:
            ended = ended and bool(_CLOSING.fullmatch(token))
        if place + 1 == len(tokens):
            yield first, place + 1
        elif ended:
            after, start, _ = tokens[place + 1]
            touches = start == end and _TOUCHING.fullmatch(after)
            if not touches and not _INSIDE.fullmatch(after):
                yield first, place + 1
                first, ended = place + 1, False


def _goes_on(tokens: Sequence[Span], place: int) -> bool:
    """Tell whether a point belongs to an abbreviation within a sentence."""
    if not 0 < place < len(tokens) - 1 or tokens[place][0] != ".":
        return False
    (word, _, end), (after, _, _) = tokens[place - 1], tokens[place + 1]
    if end != tokens[place][1]:
        return False
    word = word.lower()
    return word in _BEFORE_NAMES or (word in _ANYWHERE and not after[0].isupper())
