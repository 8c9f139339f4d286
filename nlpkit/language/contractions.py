"""Portuguese contractions and clitics taken apart, as in Universal Dependencies.

Two closed classes: prepositions with an article, pronoun or adverb, and verbs with pronouns after
hyphens. Closed classes are treated alike, but for forms that are mostly something else: "pra" is
"para" alone in the treebanks, "consigo" a verb and "coa" another, "mas" a conjunction, "to" and
"ta" are "estou" and "está". Such pronouns (mo, to) are taken apart behind a verb only.

The pronoun "nos" keeps its hyphen: without it, it would be the contraction of "em" and "os", and
taking a text apart twice must change nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from nlpkit.language.verbs import infinitive, is_verb, with_dropped_letter

_ARTICLES = ("o", "a", "os", "as")
_INDEFINITE = ("um", "uma", "uns", "umas")
_PRONOUNS = (
    "ele", "ela", "eles", "elas",
    "este", "esta", "estes", "estas", "esse", "essa", "esses", "essas", "isto", "isso",
    "aquele", "aquela", "aqueles", "aquelas", "aquilo",
    "aqueloutro", "aqueloutra", "aqueloutros", "aqueloutras",
    "outro", "outra", "outros", "outras", "outrem",
    "algum", "alguma", "alguns", "algumas", "alguém",
)  # fmt: skip
_ADVERBS = ("aqui", "aí", "ali", "acolá", "além", "aquém", "onde", "entre", "antes")
# Beginnings of contractions, and the second words that each stands before.
_ENDINGS = {
    ("d", "de"): (*_ARTICLES, *_INDEFINITE, *_PRONOUNS, *_ADVERBS),
    ("n", "em"): (*_ARTICLES, *_INDEFINITE, *_PRONOUNS),
    ("pel", "por"): _ARTICLES,
    ("c", "com"): _INDEFINITE,
    ("pr", "para"): ("o", "os", "as", *_INDEFINITE),
    ("lh", "lhe"): _ARTICLES,
}
TABLE = {
    start + second: (first, second)
    for (start, first), seconds in _ENDINGS.items()
    for second in seconds
}
TABLE |= {"ao": ("a", "o"), "aos": ("a", "os"), "à": ("a", "a"), "às": ("a", "as")}
TABLE |= {f"à{word[1:]}": ("a", word) for word in _PRONOUNS if word.startswith("aqu")}
TABLE["aonde"] = ("a", "onde")

# d'água, n'Os Lusíadas, co'a: an apostrophe for the letters that were dropped.
_SECOND = "|".join((*_ARTICLES, *_INDEFINITE, *_PRONOUNS))
_APOSTROPHE = re.compile(rf"(d)['’](\w[\w-]*)|(n|pel|co|pr)['’]({_SECOND})", re.IGNORECASE)
_ELIDED = {"d": "de", "n": "em", "pel": "por", "co": "com", "pr": "para"}

# Clitics, and the pronouns that they are. A verb has dropped a letter before l-, and ends in a
# nasal before n-.
_L, _N = ("lo", "la", "los", "las"), ("no", "na", "nas")
_NOS = "-nos"
_CLITICS: dict[str, tuple[str, ...]] = {
    word: (word,) for word in (*_ARTICLES, "me", "te", "se", "lhe", "lhes", "vos")
}
_CLITICS |= {word: (word[1:],) for word in (*_L, *_N)} | {"nos": (_NOS,)}
_CLITICS |= {
    start + word: (first, word)
    for start, first in (("m", "me"), ("t", "te"), ("lh", "lhe"))
    for word in _ARTICLES
}
_BEFORE_L = {"no": _NOS, "vo": "vos"}  # vo-lo, deu-no-lo
_LETTERS = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+){1,3}")
_NASALS = ("m", "ão", "õe")
_FUTURE = ("ei", "ás", "á", "emos", "eis", "ão", "ia", "ias", "íamos", "íeis", "iam")


def split(token: str) -> tuple[str, ...]:
    """Return the words of a contraction, or of a verb with pronouns, in their full forms.

    They are written as the token is; other tokens come back as they are. Splitting the words
    again changes nothing.
    """
    words: tuple[str, ...] | None = TABLE.get(token.lower())
    if words is None and (elided := _APOSTROPHE.fullmatch(token)):
        first, second = (part for part in elided.groups() if part)
        words = (_ELIDED[first.lower()], second)
    if words is None and "-" in token:
        words = _verb_and_pronouns(token)
    if words is None:
        return (token,)
    return tuple(w for place, word in enumerate(words) for w in split(_as(token, place, word)))


def verb_and_pronoun(token: str) -> tuple[str, ...]:
    """Return the parts of "disse-lhe", which all stand in it; other tokens as they are.

    A future around its pronoun (dir-lhe-ia) has no such parts.
    """
    if "-" not in token or _verb_and_pronouns(token) is None:
        return (token,)
    parts = tuple(token.split("-"))
    return (token,) if parts[-1].lower() in _FUTURE else parts


def _verb_and_pronouns(token: str) -> tuple[str, ...] | None:
    """Return a verb and its pronouns in full forms, in lower case; None of other tokens."""
    if not _LETTERS.fullmatch(token):
        return None
    verb, *clitics = token.split("-")
    if clitics[0].isupper() and not verb.isupper():  # série-A
        return None
    verb, *clitics = token.lower().split("-")
    ending = clitics.pop() if len(clitics) > 1 and clitics[-1] in _FUTURE else ""
    pronouns = _pronouns(clitics)
    full = infinitive(verb) if ending else _full_form(verb, clitics)
    return (full + ending, *pronouns) if full and pronouns else None


def _pronouns(clitics: Sequence[str]) -> tuple[str, ...]:
    """Return the pronouns that clitics are; none where one of them is no clitic."""
    words: list[str] = []
    for clitic, after in zip(clitics, (*clitics[1:], ""), strict=True):
        if after in _L and clitic in _BEFORE_L:
            words.append(_BEFORE_L[clitic])
        elif clitic in _CLITICS:
            words += _CLITICS[clitic]
        else:
            return ()
    return tuple(words)


def _full_form(verb: str, clitics: Sequence[str]) -> str:
    """Return a verb's form without the clitics behind it; "" where they cannot stand there."""
    clitic, *others = clitics
    if clitic in _L:
        return _BEFORE_L.get(verb) or with_dropped_letter(verb)
    if clitic in _N and not others:
        return verb if verb.endswith(_NASALS) else ""
    if clitic in _ARTICLES:
        return verb if is_verb(verb) else ""
    return verb + "s" if clitic in ("nos", "vos") and verb.endswith("mo") else verb


def _as(token: str, place: int, word: str) -> str:
    if token.isupper() and len(token) > 1:
        return word.upper()
    return word.capitalize() if place == 0 and token[0].isupper() else word
