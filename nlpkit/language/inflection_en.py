"""Regular inflection of English: the lemma of an unknown word."""

from __future__ import annotations

import re
from collections.abc import Iterator

_DOUBLED = re.compile(r"([bdgkmnprtv])\1$")  # "planned" is "plan"; "called" is "call"
# Stems that have lost an e: "googled", "archived", "organized", "danced", "updated".
_LOST_E = re.compile(r"([^aeioulr]l|[^aeiou]?v|[iy]z|c|dg|[^aeiou]u|[^aeo]at)$")
_NOUNS = (("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("ss", "ss"), ("us", "us"))


def regular_lemma(form: str, tag: str) -> str:
    """Return the lemma of an unknown lower-case form, as regular inflection has it."""
    if tag in ("VERB", "AUX"):
        return _base(form)
    if tag == "NOUN":
        return _singular(form)
    return form


def _base(form: str) -> str:
    for ending in ("ied", "ing", "ed"):
        if form.endswith(ending) and len(form) > len(ending) + 2:
            stem = form.removesuffix(ending)
            if ending == "ied":
                return stem + "y"
            if _DOUBLED.search(stem):
                return stem[:-1]
            return stem + "e" if _LOST_E.search(stem) else stem
    return _singular(form)


def _singular(form: str) -> str:
    if form.endswith("ies") and len(form) > 4:
        return form[:-3] + "y"
    for ending, singular in _NOUNS:
        if form.endswith(ending):
            return form.removesuffix(ending) + singular
    return form[:-1] if form.endswith("s") and len(form) > 3 else form


def bases(form: str) -> Iterator[str]:
    """Yield nothing: the lexicon lists comparatives and superlatives."""
    yield from ()
