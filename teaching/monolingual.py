"""Print sentences of one language, one a line, for back-translation.

    python teaching/monolingual.py ../shared/data pt > pt.txt
    nlpkit translate --lang pt-en pt.txt --to jsonl > back-en-pt.jsonl
    python teaching/keep.py < back-en-pt.jsonl > teaching/rows-back-en-pt.jsonl

A row of the last file is a machine's English with a person's Portuguese, so it teaches a
translator into Portuguese to write as people do (Sennrich et al. 2016, "Improving neural machine
translation models with monolingual data"). `en` in place of `pt`, and en-pt in place of pt-en,
give the rows of the other direction.

The sentences are of news, essays, reviews, speeches and novels, as many of each set as SETS says,
drawn with a seed; they have 4 to 24 words, a capital at the beginning and a full stop, question
mark or exclamation mark at the end.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from sentences import texts

SETS = {
    "pt": {
        "raw_pt/news_misc": 25_000,
        "raw_pt/fakebr_news": 40_000,
        "raw_pt/essays_br": 10_000,
        "raw_pt/tripadvisor_serra": 2_000,
        "sentiment_pt/tripadvisor_minas": 10_000,
        "raw_pt/recipes": 3_000,
        "raw_pt/camara_debates2019": 5_000,
        "raw_pt/blog_akita": 5_000,
    },
    "en": {"raw_en/imdb_unsup": 70_000, "raw_en/eltec_eng": 30_000},
}
END = re.compile(r"(?<=[.!?])\s+(?=[A-ZÀ-Ú\"“])")
WHOLE = re.compile(r"[A-ZÀ-Ú][^\n\[\]{}<>|_=#@*/\\]*[.!?]")
SHORTEST, LONGEST = 4, 24  # words
LETTERS = 0.7  # share of letters and blanks


def main() -> None:
    data, language = Path(sys.argv[1]), sys.argv[2]
    rng, seen = random.Random(0), set[str]()
    for name, count in SETS[language].items():
        found = dict.fromkeys(one for text in texts(data, name) for one in sentences(text))
        fresh = [one for one in found if one not in seen]
        seen.update(fresh)
        for one in rng.sample(fresh, min(count, len(fresh))):
            print(one)


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text that are worth a translation."""
    for part in END.split(text):
        one = " ".join(part.split())
        words = one.count(" ") + 1
        plain = sum(char.isalpha() or char == " " for char in one)
        if SHORTEST <= words <= LONGEST and WHOLE.fullmatch(one) and plain > LETTERS * len(one):
            yield one


if __name__ == "__main__":
    main()
