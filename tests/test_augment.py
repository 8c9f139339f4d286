"""Augmentations: the changes they make, determinism by seed, and their use in training."""

from __future__ import annotations

import lzma
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from conftest import tiny_tree
from hypothesis import given, strategies as st

from nlpkit import augmentations, catalog
from nlpkit.errors import InputError, UsageError
from nlpkit.jobs import train as job
from nlpkit.settings import recipe as recipes
from nlpkit.settings.parts import Part
from nlpkit.training import run

TEXT = "Você não gostou muito do atendimento porque demorou demais, também achei péssimo kkkk"
THESAURUS = """\
péssimo\tSinônimo)horrível\thorrível|mau
horrível\tSinônimo)péssimo\tpéssimo|mau
mau\tSinônimo)ruim\truim|péssimo
mau\tAntônimo)bom\tbom
bom\tAntônimo)mau\tmau
casa\tSinônimo)lar\tlar doce lar|lar
"""


@pytest.fixture
def thesaurus(tmp_path: Path) -> str:
    path = tmp_path / "thesaurus.tsv.xz"
    path.write_bytes(lzma.compress(THESAURUS.encode()))
    return str(path)


def augmentation(name: str, **settings: Any) -> augmentations.Augment:
    config = catalog.load("augmentations", name).Config(**settings)
    return augmentations.build([Part(name, config)], Path())


@pytest.mark.parametrize("name", catalog.names("augmentations"))
def test_strength_0_is_identity_and_the_seed_determines_the_result(
    name: str, thesaurus: str
) -> None:
    extra = {"thesaurus": thesaurus} if name == "synonyms" else {}
    assert augmentation(name, strength=0.0, **extra)(TEXT, Random(1)) == TEXT
    change = augmentation(name, strength=0.9, **extra)
    assert change(TEXT, Random(1)) == change(TEXT, Random(1))
    assert len({change(TEXT, Random(seed)) for seed in range(30)}) > 1


@pytest.mark.parametrize("name", ["typos", "dropout", "case"])
@given(text=st.text(), seed=st.integers(0, 9))
def test_any_text_is_accepted(name: str, text: str, seed: int) -> None:
    assert isinstance(augmentation(name, strength=1.0)(text, Random(seed)), str)


def test_dropout_keeps_negation_and_at_least_one_word() -> None:
    drop = augmentation("dropout", strength=1.0)
    assert drop(TEXT, Random(1)) == "não"
    assert drop("gostei muito", Random(1)) == "gostei"
    assert drop("I don't like it, nem nada!", Random(1)) == "don't nem nada!"
    assert drop("Não, n gostei", Random(1)) == "Não, n"
    half = augmentation("dropout", strength=0.5)
    kept = [len(half(TEXT, Random(seed)).split()) for seed in range(300)]
    assert 6.2 < np.mean(kept) < 8.0  # of 13 words, one of which is always kept


@pytest.mark.parametrize("name", ["typos", "case", "synonyms"])
def test_links_and_mentions_are_unchanged(name: str, thesaurus: str) -> None:
    extra = {"thesaurus": thesaurus} if name == "synonyms" else {}
    change = augmentation(name, strength=1.0, **extra)
    text = "péssimo https://t.co/Abcd www.pessimo.com @péssimo você"
    for seed in range(20):
        assert change(text, Random(seed)).split()[1:4] == text.split()[1:4]


def test_typos_are_common_abbreviations_and_slips() -> None:
    change = augmentation("typos", strength=1.0)
    seen = Counter(w for s in range(200) for w in change(TEXT, Random(s)).replace(",", "").split())
    for typed in ("vc", "mto", "pq", "tb", "dms", "n", "pessimo", "kkk", "rsrs"):
        assert seen[typed] > 5, typed
    kept = augmentation("typos", strength=0.2)
    same = [kept(TEXT, Random(s)).split()[0] == "Você" for s in range(300)]
    assert 0.7 < np.mean(same) < 0.9


def test_synonyms_are_mutual_and_never_antonyms(thesaurus: str) -> None:
    replace = augmentation("synonyms", strength=1.0, thesaurus=thesaurus)
    said = {replace("Péssimo mau bom casa", Random(seed)) for seed in range(50)}
    words = [set(column) for column in zip(*(text.split() for text in said), strict=True)]
    assert words == [{"Horrível", "Mau"}, {"péssimo"}, {"bom"}, {"casa"}]


def test_malformed_thesaurus_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "words.tsv").write_text("a\nb\n", encoding="utf-8")
    with pytest.raises(InputError, match="synonyms"):
        augmentation("synonyms", strength=0.5, thesaurus=str(tmp_path / "words.tsv"))


def test_recipe_section_is_read_and_its_errors_are_reported(data: Path) -> None:
    tree = tiny_tree("bow") | {"augment": {"typos": 0.1, "dropout": {"strength": 0.2}}}
    made = recipes.from_dict(tree, folder=data, where="t")
    assert [(part.name, part.config.strength) for part in made.augment] == [
        ("typos", 0.1),
        ("dropout", 0.2),
    ]
    assert recipes.from_dict(made.to_dict(), folder=data, where="t") == made
    overridden = recipes.from_dict(tree, folder=data, where="t", overrides=["augment.typos=0.3"])
    assert overridden.augment[0].config.strength == 0.3
    for wrong in ({"typo": 0.1}, {"typos": 2.0}, {"typos": {"amount": 1}}):
        with pytest.raises(UsageError, match="typo"):
            recipes.from_dict(tree | {"augment": wrong}, folder=data, where="t")


def test_training_with_augmentation_learns_and_differs_from_without(
    data: Path, tmp_path: Path
) -> None:
    tree = tiny_tree("lstm", epochs=3) | {"augment": {"typos": 0.5}}
    tree["data"] = {"train": [str(data / "train.jsonl")], "dev": [str(data / "dev.jsonl")]}
    recipe = recipes.from_dict(tree, folder=data, where="t")
    options: Any = {"device": "cpu", "resume": False, "listener": lambda event: None}
    summary = run.train(recipe, tmp_path / "run", **options)
    assert summary and summary.dev["macro_f1"] > 0.8
    plain = recipes.from_dict(tree | {"augment": {}}, folder=data, where="t")
    other = run.train(plain, tmp_path / "plain", **options)
    assert other and other.dev != summary.dev


def test_tasks_on_word_lists_refuse_augmentation(tmp_path: Path) -> None:
    tree = tiny_tree("wordlstm") | {"augment": {"case": 0.5}}
    with pytest.raises(UsageError, match="lists of words"):
        job.check(recipes.from_dict(tree, folder=tmp_path, where="t"))
