"""Build the lexicon of Portuguese: the lemmas that each form may have, by UPOS tag.

    pip install mlconjug3
    python lexicon/portuguese.py ../shared/data OUTPUT

Verb forms come from the paradigms of mlconjug3 (MIT), nouns, adjectives and adverbs from MorphoBr
(Apache-2.0), what only simplemma (MIT) knows from there, closed classes from the training file of
Bosque (CC BY-SA 4.0), how people write frequent words from short-pt.tsv, and lemmas that endings do
not tell from own-pt.tsv. Counts of words in the training files of raw_pt order the lemmas of a form
and leave out what is hardly ever meant. No sentence is stored.
"""

from __future__ import annotations

import lzma
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import Path

from counting import (
    CLOSED,
    OPEN,
    Entry,
    Lexicon,
    Pair,
    counts_of,
    frequencies,
    gather,
    listed,
    main,
    meant,
    put_first,
    settle,
    short,
    treebank,
)
from verbs import Verbs

from nlpkit.language.lexicon import restored

TAGS = {"n": "NOUN", "a": "ADJ", "adj": "ADJ", "adv": "ADV", "v": "VERB"}
PARADIGM = 20  # fewest forms of a verb that only simplemma knows
LEAST_SURE = 2  # fewest occurrences of the sure forms of a verb
TYPED = 3  # fewest occurrences of a word that is also listed without its accents
# Spellings of today for those before the reform of 1990, which people still use.
REFORM = (
    (r"êem$", "eem"), (r"ôo", "oo"), (r"éi(?=[aeo])", "ei"), (r"ói(?=[aeo])", "oi"), ("ü", "u"),
)  # fmt: skip
ACCENTED = {"a": "á", "e": "ê", "o": "ô"}  # before a dropped letter: "comprá-lo"
INFINITIVE = re.compile(r"[^\W\d_]{2,}(?:[aei]|p[oô])r")


def lexicon(data: Path) -> Lexicon:
    """Return the tags and lemmas of each form, most common first."""
    found = gather(_entries(data))
    found = {
        form: [p for p in pairs if not _is_slip(form, *p, found)] for form, pairs in found.items()
    }
    counts = counts_of(data, "raw_pt")
    for pairs in found.values():  # "fomos" is of both: the auxiliary is "ser", the verb is "ir"
        if ("VERB", "ser") in pairs and ("VERB", "ir") in pairs:
            pairs[pairs.index(("VERB", "ser"))] = ("AUX", "ser")
    own = _own_feminines(data, found, counts)
    found = {form: _of_one_gender(form, pairs, own) for form, pairs in found.items()}
    frequency, sure = frequencies(found, counts), _sure(found, counts)
    for form, accented in _typed(found, counts).items():
        known = found.setdefault(form, [])
        pairs = [pair for pair in accented if pair not in known]
        known += [(restored(tag), lemma) for tag, lemma in dict.fromkeys(pairs)]
    found = {form: kept for form, pairs in found.items() if (kept := _kept(pairs, sure))}
    found = {form: meant(pairs, frequency) for form, pairs in found.items()}
    put_first(found, short("pt"))
    settle(found, listed("own-pt.tsv"))
    return found


def _is_slip(form: str, tag: str, lemma: str, found: Lexicon) -> bool:
    """Return whether a noun has a verb for its lemma: "ata" and "atar", but not "jantares"."""
    is_verb = ("VERB", lemma) in found[lemma]
    return tag != "VERB" and is_verb and not form.startswith(lemma)


def _own_feminines(data: Path, found: Lexicon, counts: Mapping[str, int]) -> set[str]:
    """Return the nouns in -a that are lemmas of their own: "música", but not "gata" of "gato".

    These are nouns for which the treebank has no other lemma, and those more frequent than their
    masculine: things are, and women and animals are rarely so.
    """
    attested: dict[str, set[str]] = defaultdict(set)
    for form, lemma, tag in treebank(data / "ud" / "pt_bosque" / "train.conllu.xz"):
        if tag == "NOUN":
            attested[form].add(lemma)
    own = {form for form, lemmas in attested.items() if lemmas == {form}}
    for form, pairs in found.items():
        masculine = [lemma for tag, lemma in pairs if tag == "NOUN" and _is_masculine(lemma)]
        most = max((counts.get(lemma, 0) for lemma in masculine), default=0)
        if ("NOUN", form) in pairs and len(attested[form]) < 2 and counts.get(form, 0) >= most:
            own.add(form)
    return {form for form in own if form.endswith("a")}


def _of_one_gender(form: str, pairs: list[Pair], own: Set[str]) -> list[Pair]:
    """Return the analyses of a form; a feminine noun has its masculine or itself for lemma."""
    singular = form.removesuffix("s")
    masculine = [p for p in pairs if p[0] == "NOUN" and _is_masculine(p[1])]
    if not singular.endswith("a") or not masculine:
        return pairs
    if singular in own:
        return [pair for pair in pairs if pair not in masculine]
    return [pair for pair in pairs if pair != ("NOUN", singular)]


