"""Print sentences of raw texts, one a line, to be labelled by a teacher of entities.

    python teaching/sentences.py ../shared/data > sentences.txt
    nlpkit entities --model TEACHER sentences.txt > answers.jsonl
    python teaching/cases.py < answers.jsonl > teaching/rows-entities.jsonl

The sentences are of news, court decisions, debates, complaints, reviews and tweets; as many of each
set as SETS says, drawn with a seed. A sentence has 4 to 60 words and a capital inside.
"""

from __future__ import annotations

import json
import lzma
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

SETS = {
    "raw_pt/news_misc": 7000,
    "raw_pt/fakebr_news": 6000,
    "raw_pt/headlines": 4000,
    "raw_pt/camara_debates2019": 3000,
    "raw_pt/cpi_pandemia": 2000,
    "raw_pt/ementas_tjal": 3000,
    "raw_pt/discursos_dilma": 1500,
    "raw_pt/essays_br": 1500,
    "raw_pt/reclameaqui": 4000,
    "raw_pt/tweets_misc": 2500,
    "raw_pt/tweets_eleicoes2018": 2500,
    "raw_pt/blog_akita": 1000,
    "sentiment_pt/*": 6000,
}
SENTENCE = re.compile(r"(?<=[.!?…])\s+(?=[A-ZÀ-Ú\"“'(#@\d])")
CAPITAL_INSIDE = re.compile(r"\s[\"“'(]?[A-ZÀ-Ú]")
SHORTEST, LONGEST = 4, 60  # words


def texts(data: Path, name: str) -> Iterator[str]:
    """Yield the training texts of the sets that a pattern names."""
    for path in sorted(data.glob(f"{name}/train*.xz")):
        for line in lzma.open(path, "rt", encoding="utf-8"):
            text = json.loads(line)["text"] if ".jsonl" in path.name else line
            if isinstance(text, str):
                yield text


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text that may hold names."""
    for sentence in SENTENCE.split(" ".join(text.split())):
        if SHORTEST <= len(sentence.split()) <= LONGEST and CAPITAL_INSIDE.search(sentence):
            yield sentence


def main() -> None:
    data, rng = Path(sys.argv[1]), random.Random(1)
    for name, count in SETS.items():
        every = dict.fromkeys(each for text in texts(data, name) for each in sentences(text))
        print("\n".join(rng.sample(sorted(every), min(count, len(every)))))


if __name__ == "__main__":
    main()
