"""Build the lexicon of English: the lemmas that each form may have, by UPOS tag.

    pip install lemminflect
    python lexicon/english.py ../shared/data OUTPUT

Nouns, verbs, adjectives and adverbs come from the table of lemminflect (MIT; made from the NIH
SPECIALIST lexicon), closed classes and auxiliaries from the training file of the English Web
Treebank (CC BY-SA 4.0), and contractions without their mark from short-en.tsv. Counts of words in
the training files of raw_en order the lemmas of a form. No sentence is stored.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from counting import (
    Entry,
    Lexicon,
    counts_of,
    frequencies,
    gather,
    main,
    meant,
    put_first,
    short,
    treebank,
)

TAGS = {"noun": "NOUN", "verb": "VERB", "adj": "ADJ", "adv": "ADV"}


def lexicon(data: Path) -> Lexicon:
    """Return the tags and lemmas of each form, most common first."""
    found = gather(_entries(data))
    frequency = frequencies(found, counts_of(data, "raw_en"))
    found = {form: kept for form, pairs in found.items() if (kept := meant(pairs, frequency))}
    put_first(found, short("en"))
    return found


def _entries(data: Path) -> Iterator[Entry]:
    attested = list(treebank(data / "ud" / "en_ewt" / "train.conllu.xz", capitals=True))
    known = {(form, tag) for form, _, tag in attested}
    yield from attested
    yield from (entry for entry in _lemminflect() if (entry[0], entry[2]) not in known)


def _lemminflect() -> Iterator[Entry]:
    spec = find_spec("lemminflect")
    if spec is None or not spec.origin:
        raise SystemExit("pip install lemminflect")
    path = Path(spec.origin).parent / "resources" / "lemma_lu.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        for form, word_class, lemmas in csv.reader(stream):
            if word_class in TAGS and form.islower():
                for lemma in lemmas.split("/"):
                    yield form, lemma.lower(), TAGS[word_class]
                if word_class == "verb" and form.endswith(("ing", "ed")):
                    yield form, form, "ADJ"  # "charming", "inclined"
                if word_class == "verb" and form.endswith("ing"):
                    yield form, form, "NOUN"  # "sharing"


if __name__ == "__main__":
    main(lexicon, "en")
