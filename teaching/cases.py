"""Write a part of labelled sentences as people type them: small letters, no accents, capitals.

    python teaching/cases.py < answers.jsonl > teaching/rows-entities.jsonl
    xz -dc ../shared/data/ner_en/conll2003_en/train.jsonl.xz | python teaching/cases.py --changed \\
        > teaching/rows-conll.jsonl

A teacher finds names by their capitals; its student must find `belo horizonte` too. A row keeps its
entities: no character comes or goes. `--changed` leaves out the rows that stay as they are.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import unicodedata

SMALL, BARE, CAPITALS = 0.12, 0.08, 0.04  # shares of the rows


def without_accents(text: str) -> str:
    return "".join(unicodedata.normalize("NFD", letter)[0] for letter in text)


def retyped(text: str, draw: float) -> str:
    """Return the text in another case, as a draw from 0 to 1 says; itself if its length changes."""
    if draw < SMALL:
        other = text.lower()
    elif draw < SMALL + BARE:
        other = without_accents(text.lower())
    elif draw < SMALL + BARE + CAPITALS:
        other = text.upper()
    else:
        return text
    return other if len(other) == len(text) else text


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--changed", action="store_true")
    args, rng = parser.parse_args(), random.Random(1)
    for line in sys.stdin:
        row, draw = json.loads(line), rng.random()
        if "tokens" in row:
            written = row | {"tokens": [retyped(token, draw) for token in row["tokens"]]}
        else:
            text = retyped(row["text"], draw)
            parts = [each | {"text": text[each["start"] : each["end"]]} for each in row["entities"]]
            written = row | {"text": text, "entities": parts}
        if written != row or not args.changed:
            print(json.dumps(written, ensure_ascii=False))


if __name__ == "__main__":
    main()
