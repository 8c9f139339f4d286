"""Print pairs of English and Portuguese words that mean the same, as rows to train translations on.

    python teaching/dictionary.py ../shared/data > teaching/dictionary.jsonl

The words are the frequent ones of raw texts and of the parallel texts' training files. A word and
its translation lie close together in the multilingual encoder `base` (multilingual-e5-small), so a
pair is kept where each is the nearest to the other by CSLS, the cosine less the mean cosine to the
ten nearest (Conneau et al. 2018, "Word translation without parallel data", section 2.3), and where
that is above THRESHOLD. Words that are names, or the same in both languages but for a capital, are
left out: a translation copies what it does not know.
"""

from __future__ import annotations

import json
import lzma
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

RAW = {
    "en": ("raw_en/imdb_unsup", "raw_en/eltec_eng"),
    "pt": (
        "raw_pt/news_misc",
        "raw_pt/fakebr_news",
        "raw_pt/camara_debates2019",
        "raw_pt/essays_br",
        "raw_pt/recipes",
        "raw_pt/reclameaqui",
        "raw_pt/tripadvisor_serra",
        "raw_pt/blog_akita",
        "raw_pt/eltec_por",
    ),
}
MOST = {"en": 14_000, "pt": 24_000}  # Portuguese has more forms of a word
FEWEST = 8  # times that a word occurs
LOWER = 0.6  # share of its occurrences in small letters
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
NEIGHBOURS, THRESHOLD = 10, 0.0


def main() -> None:
    data = Path(sys.argv[1])
    words = {language: frequent(texts(data, language), MOST[language]) for language in RAW}
    vectors = {language: embedded(words[language]) for language in RAW}
    for score, en, pt in sorted(pairs(vectors["en"], vectors["pt"]), reverse=True):
        pair = {"en": words["en"][en], "pt": words["pt"][pt]}
        if score >= THRESHOLD and pair["en"] != pair["pt"]:
            print(json.dumps(pair | {"score": round(score, 3)}, ensure_ascii=False))


def texts(data: Path, language: str) -> Iterator[str]:
    """Yield the raw texts of a language, and its side of the pairs to train on."""
    for name in RAW[language]:
        with lzma.open(data / name / "train.txt.xz", "rt", encoding="utf-8") as file:
            yield from file
    for path in sorted(data.glob("parallel/*/train.jsonl.xz")):
        with lzma.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)[language]


def frequent(texts: Iterator[str], most: int) -> list[str]:
    """Return the most frequent words that are mostly written in small letters."""
    seen = Counter(word for text in texts for word in WORD.findall(text))
    lower = Counter({word: count for word, count in seen.items() if word == word.lower()})
    either: Counter[str] = Counter()
    for word, count in seen.items():
        either[word.lower()] += count
    kept = (
        word
        for word, count in lower.most_common()
        if count >= max(FEWEST, LOWER * either[word]) and len(word) > 1
    )
    return list(islice(kept, most))


def embedded(words: Sequence[str]) -> np.ndarray:
    """Return unit vectors of words by `base`, [words, width]."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "vectors.npy"
        command = [
            "vectorize",
            "--method",
            "embed",
            "--model",
            "base",
            "--quiet",
            "-o",
            str(output),
        ]
        lines = "".join(f"query: {word}\n" for word in words)
        subprocess.run(
            [sys.executable, "-m", "nlpkit", *command], input=lines, text=True, check=True
        )
        vectors = np.load(output).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def pairs(en: np.ndarray, pt: np.ndarray) -> list[tuple[float, int, int]]:
    """Return the CSLS and the rows of pairs of which each is the nearest to the other."""
    cosines = en @ pt.T
    scores = 2 * cosines - crowding(cosines)[:, None] - crowding(cosines.T)[None, :]
    nearest_pt, nearest_en = scores.argmax(axis=1), scores.argmax(axis=0)
    return [
        (float(scores[row, column]), row, int(column))
        for row, column in enumerate(nearest_pt)
        if nearest_en[column] == row
    ]


def crowding(cosines: np.ndarray) -> np.ndarray:
    """Return the mean cosine of each row's nearest columns."""
    return np.partition(cosines, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:].mean(axis=1)


if __name__ == "__main__":
    main()
