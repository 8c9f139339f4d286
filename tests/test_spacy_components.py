"""The components for spaCy pipelines, on texts and documents that are hard to annotate."""

from __future__ import annotations

import os
import pickle
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from nlpkit import spacy_components, zoo
from nlpkit.answers import Span as Found
from nlpkit.answers.entities import Entities
from nlpkit.errors import ModelError, UsageError
from nlpkit.runtime.model import Model
from nlpkit.tasks.entities import Config, Task

NAME = re.compile("(Ana|Bia|Caf\u00e9|Cafe\u0301)|(Recife)|(\U0001f469\u200d\U0001f467)")
TYPES = ("PER", "LOC", "EMOJI")
SURE, UNSURE = 0.9, 0.4  # the score of a person, and of others


class Fake(Model):
    """A model that finds NAME. BATCHES has the sizes of the batches that it was sent."""

    def predict(self, documents: Iterable[Any]) -> list[Entities | None]:
        texts = list(documents)
        BATCHES.append(len(texts))
        if "broken" in texts:
            raise ValueError("broken")
        return [self._entities(text) if text else None for text in texts]

    def _entities(self, text: str) -> Entities:
        spans = []
        for match in NAME.finditer(text):
            kind = TYPES[(match.lastindex or 0) - 1]
            if kind in self.task.shown:
                score = SURE if kind == "PER" else UNSURE
                spans.append(Found(match.start(), match.end(), kind, match.group(), score))
        return Entities(tuple(spans))


