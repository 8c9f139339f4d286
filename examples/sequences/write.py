"""Write a toy task for networks that write: copy letters, reverse them, or tell the first of many.

    python examples/sequences/write.py copy
    python examples/sequences/write.py reverse --longest 8 --seed 1 --output runs/reverse

The output folder gets train.jsonl, dev.jsonl, a file test-N.jsonl for each tested length, and the
recipes of this folder. Sequences are random letters, a to j: 1 to 8 of them in training (1
to 32 for the task first); the longest tests have twice as many. No sequence is in two files. The
same seed writes the same rows.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

LETTERS = "abcdefghij"
TEST_ROWS, DEV_ROWS = 200, 300


class Task(NamedTuple):
    """What is to be written, the most letters of a training sequence, and the tested lengths."""

    target: Callable[[str], str]
    longest: int
    tested: tuple[int, ...]


TASKS = {
    "copy": Task(lambda text: text, 8, (4, 6, 8, 12, 16)),
    "reverse": Task(lambda text: text[::-1], 8, (4, 6, 8, 12, 16)),
    "first": Task(lambda text: text[0], 32, (4, 8, 16, 32, 64)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--longest", type=int, help="letters of a training sequence (8; first: 32)")
    parser.add_argument("--rows", type=int, default=20000, help="training sequences")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, metavar="DIR", help="runs/TASK if left out")
    options = parser.parse_args()
    task = TASKS[options.task]
    longest = task.longest if options.longest is None else options.longest
    there_are = sum(len(LETTERS) ** length for length in range(1, longest + 1))
    if options.rows < 1 or options.rows + DEV_ROWS + len(task.tested) * TEST_ROWS > there_are // 2:
        parser.error(
            f"--rows {options.rows} --longest {longest}: there are {there_are} sequences; "
            "give 1 row or more, and less than about half of them"
        )
    folder = options.output or Path("runs") / options.task
    folder.mkdir(parents=True, exist_ok=True)
    for name, texts in sequences(task, options.rows, longest, options.seed):
        rows = ({"text": text, "target": task.target(text)} for text in texts)
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8", newline="\n")
    for recipe in Path(__file__).parent.glob("*.toml"):
        shutil.copy(recipe, folder)


def sequences(task: Task, rows: int, longest: int, seed: int) -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each file and its sequences."""
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

    for length in task.tested:
        yield f"test-{length}", drawn(TEST_ROWS, length, length)
    # There are few short sequences: training gets them all.
    yield "dev", drawn(DEV_ROWS, min(task.tested[0], longest), longest)
    yield "train", drawn(rows, 1, longest)


if __name__ == "__main__":
    main()
