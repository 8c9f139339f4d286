"""Write sentences of our own with names as customers write them, to train a model of entities.

    python teaching/names.py [--rows 5000] [--seed 1] > teaching/rows-names.jsonl

Annotated news hardly has `moro em belo horizonte`, shops and brands, or numbers of documents and
phones. The templates and the names are in teaching/names-pt.toml; the spans are their places. Some
rows are in small letters or capitals (teaching/cases.py). The same seed gives the same rows.
"""

from __future__ import annotations

import argparse
import json
import re
import tomllib
from pathlib import Path
from random import Random
from typing import Any

from cases import BARE, SMALL as AS_SMALL, retyped

SLOT = re.compile(r"\{(\w+)\}")
SMALL, LARGE = 0.4, 0.04  # shares of the rows that customers type in small letters or capitals
NUMBERS = ("###.###.###-##", "###########", "(##) 9####-####", "(##) #### ####", "## 9########")
NUMBERS += ("0800 ### ####", "#####-###", "##########", "#######")


def drawn(kind: str, lists: dict[str, Any], rng: Random) -> str:
    """Return a name of a type, or a number."""
    if kind == "PER":
        first = rng.choice(lists["first"])
        return first if rng.random() < 0.5 else f"{first} {rng.choice(lists['last'])}"
    if kind == "VALUE":
        amount = rng.randint(5, 3000)
        return rng.choice([f"R$ {amount},00", f"R$ {amount},90", f"R${amount}", f"{amount} reais"])
    if kind == "digits":
        return re.sub("#", lambda _: str(rng.randint(0, 9)), rng.choice(NUMBERS))
    return str(rng.choice(lists[kind]))


def row_of(template: str, lists: dict[str, Any], rng: Random) -> dict[str, Any]:
    """Return a template with names in its places, as a row."""
    text, entities, end = "", [], 0
    for slot in SLOT.finditer(template):
        text += template[end : slot.start()]
        name, end = drawn(slot[1], lists, rng), slot.end()
        if slot[1] != "digits":
            entities.append({"start": len(text), "end": len(text) + len(name), "type": slot[1]})
        text += name
    text += template[end:] + rng.choice(["", "", ".", "!", "..."])
    kind = rng.choices(["small", "large", ""], [SMALL, LARGE, 1 - SMALL - LARGE])[0]
    cased = {"small": retyped(text, rng.uniform(0, AS_SMALL + BARE)), "large": text.upper()}
    return {"text": cased.get(kind, text), "entities": entities}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    lists = tomllib.loads((Path(__file__).parent / "names-pt.toml").read_text("utf-8"))
    rng, seen = Random(args.seed), set[str]()
    while len(seen) < args.rows:
        row = row_of(rng.choice(lists["sentences"]), lists, rng)
        if row["text"] not in seen:
            seen.add(row["text"])
            print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
