"""Edit scripts: rules from a word's form to its lemma that apply to other words too.

A script is a case (`l` lower case, `k` the case of the form, `t` title case) and an edit,
`front|prefix|end|suffix`: cut `front` characters at the start and put `prefix` there, cut `end`
characters at the end and put `suffix` there. An edit `=lemma` replaces the whole form, if form and
lemma have too little in common. "comprava" -> "comprar" and "amava" -> "amar" are both `l0||2|r`.

After the lemma rules of UDPipe 2 (Straka 2018), with one edit on each side.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import lru_cache


@lru_cache(1 << 18)
def script_of(form: str, lemma: str) -> str:
    """Return the script that turns `form` into `lemma`; `apply` runs it."""
    if lemma == form.lower():
        return "l0||0|"
    if lemma == form:
        return "k0||0|"
    if lemma == form.lower().title():
        return "t0||0|"
    if lemma == lemma.lower():
        return "l" + _edit(form.lower(), lemma)
    edit = _edit(form, lemma)
    if edit.startswith("=") and lemma == lemma.title():
        return "t" + _edit(form.lower(), lemma.lower())
    return "k" + edit


def apply(script: str, form: str) -> str | None:
    """Return the lemma of a form, or None if the script does not fit the form."""
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
    """Tell whether a script keeps less than half of a form, or less than three characters.

    Such a script describes one irregular form and is not a rule: "foi" -> "ser" must not turn an
    unknown word into "ser".
    """
    edit = script[1:]
    if edit.startswith("="):
        return True
    front, _, end, _ = edit.split("|")
    length = len(form) - int(front) - int(end)
    return length < min(3, len(form)) or 2 * length < len(form)


def _edit(form: str, lemma: str) -> str:
    matcher = SequenceMatcher(None, form, lemma, autojunk=False)
    start, at, size = matcher.find_longest_match()
    prefix, suffix = lemma[:at], lemma[at + size :]
    # A single common letter is chance, except in words of one letter such as "é".
    if size < min(2, len(form)) or "|" in prefix + suffix:
        return f"={lemma}"
    return f"{start}|{prefix}|{len(form) - start - size}|{suffix}"
