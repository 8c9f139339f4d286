"""Keep the rows of back-translation whose machine's side is no babble, and mark that side.

    python teaching/keep.py < back-en-pt.jsonl > teaching/rows-back-en-pt.jsonl

The field `machine` begins with TAG, so that the network learns to tell a machine's sentences from
those of people, and does not trust them as much (Caswell et al. 2019, "Tagged back-translation").
A row is dropped where the translator wrote a word twice in a row or three times in all (short
words aside), or wrote less than 0.6 or more than 1.6 times as many characters as it read.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from itertools import pairwise

SHORT = 3  # characters of words that may stand often
LEAST, MOST = 0.6, 1.6
TAG = "~ "


def main() -> None:
    for line in sys.stdin:
        row = json.loads(line)
        if sound(row["text"], row["translation"]):
            sides = {"machine": TAG + row["translation"], "person": row["text"]}
            print(json.dumps(sides, ensure_ascii=False))


def sound(source: str, translation: str) -> bool:
    """Return True if the translation may stand for its source in a row of training."""
    if not LEAST <= len(translation) / len(source) <= MOST:
        return False
    words = translation.lower().split()
    if any(one == other for one, other in pairwise(words)):
        return False
    counts = Counter(word for word in words if len(word) > SHORT)
    return not counts or max(counts.values()) < 3


if __name__ == "__main__":
    main()
