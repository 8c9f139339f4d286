"""Regular inflection of Portuguese: lemmas of unknown words, and bases of derived ones."""

from __future__ import annotations

from collections.abc import Iterator

# Endings of regular verbs; the longest is tried first. Those that classes share are of -ar, the
# only class that new verbs join.
_VERBS = {
    "ar": "ando ou ei aste amos aram ava avas ávamos avam ara arei ará aremos arão aria ariam "
    "asse assem ássemos armos arem ado ada ados adas ar o a as am e es em emos",
    "er": "endo eu este eram erei erá erão eria eriam esse essem ermos erem er",
    "ir": "indo iu iste iram irei irá irão iria iriam isse issem irmos irem ido ida idos idas ir",
}
_ENDINGS = sorted(
    ((ending, to) for to, endings in _VERBS.items() for ending in endings.split()),
    key=lambda pair: -len(pair[0]),
)
# Letters that change before e: fiquei is ficar, paguei is pagar, cacei is caçar.
_SOFTENED = (("qu", "c"), ("gu", "g"), ("c", "ç"))
_PLURALS = (
    ("ões", "ão"), ("ães", "ão"), ("ãos", "ão"), ("ais", "al"), ("éis", "el"), ("óis", "ol"),
    ("uis", "ul"), ("res", "r"), ("zes", "z"), ("ns", "m"), ("ses", "s"), ("ss", "ss"),
    ("us", "us"), ("is", "is"), ("s", ""),
)  # fmt: skip
# Diminutives and superlatives, with what their base ends in.
_DERIVED = (
    ("zinho", ("",)), ("zinha", ("",)), ("quinho", ("co",)), ("quinha", ("ca",)),
    ("guinho", ("go",)), ("guinha", ("ga",)), ("inho", ("o", "e", "")), ("inha", ("a", "e", "")),
    ("quíssimo", ("co",)), ("quíssima", ("co",)), ("bilíssimo", ("vel",)), ("bilíssima", ("vel",)),
    ("íssimo", ("o", "e", "")), ("íssima", ("o", "e", "")),
)  # fmt: skip


def regular_lemma(form: str, tag: str) -> str:
    """Return the lemma of an unknown lower-case form, as regular inflection has it."""
    if tag in ("VERB", "AUX"):
        return _infinitive(form)
    if tag in ("NOUN", "ADJ"):
        for plural, singular in _PLURALS:
            if form.endswith(plural) and len(form) > len(plural) + 2:
                return form.removesuffix(plural) + singular
    return form


def _infinitive(form: str) -> str:
    for ending, infinitive in _ENDINGS:
        if form.endswith(ending) and len(form) >= len(ending) + 2:
            root = form.removesuffix(ending)
            if infinitive == "ar" and ending[0] == "e":
                for before_e, before_a in _SOFTENED:
                    if root.endswith(before_e):
                        root = root.removesuffix(before_e) + before_a
                        break
            return root + infinitive
    return form


def bases(form: str) -> Iterator[str]:
    """Yield the words from which a lower-case diminutive, superlative or compound may be derived.

    "gatinhas" is "gatas", "lindíssimo" is "lindo", and "segundas-feiras" is "segunda-feira".
    """
    if "-" in form:
        yield "-".join(regular_lemma(part, "NOUN") for part in form.split("-"))
    number = "s" if form.endswith("s") else ""
    singular = form.removesuffix("s")
    for ending, finals in _DERIVED:
        if singular.endswith(ending) and len(singular) > len(ending) + 1:
            for final in finals:
                yield singular.removesuffix(ending) + final + number
                if number:
                    yield singular.removesuffix(ending) + final
