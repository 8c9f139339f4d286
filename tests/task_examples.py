"""Tiny examples that each task learns in seconds. A new task needs an entry in EXAMPLES.

An entry has the name of its task, or names it in `task`, since a task may have several.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from conftest import corpus, sentences, tiny_tree

Row = dict[str, Any]


@dataclass(frozen=True)
class Example:
    """Rows of a task and a recipe that learns them."""

    rows: Callable[[int, int], list[Row]]  # number of rows, seed
    architecture: str = "atnet"  # "" for a language model
    decoder: Mapping[str, Any] | None = None  # [decoder]
    task: str = ""
    good: float = 0.8  # the task's score is better after training
    column: str = "text"
    settings: dict[str, Any] = field(default_factory=dict)  # of [task]
    tokenizer: dict[str, Any] = field(default_factory=dict)
    train: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, Any] = field(default_factory=dict)  # of [architecture]
    count: int = 300  # training rows

    def tree(self, name: str) -> dict[str, Any]:
        """Return the tree of the recipe."""
        tree = tiny_tree(self.architecture, **self.train)
        parts: dict[str, Any] = {"architecture": tree.pop("architecture") | self.sizes}
        if not self.architecture:
            del parts["architecture"]
        if self.decoder:
            parts["decoder"] = dict(self.decoder)
        return tree | {
            "name": f"tiny-{name}",
            "task": {"name": self.task or name} | self.settings,
            "tokenizer": tree["tokenizer"] | self.tokenizer,
            **parts,
        }

    def parts(self, name: str) -> list[str]:
        """Return the options that name the parts of the recipe."""
        decoder = self.decoder["name"] if self.decoder else ""
        given = {"task": self.task or name, "arch": self.architecture, "decoder": decoder}
        return [word for key, part in given.items() if part for word in (f"--{key}", part)]

    def documents(self, count: int, seed: int) -> list[Any]:
        """Return documents without targets."""
        return [row[self.column] for row in self.rows(count, seed)]


NAMES = {"positive": "elogio", "negative": "queixa", "neutral": "fato"}
WORDS = ["ana", "bia", "caio", "davi", "eva", "fabio", "gil", "hugo"]


def renamed(rows: int, seed: int) -> list[Row]:
    """Return labelled texts with labels other than those of sentiment."""
    return [row | {"label": NAMES[row["label"]]} for row in corpus(rows, seed)]


def capitalised(rows: int, seed: int) -> list[Row]:
    """Return texts with the spans of their capitalised words."""
    rng = random.Random(seed)
    made = []
    for _ in range(rows):
        words = [rng.choice(WORDS) for _ in range(rng.randint(1, 9))]
        words = [word.capitalize() if rng.random() < 0.3 else word for word in words]
        text, spans, start = " ".join(words), [], 0
        for word in words:
            if word[0].isupper():
                spans.append([start, start + len(word), "CAPITAL"])
            start += len(word) + 1
        made.append({"text": text, "spans": spans})
    return made


def people_and_places(rows: int, seed: int) -> list[Row]:
    """Return texts with entities: names after "com" are people, names after "em" are places."""
    rng = random.Random(seed)
    made = []
    for _ in range(rows):
        text, entities = "", []
        for _ in range(rng.randint(1, 3)):
            before, kind = rng.choice([("com", "PER"), ("em", "LOC")])
            name = " ".join(rng.choice(WORDS).capitalize() for _ in range(rng.randint(1, 2)))
            text += f"{rng.choice(WORDS)} {before} "
            entities.append([len(text), len(text) + len(name), kind])
            text += f"{name}{rng.choice([', ', '. ', ' '])}"
        made.append({"text": text.strip(), "entities": entities})
    return made


def reversed_words(rows: int, seed: int) -> list[Row]:
    """Return texts whose target is the words in reverse order."""
    rng = random.Random(seed)
    made = []
    for _ in range(rows):
        words = [rng.choice(WORDS) for _ in range(rng.randint(2, 3))]
        made.append({"text": " ".join(words), "target": " ".join(reversed(words))})
    return made


def counted(rows: int, seed: int) -> list[Row]:
    """Return texts in which most words follow from the one before them."""
    rng = random.Random(seed)
    made = []
    for _ in range(rows):
        starts = rng.sample(range(len(WORDS)), 3)
        parts = [" ".join((WORDS * 2)[first : first + rng.randint(3, 6)]) for first in starts]
        made.append({"text": ", ".join(parts)})
    return made


def directions(rows: int, seed: int) -> list[Row]:
    """Return texts with a vector that follows from one word."""
    axes = {"negative": [1.0, 0.0, 0.0], "neutral": [0.0, 2.0, 0.0], "positive": [0.0, 0.0, 0.5]}
    return [{"text": row["text"], "embedding": axes[row["label"]]} for row in corpus(rows, seed)]


HEAD = {"hidden": 0, "dropout": 0.1}
EXAMPLES: dict[str, Example] = {
    "sentiment": Example(corpus, settings=HEAD),
    "classify": Example(renamed, settings=HEAD),
    "embed": Example(directions),
    "tag": Example(sentences, "wordlstm", column="words", settings={"hidden": 16}),
    "capitals": Example(
        capitalised, "lstm", tokenizer={"lowercase": False}, train={"epochs": 6, "lr": 0.01}
    ),
    "entities": Example(
        people_and_places,
        "lstm",
        tokenizer={"lowercase": False, "simple_words": True},
        train={"epochs": 8, "lr": 0.01},
    ),
    "reverse": Example(
        reversed_words,
        "lstm",
        decoder={"name": "lstm", "embedding": 32, "hidden": 32, "dropout": 0.0},
        train={"epochs": 18, "lr": 0.01},
        sizes={"hidden": 32, "embedding": 32, "dropout": 0.0},
        count=600,
    ),
    "generate": Example(
        reversed_words,
        "transformer",
        decoder={"name": "transformer", "width": 32, "layers": 1, "feedforward": 64},
        tokenizer={"vocab_size": 300},
        train={"epochs": 14, "lr": 0.005},
        sizes={"width": 32, "layers": 1, "feedforward": 64},
        count=600,
        good=80.0,
    ),
    "language-model": Example(
        counted,
        "",
        task="generate",
        decoder={"name": "transformer", "width": 32, "layers": 1, "feedforward": 64},
        tokenizer={"vocab_size": 300},
        train={"epochs": 8, "lr": 0.01},
        good=0.8,
    ),
}