def _is_masculine(lemma: str) -> bool:
    return not lemma.endswith(("a", "ã"))


def _entries(data: Path) -> Iterator[Entry]:
    attested = list(treebank(data / "ud" / "pt_bosque" / "train.conllu.xz"))
    morphobr = list(_morphobr(data))
    table = dict(_simplemma(data))
    verbs = Verbs()
    verbs.add(sorted(set(_infinitives(attested, morphobr, table))))
    yield from (entry for entry in attested if entry[2] in (*CLOSED, "AUX"))
    known = {}
    covered = set()
    for form, verb, _, _ in verbs.forms():
        covered.add(form)
        yield from _spellings(form, today(verb))
    for form, lemma, tag in morphobr:
        covered.add(form)
        if tag != "VERB":
            known[lemma] = tag
            yield form, lemma, tag
    yield from (
        entry
        for entry in attested
        if entry[2] == "NOUN" or (entry[2] in OPEN and entry[0] not in covered)
    )
    for form, lemma in table.items():
        if form not in covered and lemma in known and form.isalpha() and form[0] == lemma[0]:
            yield form, lemma, known[lemma]


def _spellings(form: str, verb: str) -> Iterator[Entry]:
    """Yield a verb form and its other spellings."""
    yield form, verb, "VERB"
    if (other := today(form)) != form:
        yield other, verb, "VERB"
    if verb.endswith("ar") and form.endswith("amos"):
        yield form[:-4] + "ámos", verb, "VERB"
    if form == verb or form.endswith("z") or form in ("quis", "pus", "pôs"):  # comprá-lo, fi-lo
        yield form[:-2] + ACCENTED.get(form[-2], form[-2]), verb, "VERB"


def _infinitives(
    attested: Iterable[Entry], morphobr: Iterable[Entry], table: Mapping[str, str]
) -> Iterator[str]:
    """Yield verbs that mlconjug3 may lack; a treebank, two tables or a paradigm attest them."""
    forms = Counter(table.values())
    yield from (
        lemma for _, lemma, tag in attested if tag == "VERB" and INFINITIVE.fullmatch(lemma)
    )
    yield from (lemma for _, lemma, tag in morphobr if tag == "VERB" and lemma in forms)
    yield from (verb for verb, n in forms.items() if n >= PARADIGM and INFINITIVE.fullmatch(verb))


def _morphobr(data: Path) -> Iterator[Entry]:
    path = data / "lemma" / "morphobr" / "form_lemma_pos.tsv.xz"
    for line in lzma.open(path, "rt", encoding="utf-8"):
        form, lemma, tag = line.rstrip("\n").lower().split("\t")
        if tag == "n" and not _is_inflection(form, lemma):
            lemma = form.removesuffix("s")
        yield form, today(lemma), TAGS[tag]


def _is_inflection(form: str, lemma: str) -> bool:
    """Return whether a feminine is formed from its lemma: "gata" is, "vaca" of "boi" is not."""
    singular = unaccented(form).removesuffix("s")
    stem = singular.removesuffix("a")
    return stem == singular or unaccented(lemma) in {singular, stem, *(stem + v for v in "eou")}


def _simplemma(data: Path) -> Iterator[tuple[str, str]]:
    for line in lzma.open(data / "lemma" / "simplemma" / "pt.tsv.xz", "rt", encoding="utf-8"):
        form, _, lemma = line.rstrip("\n").partition("\t")
        if lemma:
            yield form.lower(), lemma.lower()


def _typed(found: Lexicon, counts: Mapping[str, int]) -> Lexicon:
    """Return the analyses of words with accents under their forms without accents."""
    typed: Lexicon = defaultdict(list)
    for form, pairs in found.items():
        if counts.get(form, 0) >= TYPED and (plain := unaccented(form)) != form:
            typed[plain] += pairs
    return typed


def _kept(pairs: Iterable[Pair], sure: Set[str]) -> list[Pair]:
    """Return the analyses without verbs of which no sure form is attested.

    A rule gives the lemma of the forms of such verbs.
    """
    return [pair for pair in pairs if pair[0].upper() != "VERB" or pair[1] in sure]


def _sure(found: Lexicon, counts: Mapping[str, int]) -> set[str]:
    """Return the lemmas of which a form that has no other lemma occurs."""
    seen: Counter[str] = Counter()
    for form, pairs in found.items():
        lemmas = {lemma for _, lemma in pairs}
        if len(lemmas) == 1:
            seen[lemmas.pop()] += counts.get(form, 0)
    return {lemma for lemma, n in seen.items() if n >= LEAST_SURE}


def today(word: str) -> str:
    """Return the spelling since the reform of 1990."""
    for old, new in REFORM:
        word = re.sub(old, new, word)
    return word


def unaccented(word: str) -> str:
    """Return a word without its accents; ç becomes c."""
    letters = unicodedata.normalize("NFD", word)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


if __name__ == "__main__":
    main(lexicon, "pt")
