"""Count words and lemmas in treebanks and raw texts, to order and prune the lemmas of a form."""

from __future__ import annotations

import lzma
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from nlpkit.language.lexicon import pack

OPEN = ("VERB", "AUX", "NOUN", "ADJ", "ADV")
CLOSED = ("DET", "PRON", "ADP", "CCONJ", "SCONJ", "INTJ", "NUM", "PART")
LEAST_CLOSED, LEAST_OPEN = 5, 2  # fewest occurrences in the treebank
RARE = 1000  # a lemma so many times rarer than the other of a form is not meant
ROUNDS = 8  # of expectation maximisation
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")

Entry = tuple[str, str, str]  # form, lemma, tag
Pair = tuple[str, str]  # tag, lemma
Lexicon = dict[str, list[Pair]]


def gather(entries: Iterable[Entry]) -> Lexicon:
    """Return the tags and lemmas of each form; a lemma is a form of itself."""
    found: Lexicon = defaultdict(list)
    for form, lemma, tag in entries:
        if (tag, lemma) not in found[form]:
            found[form].append((tag, lemma))
    for tag, lemma in {pair for pairs in found.values() for pair in pairs}:
        if (tag, lemma) not in found[lemma.lower()]:
            found[lemma.lower()].append((tag, lemma))
    return found


def treebank(path: Path, *, capitals: bool = False) -> Iterator[Entry]:
    """Yield the entries of a CoNLL-U file that are not rare, the most common first.

    `capitals` keeps those of lemmas, such as "English".
    """
    counts: Counter[Entry] = Counter()
    for line in lzma.open(path, "rt", encoding="utf-8"):
        cells = line.rstrip("\n").split("\t")
        if len(cells) > 4 and cells[0].isdigit() and cells[2] != "_":
            lemma = cells[2] if capitals else cells[2].lower()
            counts[cells[1].lower(), lemma, cells[3]] += 1
    for (form, lemma, tag), n in counts.most_common():
        least = LEAST_CLOSED if tag in CLOSED else LEAST_OPEN
        if n >= least and tag in OPEN + CLOSED and any(map(str.isalpha, form)):
            yield form, lemma, tag


def counts_of(data: Path, raw: str) -> Counter[str]:
    """Return how often each word occurs in the training texts of a folder of `data`."""
    counts: Counter[str] = Counter()
    for path in sorted(data.glob(f"{raw}/*/train.txt.xz")):
        for line in lzma.open(path, "rt", encoding="utf-8"):
            counts.update(WORD.findall(line.lower()))
    return counts


def frequencies(found: Lexicon, counts: Mapping[str, int]) -> dict[Pair, float]:
    """Return the frequency of each tag and lemma, by expectation maximisation.

    A form counts for its analyses in proportion to how frequent they are through other forms.
    """
    seen = [(pairs, n) for form, pairs in found.items() if (n := counts.get(form, 0))]
    frequency: dict[Pair, float] = defaultdict(lambda: 1.0)
    for _ in range(ROUNDS):
        summed: dict[Pair, float] = defaultdict(float)
        for pairs, n in seen:
            total = sum(frequency[pair] for pair in pairs) or 1.0
            for pair in pairs:
                summed[pair] += n * frequency[pair] / total
        frequency = summed
    return frequency


def meant(pairs: Iterable[Pair], frequency: Mapping[Pair, float]) -> list[Pair]:
    """Return the analyses of a form, most common first.

    Lemmas that are far rarer than another with the same tag are left out.
    """

    def of(tag: str, lemma: str) -> float:
        return frequency.get((tag.upper(), lemma), 0)

    most: dict[str, float] = defaultdict(float)
    for tag, lemma in pairs:
        most[tag.upper()] = max(most[tag.upper()], of(tag, lemma))
    kept = [pair for pair in pairs if of(*pair) * RARE >= most[pair[0].upper()]]
    return sorted(kept, key=lambda pair: -of(*pair))


def short(language: str) -> Iterator[Entry]:
    """Yield how people write frequent words."""
    return listed(f"short-{language}.tsv")


def listed(name: str) -> Iterator[Entry]:
    """Yield the entries of a table in this folder."""
    path = Path(__file__).with_name(name)
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            form, lemma, tag = line.split("\t")
            yield form, lemma, tag


def put_first(found: Lexicon, entries: Iterable[Entry]) -> None:
    """Make entries the first analyses of their forms."""
    for form, lemma, tag in entries:
        found[form] = [(tag, lemma), *(p for p in found.get(form, ()) if p != (tag, lemma))]


def settle(found: Lexicon, entries: Iterable[Entry]) -> None:
    """Give forms the lemmas of entries, in place of others with the same tag."""
    for form, lemma, tag in entries:
        others = [pair for pair in found.get(form, ()) if pair[0].upper() != tag]
        found[form] = [(tag, lemma), *others]


def main(build: Callable[[Path], Lexicon], language: str) -> None:
    """Write the lexicon of the data folder and to the file that the command line names."""
    data, output = map(Path, sys.argv[1:])
    found = build(data)
    entries = ((form, lemma, tag) for form in found for tag, lemma in found[form])
    content = pack(entries, language=language)
    output.write_bytes(content)
    print(f"{len(found):,} forms, {len(content):,} bytes")
