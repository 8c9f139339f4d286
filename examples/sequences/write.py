"""Write a toy task for networks that write: copy a sequence of letters, or reverse it.

    python examples/sequences/write.py copy
    python examples/sequences/write.py reverse --longest 8 --seed 1

A folder of the task's name gets train.jsonl, dev.jsonl, a file test-N.jsonl for each tested length,
and the recipes of this folder. Training sequences have 1 to 8 random letters, a to j; tests have up
to 16. No sequence is in two files. The same seed writes the same rows.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

LETTERS = "abcdefghij"
TASKS = {"copy": lambda text: text, "reverse": lambda text: text[::-1]}
TESTED = (4, 6, 8, 12, 16)  # lengths
TEST_ROWS, DEV_ROWS = 200, 300


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--longest", type=int, default=8, help="letters of a training sequence")
    parser.add_argument("--rows", type=int, default=20000, help="training sequences")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    there_are = sum(len(LETTERS) ** length for length in range(1, options.longest + 1))
    if options.rows < 1 or options.rows + DEV_ROWS + len(TESTED) * TEST_ROWS > there_are // 2:
        parser.error(
            f"--rows {options.rows} --longest {options.longest}: there are {there_are} sequences; "
            "give 1 row or more, and less than about half of them"
        )
    folder = Path(options.task)
    folder.mkdir(exist_ok=True)
    for name, texts in sequences(options.rows, options.longest, options.seed):
        rows = ({"text": text, "target": TASKS[options.task](text)} for text in texts)
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8", newline="\n")
    for recipe in Path(__file__).parent.glob("*.toml"):
        shutil.copy(recipe, folder)


def sequences(rows: int, longest: int, seed: int) -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each file and its sequences; both tasks have the same."""
    rng = Random(seed)
    seen: set[str] = set()

    def drawn(count: int, shortest: int, most: int) -> list[str]:
        texts: list[str] = []
        while len(texts) < count:
            text = "".join(rng.choices(LETTERS, k=rng.randint(shortest, most)))
            if text not in seen:
                seen.add(text)
                texts.append(text)
        return texts

    for length in TESTED:
        yield f"test-{length}", drawn(TEST_ROWS, length, length)
    # There are few short sequences: training gets them all.
    yield "dev", drawn(DEV_ROWS, min(TESTED[0], longest), longest)
    yield "train", drawn(rows, 1, longest)


if __name__ == "__main__":
    main()
