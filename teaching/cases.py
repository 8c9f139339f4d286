"""Write a part of labelled sentences as people type them: small letters, no accents, capitals.

    python teaching/cases.py < answers.jsonl > teaching/rows-entities.jsonl

A teacher finds names by their capitals; its student must find `belo horizonte` too. A row keeps its
entities: the spans stay where they are, since no character comes or goes.
"""

from __future__ import annotations

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
    rng = random.Random(1)
    for line in sys.stdin:
        row = json.loads(line)
        text = retyped(row["text"], rng.random())
        for entity in row["entities"]:
            entity["text"] = text[entity["start"] : entity["end"]]
        print(json.dumps(row | {"text": text}, ensure_ascii=False))


if __name__ == "__main__":
    main()
