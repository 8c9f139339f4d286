"""Split Portuguese contractions, and verbs from their clitics, as Universal Dependencies does.

A contraction is a preposition with an article, pronoun or adverb. A clitic is a pronoun behind a
verb and a hyphen. Both are closed classes, and every form of them is split, except forms that are
mostly other words: "pra" is one word in the treebanks, "consigo" a verb, "coa" of "coar", "mas" a
conjunction, "to" and "ta" are "estou" and "está". The pronouns "mo" and "to" are split only behind
a verb.

The pronoun "nos" keeps its hyphen. Without it, a second run would take it for "em" and "os".
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
# The first part of contractions and its full form: the words that may follow it.
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

# With a capital inside a sentence these spoken forms are names (MacBook Pro, Num Lock): titles use
# the full forms.
_NAMES = ("Pro", "Pros", "Num", "Cum", "Dum")

# d'água, n'Os Lusíadas, co'a: an apostrophe stands for the dropped letters.
_SECOND = "|".join((*_ARTICLES, *_INDEFINITE, *_PRONOUNS))
_APOSTROPHE = re.compile(rf"(d)['’](\w[\w-]*)|(n|pel|co|pr)['’]({_SECOND})", re.IGNORECASE)
_ELIDED = {"d": "de", "n": "em", "pel": "por", "co": "com", "pr": "para"}

# Clitics and their pronouns. Before l- a verb has dropped a letter; before n- it ends in a nasal.
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


def split(token: str, before: str = "", after: str = "") -> tuple[str, ...]:
    """Return the words of a contraction, or of a verb with pronouns, in their full forms.

    Words keep the capitals of the token. Other tokens are returned unchanged, as are words that
    were split before. `before` and `after` are the tokens on either side.
    """
    words: tuple[str, ...] | None = TABLE.get(token.lower())
    if words and _is_no_contraction(token, before, after):
        return (token,)
    if words is None and (elided := _APOSTROPHE.fullmatch(token)):
        first, second = (part for part in elided.groups() if part)
        words = (_ELIDED[first.lower()], second)
    if words is None and "-" in token:
        words = _verb_and_pronouns(token)
    if words is None:
        return (token,)
    return tuple(w for index, word in enumerate(words) for w in split(_as(token, index, word)))


def _is_no_contraction(token: str, before: str, after: str) -> bool:
    """Tell whether a form of the table is a name, or the pronoun "nos" before a verb in -mos."""
    if token in _NAMES:
        return before[-1:].isalnum()
    verb = after.lower()
    return token.lower() == "nos" and verb.endswith("mos") and is_verb(verb)


def verb_and_pronoun(token: str) -> tuple[str, ...]:
    """Return the parts of "disse-lhe", each a substring of the token; other tokens unchanged.

    A future with its pronoun inside (dir-lhe-ia) has no such parts.
    """
    if "-" not in token or _verb_and_pronouns(token) is None:
        return (token,)
    parts = tuple(token.split("-"))
    return (token,) if parts[-1].lower() in _FUTURE else parts


def _verb_and_pronouns(token: str) -> tuple[str, ...] | None:
    """Return a verb and its pronouns in full forms and lower case; None if it is no such token."""
    if not _LETTERS.fullmatch(token):
        return None
    verb, *clitics = token.split("-")
    if clitics[0].isupper() and not verb.isupper():  # série-A
        return None
    verb, *clitics = token.lower().split("-")
    ending = clitics.pop() if len(clitics) > 1 and clitics[-1] in _FUTURE else ""
    pronouns = _pronouns(clitics)
    if not pronouns:  # before the verb, whose table is slow to load
        return None
    full = infinitive(verb) if ending else _full_form(verb, clitics)
    return (full + ending, *pronouns) if full else None


def _pronouns(clitics: Sequence[str]) -> tuple[str, ...]:
    """Return the pronouns of clitics; an empty tuple if one of them is no clitic."""
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
    """Return the full form of a verb before clitics; "" if the clitics cannot follow it."""
    clitic, *others = clitics
    if clitic in _L:
        return _BEFORE_L.get(verb) or with_dropped_letter(verb)
    if clitic in _N and not others:
        return verb if verb.endswith(_NASALS) else ""
    if clitic in _ARTICLES:
        return verb if is_verb(verb) else ""
    return verb + "s" if clitic in ("nos", "vos") and verb.endswith("mo") else verb


def _as(token: str, index: int, word: str) -> str:
    """Return the word at an index with the capitals of the token that it was split from."""
    if token.isupper() and len(token) > 1:
        return word.upper()
    return word.capitalize() if index == 0 and token[0].isupper() else word
