"""A small corpus and helpers for the tests of pretraining."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from conftest import tiny_tree

from nlpkit.settings import recipe as recipes
from nlpkit.training import pretrain

ANIMALS = ["o gato", "a vaca", "o pato", "a cabra"]
SOUNDS = ["mia no telhado", "muge no pasto", "grasna no lago", "bale no morro"]


def texts(rows: int, seed: int) -> list[str]:
    """Return sentences whose second half follows from the first."""
    rng = random.Random(seed)
    made = []
    for number in range(rows):
        place = rng.randrange(len(ANIMALS))
        made.append(f"{ANIMALS[place]} número {number} de {seed} {SOUNDS[place]}.")
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.txt").write_text("\n".join(texts(300, 1)), encoding="utf-8")
    (tmp_path / "dev.txt").write_text("\n".join(texts(40, 2)), encoding="utf-8")
    return tmp_path


def made(folder: Path, arch: str, objective: str, *overrides: str) -> recipes.Pretraining:
    sizes = {k: v for k, v in tiny_tree(arch)["architecture"].items() if k != "name"}
    settings = "\n".join(f"{key} = {json.dumps(value)}" for key, value in sizes.items())
    text = f"""
[objective]
name = "{objective}"
[architecture]
name = "{arch}"
{settings}
[tokenizer]
vocab_size = 200
window = 16
overlap = 4
[corpus]
train = ["train.txt"]
dev = ["dev.txt"]
[pretrain]
steps = 60
eval_steps = 20
batch_tokens = 512
lr = 1e-2
checkpoint_steps = 7
threads = 1
"""
    (folder / "pretrain.toml").write_text(text, encoding="utf-8")
    return recipes.load_pretraining(folder / "pretrain.toml", overrides)


def learn(recipe: recipes.Pretraining, folder: Path, **options: Any) -> dict[str, Any]:
    options = {"device": "cpu", "resume": False, "listener": lambda event: None} | options
    summary = pretrain.pretrain(recipe, folder, **options)
    assert summary
    return summary.to_dict()
