"""Models for the steps of a chain, and the recipe that `init` writes for a task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import add_plugin

from nlpkit import chain
from nlpkit.errors import ModelError
from nlpkit.jobs.init import recipe_text
from nlpkit.settings import recipe
from nlpkit.settings.links import links_of

STEP = '''
"""Add a model's answer."""
from dataclasses import dataclass

TAKES = GIVES = "text"
IDEMPOTENT = False
EXAMPLES = (("", "a", "a"),)
CALLS = []

@dataclass(frozen=True, kw_only=True)
class Options:
    pass

def prepare(options):
    CALLS.append("prepare")

def build(options, load):
    CALLS.append("build")
    model = load("mine", device="cpu")
    return lambda texts: [text + model.predict([text])[0] for text in texts]
'''


class Fake:
    """A model that always gives the same answer."""

    task = tokenizer = None

    def predict(self, documents: list[Any]) -> list[Any]:
        return ["!" for _ in documents]

    def embed(self, documents: list[Any]) -> Any:
        raise NotImplementedError


def test_all_steps_are_prepared_first_and_receive_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_plugin(tmp_path, monkeypatch, {"nlpkit.steps": {"shout": STEP}})
    asked: list[tuple[str, str]] = []

    def load(name: str, *, device: str = "auto", precision: str = "auto", threads: int = 0) -> Any:
        asked.append((name, device))
        return Fake()

    made = chain.pipeline("shout | shout", load=load)
    assert made("oi") == "oi!!"
    assert asked == [("mine", "cpu")] * 2
    assert made.links[0].module.CALLS == ["prepare", "prepare", "build", "build"]


@pytest.mark.parametrize("step", ["lemmatize", "tokenize --subword x", "vectorize --method embed"])
def test_step_without_a_loader_says_how_to_give_one(step: str) -> None:
    step += " --model x" if "embed" in step else ""
    with pytest.raises(ModelError, match=r"needs a model; build it with load=nlpkit\.load"):
        chain.Pipeline(links_of([step]))


def test_init_names_the_columns_of_a_tagging_task(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(recipe_text("tag", "wordlstm"), encoding="utf-8")
    data = recipe.load(tmp_path / "r.toml").data
    assert [(f.path, f.text, f.label) for f in (*data.train, *data.dev)] == [
        ("train.conllu", "words", "upos"),
        ("dev.conllu", "words", "upos"),
    ]
    assert 'train = ["train.jsonl"]' in recipe_text("sentiment", "lstm")
