"""Real models in spaCy pipelines: processes, saving and loading, and the entry points."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import spacy
from conftest import ROOT, Made, environment, write_jsonl
from sharing import made_once, shared_folder
from spacy.language import Language
from spacy.tokens import Doc
from task_examples import EXAMPLES

import nlpkit.spacy_components  # noqa: F401  # the metadata of the installed package may be old
from nlpkit import zoo

TEXTS = ["com Ana Bia, davi", "", "eva em Caio. gil", "ana", "com Hugo em Eva", " "]


def pipeline(lang: str = "pt", **config: Any) -> Language:
    nlp = spacy.blank(lang)
    nlp.add_pipe("nlpkit_entities", config=config)
    return nlp


def found(doc: Doc) -> list[tuple[str, str]]:
    return [(ent.text, ent.label_) for ent in doc.ents]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny bundle that finds people after "com" and places after "em"."""

    def make(folder: Path) -> None:
        from nlpkit.jobs.export import export
        from nlpkit.settings import recipe
        from nlpkit.training import run

        folder.mkdir()
        example = EXAMPLES["entities"]
        for split, count, seed in (("train", example.count, 1), ("dev", 60, 2)):
            write_jsonl(folder / f"{split}.jsonl", example.rows(count, seed))
        built = recipe.from_dict(example.tree("entities"), folder=folder, where="test")
        run.train(built, folder / "run", device="cpu", resume=False, listener=lambda event: None)
        export(str(folder / "run"), folder / "tiny", overrides=[], listener=lambda report: None)

    return made_once(shared_folder(tmp_path_factory) / "spacy-entities", make) / "tiny"


@pytest.mark.parametrize("lang", ["pt", "en"])
def test_a_pipeline_gives_the_entities_of_the_model(lang: str, bundle: Path) -> None:
    nlp = pipeline(lang, model=str(bundle), device="cpu")
    answers = zoo.load(str(bundle), device="cpu").predict(TEXTS)
    docs = list(nlp.pipe(TEXTS))
    assert sum(len(doc.ents) for doc in docs) > 2
    for doc, answer in zip(docs, answers, strict=True):
        spans = answer.spans if answer else ()
        expected = [(each.start, each.end, each.label) for each in spans]
        assert [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents] == expected
        assert [ent._.nlpkit_score for ent in doc.ents] == [each.score for each in spans]


def test_several_processes_and_tuples_give_the_same(bundle: Path, tiny_bundle: Made) -> None:
    nlp = pipeline(model=str(bundle), device="cpu", threads=2)
    nlp.add_pipe("nlpkit_sentiment", config={"model": str(tiny_bundle("atnet")), "device": "cpu"})

    def said(doc: Doc) -> Any:
        scores = [ent._.nlpkit_score for ent in doc.ents]
        return found(doc), scores, doc._.sentiment, doc._.sentiment_scores

    alone = [said(nlp(text)) for text in TEXTS]
    pairs = list(nlp.pipe(zip(TEXTS, range(6), strict=True), as_tuples=True, batch_size=4))
    assert [said(doc) for doc, _ in pairs] == alone
    assert [number for _, number in pairs] == list(range(6))
    assert [said(doc) for doc in nlp.pipe(TEXTS, n_process=2, batch_size=2)] == alone


def test_a_pipeline_is_saved_and_loaded(bundle: Path, tmp_path: Path) -> None:
    nlp = pipeline(model=str(bundle), types=["PER"], min_confidence=0.3)
    nlp.add_pipe("nlpkit_entities", name="places", config={"model": str(bundle), "types": ["LOC"]})
    text = ". ".join(EXAMPLES["entities"].documents(9, 3))
    nlp.to_disk(tmp_path / "saved")
    others = [
        spacy.load(tmp_path / "saved"),
        spacy.blank("pt").from_config(nlp.config).from_bytes(nlp.to_bytes()),
        pickle.loads(pickle.dumps(nlp)),
    ]
    assert {kind for _, kind in found(nlp(text))} == {"PER", "LOC"}
    for other in others:
        assert found(other(text)) == found(nlp(text))
        assert other.config["components"] == nlp.config["components"]
    changed = spacy.load(tmp_path / "saved", config={"components": {"places": {"types": ["PER"]}}})
    assert {kind for _, kind in found(changed(text))} == {"PER"}


def test_the_shipped_sentiment_model() -> None:
    nlp = spacy.blank("pt")
    nlp.add_pipe("nlpkit_sentiment")
    good, bad, empty = nlp.pipe(["Adorei, é perfeito!", "Péssimo, quebrou.", ""])
    assert (good._.sentiment, bad._.sentiment, empty._.sentiment) == ("positive", "negative", None)
    assert empty._.sentiment_scores == {}
    assert set(good._.sentiment_scores) == {"negative", "neutral", "positive"}
    assert sum(good._.sentiment_scores.values()) == pytest.approx(1)
    assert nlp.make_doc("x")._.sentiment_scores == {}  # before the component
    assert nlp.pipe_labels == {"nlpkit_sentiment": ["negative", "neutral", "positive"]}
    Doc(nlp.vocab).from_bytes(good.to_bytes())


def test_sentiment_that_is_not_sure_is_uncertain(tiny_bundle: Made) -> None:
    nlp = spacy.blank("en")
    config = {"model": str(tiny_bundle("atnet")), "min_confidence": 1.0}
    nlp.add_pipe("nlpkit_sentiment", config=config)
    assert nlp("o hotel lindo")._.sentiment == "uncertain"


def entry_points() -> dict[str, str]:
    tree = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed: dict[str, str] = tree["project"]["entry-points"]["spacy_factories"]
    return listed


def test_pyproject_lists_the_entry_points() -> None:
    assert set(entry_points()) == {"nlpkit_entities", "nlpkit_sentiment"}
    for name, path in entry_points().items():
        module, _, factory = path.partition(":")
        assert callable(getattr(import_module(module), factory))
        assert Language.has_factory(name)


def test_spacy_finds_the_components_by_the_entry_points(tmp_path: Path) -> None:
    about = tmp_path / "entries-1.0.dist-info"
    about.mkdir()
    lines = [f"{name} = {path}" for name, path in entry_points().items()]
    (about / "entry_points.txt").write_text("[spacy_factories]\n" + "\n".join(lines))
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: entries\nVersion: 1.0\n")
    code = (
        "import sys, spacy; from spacy.tokens import Doc; nlp = spacy.blank('pt'); "
        "print([name for name in sys.modules if name.startswith('nlpkit.')]); "
        "Doc.set_extension('sentiment_scores', default='of another component'); "
        "nlp.add_pipe('nlpkit_sentiment'); print(nlp('Adorei!')._.sentiment)"
    )
    path = f"{tmp_path}{os.pathsep}{environment()['PYTHONPATH']}"
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env=environment() | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded, label = shown.stdout.splitlines()
    # spaCy imports the module for every pipeline, so it must be light.
    assert loaded == "['nlpkit.version', 'nlpkit.errors', 'nlpkit.spacy_components']"
    assert label == "positive"
