"""Edit scripts: how a word's form becomes its lemma, said so that other words can follow it.

A script is a case (`l` the lemma is lower case, `k` it keeps the form's, `t` it is a title) and an
edit: characters to cut and to put at the front and at the end, `front|prefix|end|suffix`, or
`=lemma` where form and lemma have too little in common. "comprava" -> "comprar" is `l0||2|r`, and
so is "amava" -> "amar". After the lemma rules of UDPipe 2 (Straka 2018), with one edit on each
side.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import lru_cache


@lru_cache(1 << 18)
def script_of(form: str, lemma: str) -> str:
    """Return the script that makes `lemma` of `form`; `apply` performs it."""
    if lemma == form.lower():
        return "l0||0|"
    if lemma == form:
        return "k0||0|"
    if lemma == form.lower().title():
        return "t0||0|"
    if lemma == lemma.lower():
        return "l" + _edit(form.lower(), lemma)
    kept = _edit(form, lemma)
    if kept.startswith("=") and lemma == lemma.title():
        return "t" + _edit(form.lower(), lemma.lower())
    return "k" + kept


def apply(script: str, form: str) -> str | None:
    """Return the lemma; None where the script does not fit the form."""
    case, edit = script[0], script[1:]
    if edit.startswith("="):
        lemma = edit[1:]
    else:
        base = form if case == "k" else form.lower()
        front, prefix, end, suffix = edit.split("|")
        cut = len(base) - int(end)
        if cut < int(front):
            return None
        lemma = prefix + base[int(front) : cut] + suffix
    return (lemma.title() if case == "t" else lemma) or None


def is_bold(script: str, form: str) -> bool:
    """Tell whether a script keeps less than half of a form: it is about that form, no rule.

    "foi" -> "ser" must not make "ser" of a word that was never seen.
    """
    edit = script[1:]
    if edit.startswith("="):
        return True
    front, _, end, _ = edit.split("|")
    kept = len(form) - int(front) - int(end)
    return kept < min(3, len(form)) or 2 * kept < len(form)


def _edit(form: str, lemma: str) -> str:
    matcher = SequenceMatcher(None, form, lemma, autojunk=False)
    start, at, size = matcher.find_longest_match()
    prefix, suffix = lemma[:at], lemma[at + size :]
    # One letter in common is chance, except in words such as "é" or "à" that are little more.
    if size < min(2, len(form)) or "|" in prefix + suffix:
        return f"={lemma}"
    return f"{start}|{prefix}|{len(form) - start - size}|{suffix}"
