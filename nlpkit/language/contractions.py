"""Portuguese contractions and clitics taken apart, as in Universal Dependencies.

A closed class: prepositions with an article, pronoun or adverb, and verbs with a pronoun after a
hyphen. Forms that are more often something else ("deste" is "you gave" once in a hundred texts, but
"pra" mostly stays whole in the treebanks) are in the table or not by what UD Bosque, GSD and
DANTEStocks do with them.
"""

from __future__ import annotations

import re

_ARTICLES = ("o", "a", "os", "as")
_ENDINGS = {
    "de": (
        *_ARTICLES, "um", "uma", "uns", "umas", "ele", "ela", "eles", "elas",
        "este", "esta", "estes", "estas", "esse", "essa", "esses", "essas", "isto", "isso",
        "aquele", "aquela", "aqueles", "aquelas", "aquilo", "outro", "outra", "outros", "outras",
        "algum", "alguma", "alguns", "algumas", "alguém", "aqui", "aí", "ali", "onde",
    ),
    "em": (
        *_ARTICLES, "um", "uma", "uns", "umas", "ele", "ela", "eles", "elas",
        "este", "esta", "estes", "estas", "esse", "essa", "esses", "essas", "isto", "isso",
        "aquele", "aquela", "aqueles", "aquelas", "aquilo", "outro", "outra", "outros", "outras",
        "algum", "alguma", "alguns", "algumas",
    ),
}  # fmt: skip
_STARTS = {"de": "d", "em": "n"}

TABLE = {
    _STARTS[first] + second: (first, second)
    for first, seconds in _ENDINGS.items()
    for second in seconds
}
TABLE |= {f"pel{article}": ("por", article) for article in _ARTICLES}
TABLE |= {"ao": ("a", "o"), "aos": ("a", "os"), "à": ("a", "a"), "às": ("a", "as")}
TABLE |= {f"à{word[1:]}": ("a", word) for word in _ENDINGS["em"] if word.startswith("aque")}

_PRONOUN = "me|te|se|lhes?|nos|vos|l?[oa]s?|n[oa]s?"
_ENCLISIS = re.compile(rf"(\w+)-({_PRONOUN})", re.IGNORECASE)
_MESOCLISIS = re.compile(rf"(\w+)-({_PRONOUN})-(\w{{1,4}})", re.IGNORECASE)
_INFINITIVE = {"á": "ar", "ê": "er", "í": "ir", "i": "ir", "ô": "or"}
_FUTURE = ("ei", "ás", "á", "emos", "eis", "ão", "ia", "ias", "íamos", "íeis", "iam")


def split(token: str) -> tuple[str, ...]:
    """Return the words of a contraction, written as the token is; other tokens as they are."""
    found = TABLE.get(token.lower())
    if found is not None:
        return tuple(_as(token, place, word) for place, word in enumerate(found))
    if "-" in token:
        if len(parts := verb_and_pronoun(token)) == 2:
            return parts
        match = _MESOCLISIS.fullmatch(token)
        if match and match[3].lower() in _FUTURE:  # dir-lhe-ia is diria + lhe
            host = match[1]
            if match[2].lower().startswith("l") and match[2].lower() not in ("lhe", "lhes"):
                host = host[:-1] + _INFINITIVE.get(host[-1], host[-1])  # fá-lo-ei is farei + lo
            return host + match[3], match[2]
    return (token,)


def verb_and_pronoun(token: str) -> tuple[str, ...]:
    """Return the two parts of "disse-lhe", which both stand in it; other tokens as they are."""
    match = _ENCLISIS.fullmatch(token) if "-" in token else None
    return (match[1], match[2]) if match else (token,)


def _as(token: str, place: int, word: str) -> str:
    if token.isupper() and len(token) > 1:
        return word.upper()
    return word.capitalize() if place == 0 and token[0].isupper() else word