BATCHES: list[int] = []
LOADED: list[tuple[str, dict[str, Any]]] = []


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace `load` by one that returns the fake model and notes its arguments."""
    BATCHES.clear()
    LOADED.clear()

    def load(name: str, **options: Any) -> Model:
        LOADED.append((name, options))
        empty: Any = None
        return Fake(name, Task(Config(), TYPES), empty, empty, empty)

    monkeypatch.setattr(zoo, "load", load)


def pipeline(lang: str = "pt", **config: Any) -> Language:
    nlp = spacy.blank(lang)
    nlp.add_pipe("nlpkit_entities", config=config)
    return nlp


def found(doc: Doc) -> list[tuple[str, str]]:
    return [(ent.text, ent.label_) for ent in doc.ents]


def test_one_component_is_saved_and_loaded(fake: None, tmp_path: Path) -> None:
    pipe: Any = pipeline().get_pipe("nlpkit_entities")
    pipe.to_disk(tmp_path / "pipe")
    assert pipe.from_disk(tmp_path / "pipe") is pipe.from_bytes(pipe.to_bytes()) is pipe
    again = pickle.loads(pickle.dumps(pipe))
    assert (again.name, again.settings) == (pipe.name, pipe.settings)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n ", []),
        ("Ana foi a Recife", [("Ana", "PER"), ("Recife", "LOC")]),
        ("Cafe\u0301 e Caf\u00e9", [("Cafe\u0301", "PER"), ("Caf\u00e9", "PER")]),
        ("oi \U0001f469\u200d\U0001f467!", [("\U0001f469\u200d\U0001f467", "EMOJI")]),
        ("\U0001f600\U0001f600 Ana", [("Ana", "PER")]),
        ("na casaAna e", [("casaAna", "PER")]),  # the token is longer
        ("o AnaRecife e", [("AnaRecife", "PER")]),  # two entities in one token
    ],
)
def test_hard_texts(fake: None, text: str, expected: list[tuple[str, str]]) -> None:
    (doc,) = pipeline().pipe([text])
    assert doc.text == text
    assert found(doc) == expected
    assert all(ent._.nlpkit_score in (SURE, UNSURE) for ent in doc.ents)
    assert doc.has_annotation("ENT_IOB")


def test_documents_of_words_are_annotated(fake: None) -> None:
    nlp = pipeline()
    doc = nlp(Doc(nlp.vocab, words=["Ana", ",", "Recife"], spaces=[False, True, False]))
    assert found(doc) == [("Ana", "PER"), ("Recife", "LOC")]
    assert doc[0].ent_iob_ == "B" and doc[1].ent_iob_ == "O"
    assert found(nlp(Doc(nlp.vocab))) == []


@pytest.mark.parametrize(
    ("overwrite", "expected"),
    [
        (False, [("Ana Bia", "BAND"), ("Recife", "LOC"), ("hoje", "DATE")]),
        (True, [("Ana", "PER"), ("Bia", "PER"), ("Recife", "LOC"), ("hoje", "DATE")]),
    ],
)
def test_entities_of_earlier_components(
    fake: None, overwrite: bool, expected: list[tuple[str, str]]
) -> None:
    nlp = pipeline(overwrite_ents=overwrite)
    rules: Any = nlp.add_pipe("entity_ruler", first=True)
    rules.add_patterns(
        [{"label": "BAND", "pattern": "Ana Bia"}, {"label": "DATE", "pattern": "hoje"}]
    )
    doc = nlp("Ana Bia em Recife hoje")
    assert found(doc) == expected
    assert [ent._.nlpkit_score for ent in doc.ents][-2:] == [UNSURE, None]
    assert found(nlp(doc)) == expected  # a second time


def test_types_and_scores_choose_entities(fake: None) -> None:
    text = "Ana foi a Recife"
    assert found(pipeline(types=["LOC"])(text)) == [("Recife", "LOC")]
    assert found(pipeline(min_confidence=0.5)(text)) == [("Ana", "PER")]
    assert pipeline(types=["LOC"]).pipe_labels == {"nlpkit_entities": ["LOC"]}


def test_the_model_gets_whole_batches(fake: None) -> None:
    assert len(list(pipeline().pipe(["Ana"] * 10, batch_size=4))) == 10
    assert BATCHES == [4, 4, 2]


def test_the_error_handler_gets_the_batch(fake: None) -> None:
    nlp, dropped = pipeline(), list[str]()
    with pytest.raises(ValueError, match="broken"):
        nlp("broken")
    nlp.set_error_handler(lambda name, pipe, docs, problem: dropped.extend(map(str, docs)))
    texts = ["Ana", "broken", "Bia", "Recife"]
    assert [doc.text for doc in nlp.pipe(texts, batch_size=2)] == ["Bia", "Recife"]
    assert dropped == ["Ana", "broken"]


def test_the_language_chooses_the_default_model(fake: None, tmp_path: Path) -> None:
    assert pipeline("en", threads=1).pipe_names == ["nlpkit_entities"]
    pipeline("pt", device="cpu").to_disk(tmp_path / "saved")
    spacy.load(tmp_path / "saved")
    assert [name for name, _ in LOADED] == ["entities-en", "entities-pt", "entities-pt"]
    assert LOADED[0][1] == {"device": "auto", "precision": "auto", "threads": 1}
    assert LOADED[2][1]["device"] == "cpu"
    with pytest.raises(UsageError, match="no default model for the language 'de'; name one"):
        pipeline("de")
    assert found(pipeline("de", model="entities-pt")("Ana")) == [("Ana", "PER")]


@pytest.mark.parametrize(
    ("factory", "config", "problem", "said"),
    [
        ("nlpkit_entities", {"model": "sentiment"}, ModelError, "finds no entities"),
        ("nlpkit_entities", {"model": "entitie"}, ModelError, "no model 'entitie'"),
        ("nlpkit_sentiment", {"model": "tagger-pt"}, ModelError, "gives no labels"),
        ("nlpkit_sentiment", {"min_confidence": 3.0}, UsageError, "a number from 0 to 1"),
    ],
)
def test_wrong_settings_are_refused_at_once(
    factory: str, config: dict[str, Any], problem: type[Exception], said: str
) -> None:
    with pytest.raises(problem, match=said) as caught:
        spacy.blank("pt").add_pipe(factory, config=config)
    assert "\n" not in str(caught.value)


def test_an_unknown_type_is_refused(fake: None) -> None:
    with pytest.raises(UsageError, match="types PERS: .* has no such type. Did you mean 'PER'?"):
        pipeline(types=["PERS"])


def test_a_forked_process_loads_the_model_again(
    fake: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe: Any = pipeline().get_pipe("nlpkit_entities")
    first = pipe.model
    assert pipe.model is first
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert pipe.model is not first and pipe.model is pipe.model
    assert spacy_components._inherited[-1] is first  # deleting it would wait for its threads
    assert len(LOADED) == 2


def test_nlp_evaluate_scores_the_entities(fake: None) -> None:
    nlp = pipeline()
    spans = {"entities": [(0, 3, "PER"), (6, 9, "PER")]}
    example = Example.from_dict(nlp.make_doc("Ana e Eva"), spans)
    scores = nlp.evaluate([example])
    assert (scores["ents_p"], scores["ents_r"]) == (1.0, 0.5)
