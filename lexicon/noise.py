"""Rewrite the sentences of treebanks as people write, with their lemmas and tags, for a tagger.

    python lexicon/noise.py ../shared/data lexicon [--seed 1]

Newspapers hardly use the first person, the subjunctive and the imperative, and have accents and
capitals where they belong. A rewritten sentence has other verbs, in forms of its own, and the
spelling of messages: no accents, one case, abbreviations, long vowels, no full stop. Each training
sentence gives a row of OUTPUT/rows-TREEBANK.jsonl, half of them with contractions as one word. The
same seed gives the same rows.
"""

from __future__ import annotations

import argparse
import json
import lzma
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

from counting import counts_of, short
from portuguese import unaccented
from verbs import Verbs

BANKS = ("pt_bosque", "pt_gsd", "pt_dantestocks")
SWAPPED = 0.6  # share of the verbs that become another verb or another form
SHIFTED = 0.5  # share of those that also change tense and person
LEAST = 5  # fewest occurrences of a verb's infinitive in raw_pt
# How often reviews and messages use a tense and a person, by guess.
TENSES = {
    "Ind Pres": 8, "Ind Past": 8, "Ind Imp": 3, "Ind Fut": 1, "Cnd": 2, "Sub Pres": 4, "Sub Imp": 3,
    "Sub Fut": 3, "Imp": 3,
}  # fmt: skip
PEOPLE = {"1 Sing": 6, "3 Sing": 5, "3 Plur": 3, "1 Plur": 2, "2 Sing": 1}
# Verbs with a predicate of their own: another verb in their place, or they in its, would give the
# words beside them wrong tags (*o filme foi chato*, *o filme viu chato*). They change tense only.
LINKING = {
    "ser", "estar", "ficar", "parecer", "continuar", "permanecer", "andar", "virar", "tornar",
    "viver", "ir", "vir", "ter", "haver", "poder", "dever", "costumar",
}  # fmt: skip
ABBREVIATED = 0.6  # share of the words with an abbreviation that get it, in a sentence with any
LONG = 0.02  # share of the words with a repeated letter


class Word(NamedTuple):
    form: str
    lemma: str
    upos: str
    feats: str


class Writer:
    """Rewrites sentences with a seed."""

    def __init__(self, data: Path, seed: int) -> None:
        self.rng = Random(seed)
        self.by_cell: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.forms: dict[tuple[str, str, str], str] = {}
        counts = counts_of(data, "raw_pt")
        verbs = Verbs()
        for each in verbs.forms():
            self.forms.setdefault((each.verb, each.tense, each.person), each.form)
        common = (verb for verb in verbs.templates if counts[verb] >= LEAST)
        self.verbs = [verb for verb in common if verb not in LINKING]
        self.weights = [counts[verb] ** 0.5 for verb in self.verbs]
        self.short: dict[tuple[str, str], list[str]] = defaultdict(list)
        for form, lemma, tag in short("pt"):
            self.short[lemma, tag].append(form)

    def rewritten(self, words: list[Word]) -> list[Word]:
        words = [self._swapped(word) for word in words]
        style = self.rng.random()
        if self.rng.random() < 0.4:
            words = [self._abbreviated(word) for word in words]
        words = [self._long(word) for word in words]
        if self.rng.random() < 0.5:
            words = [word._replace(form=unaccented(word.form)) for word in words]
        if style < 0.45:
            words = [word._replace(form=word.form.lower()) for word in words]
        elif style < 0.55:
            words = [word._replace(form=word.form.upper()) for word in words]
        if len(words) > 1 and words[-1].form == "." and self.rng.random() < 0.5:
            words = words[:-1]
        return words

    def _swapped(self, word: Word) -> Word:
        if word.upos not in ("VERB", "AUX") or self.rng.random() > SWAPPED:
            return word
        stays = word.upos == "AUX" or word.lemma in LINKING
        feats = dict(each.split("=") for each in word.feats.split("|") if "=" in each)
        form = feats.get("VerbForm", "Fin")
        tense, person = self._cell(form, feats)
        if stays and form == "Fin":
            person = f"{feats.get('Person', '3')} {feats.get('Number', 'Sing')}"
        verb = word.lemma if stays else self.rng.choices(self.verbs, self.weights)[0]
        other = self.forms.get((verb, tense, person))
        if other is None:
            return word
        if word.form[0].isupper():
            other = other[0].upper() + other[1:]
        return Word(other, verb, word.upos, word.feats)

    def _cell(self, form: str, feats: dict[str, str]) -> tuple[str, str]:
        """Return the tense and the person of the form that stands in for a verb."""
        if form == "Inf":
            return "Inf", ""
        if form == "Ger":
            return "Ger", ""
        if form == "Part":
            end = "a" if feats.get("Gender") == "Fem" else "o"
            return "Part", end + ("s" if feats.get("Number") == "Plur" else "")
        if self.rng.random() < SHIFTED:
            (tense,) = self.rng.choices([*TENSES], [*TENSES.values()])
            (person,) = self.rng.choices([*PEOPLE], [*PEOPLE.values()])
            return tense, person
        mood, tense = feats.get("Mood", "Ind"), feats.get("Tense", "Pres")
        person = f"{feats.get('Person', '3')} {feats.get('Number', 'Sing')}"
        return mood if mood in ("Cnd", "Imp") else f"{mood} {tense}", person

    def _abbreviated(self, word: Word) -> Word:
        forms = self.short.get((word.lemma.lower(), word.upos.replace("AUX", "VERB")))
        if not forms or self.rng.random() > ABBREVIATED or word.upos in ("VERB", "AUX"):
            return word
        return word._replace(form=self.rng.choice(forms))

    def _long(self, word: Word) -> Word:
        if self.rng.random() > LONG or len(word.form) < 3 or not word.form.isalpha():
            return word
        at = self.rng.choice([i for i, c in enumerate(word.form) if c in "aeiouáéíóú"] or [0])
        return word._replace(
            form=word.form[:at] + word.form[at] * self.rng.randint(3, 6) + word.form[at + 1 :]
        )


def sentences(path: Path) -> Iterator[tuple[list[Word], list[Word]]]:
    """Yield each sentence of a CoNLL-U file as words and as tokens: "em o" and "no".

    A token of several words has the lemma and the tag of the first.
    """
    words: list[Word] = []
    tokens: list[Word] = []
    joined, last = "", 0
    for line in lzma.open(path, "rt", encoding="utf-8"):
        cells = line.rstrip("\n").split("\t")
        if len(cells) > 5 and cells[0].isdigit():
            word = Word(cells[1], cells[2], cells[3], cells[5])
            words.append(word)
            if int(cells[0]) > last:
                tokens.append(word)
            elif joined:
                tokens.append(word._replace(form=joined))
                joined = ""
        elif len(cells) > 5 and "-" in cells[0]:
            joined, last = cells[1], int(cells[0].partition("-")[2])
        elif not line.strip() and words:
            yield words, tokens
            words, tokens, joined, last = [], [], "", 0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path, help="folder")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    writer = Writer(args.data, args.seed)
    for bank in BANKS:
        with (args.output / f"rows-{bank}.jsonl").open("w", encoding="utf-8") as output:
            for pair in sentences(args.data / "ud" / bank / "train.conllu.xz"):
                written = writer.rewritten(writer.rng.choice(pair))
                row = {
                    "words": [word.form for word in written],
                    "lemmas": [word.lemma for word in written],
                    "upos": [word.upos for word in written],
                }
                output.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
