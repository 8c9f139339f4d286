"""Models and pipelines from Python: iterables of texts, a single string, pickling."""

from __future__ import annotations

import multiprocessing
import pickle
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import Made, environment

import nlpkit

TEXTS = ["adorei o hotel", "odiei a loja", "", "reunião na portaria"]
CHAIN = "clean --lower | tokenize"


@pytest.fixture(scope="module")
def chain() -> Any:
    return nlpkit.pipeline(CHAIN)


def test_a_lone_string_has_one_answer(model: Any, chain: Any) -> None:
    assert model.predict(TEXTS[0]) == model.predict(TEXTS)[0]
    assert model.predict("") is None
    np.testing.assert_array_equal(model.embed(TEXTS[0]), model.embed([TEXTS[0]])[0])
    assert chain(TEXTS[0]) == chain(TEXTS)[0]


@pytest.mark.parametrize(
    "given",
    [
        tuple(TEXTS),
        (text for text in TEXTS),
        dict.fromkeys(TEXTS).keys(),
        np.array(TEXTS),
        np.array(TEXTS, dtype=object),
        [None if text == "" else text for text in TEXTS],
        [float("nan") if text == "" else text for text in TEXTS],
        [np.float32("nan") if text == "" else text for text in TEXTS],
    ],
)
def test_any_iterable_is_answered_in_order(given: Any, model: Any) -> None:
    assert model.predict(given) == model.predict(TEXTS)


def test_a_pipeline_reads_the_same(chain: Any) -> None:
    assert chain(iter(["A B", None, float("nan")])) == [["a", "b"], [], []]
    assert nlpkit.pipeline("clean --lower")([None, "A"]) == ["", "a"]
    assert chain([["A", "B"], ("C", "d")]) == [["a", "b"], ["c", "d"]]


def test_columns_of_pandas_have_an_index_of_their_own(model: Any, chain: Any) -> None:
    pandas = pytest.importorskip("pandas")
    for missing in (None, float("nan"), pandas.NA, pandas.NaT):
        column = pandas.Series(["adorei", missing, "odiei"], index=[7, 3, 7], dtype=object)
        assert model.predict(column) == model.predict(["adorei", "", "odiei"])
        assert chain(column) == [["adorei"], [], ["odiei"]]
    column = pandas.Series(["adorei", None], index=["x", "y"], dtype="string")
    assert model.predict(column)[1] is None
    with pytest.raises(TypeError, match="not DataFrame"):
        model.predict(pandas.DataFrame({"text": TEXTS}))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["bom", b"ruim"], "document 1 is bytes.*decode"),
        (["bom", "ruim", 3], "document 2 is int"),
        ([2.5], "document 0 is float"),
        ([True], "document 0 is bool"),
        (["bom", ["a", None]], "document 1 is list"),
        (b"bom", "not bytes"),
        ({"text": "bom"}, "not dict"),
        (np.array([["bom"]]), "not ndarray"),
    ],
)
def test_what_is_no_text_is_a_type_error_with_its_position(
    given: Any, said: str, model: Any, chain: Any
) -> None:
    for call in (model.predict, model.embed, chain):
        with pytest.raises(TypeError, match=said):
            call(given)


def test_a_pickled_model_is_loaded_anew_with_its_options(
    tiny_bundle: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_bundle("atnet")
    monkeypatch.chdir(folder.parent)
    model = nlpkit.load(folder.name, device="cpu", precision="fp32", threads=1)
    pickled = pickle.dumps(model)
    monkeypatch.chdir("/")  # its path is absolute
    again = pickle.loads(pickled)
    assert again.predict(TEXTS) == model.predict(TEXTS)
    assert again.reopen.keywords == {"device": "cpu", "precision": "fp32", "threads": 1}


def test_a_model_that_was_changed_says_that_it_cannot_be_pickled(model: Any) -> None:
    with pytest.raises(TypeError, match="only models that nlpkit.load returned"):
        pickle.dumps(replace(model, budget=64))


def test_a_pickled_pipeline_builds_its_steps_anew(chain: Any) -> None:
    assert pickle.loads(pickle.dumps(chain))(TEXTS) == chain(TEXTS)


def test_models_and_pipelines_go_to_other_processes(model: Any, chain: Any) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(model.predict, [TEXTS]) == [model.predict(TEXTS)]
        assert pool.map(chain, [TEXTS]) == [chain(TEXTS)]


def test_pandas_is_not_imported_for_missing_values(tiny_bundle: Made) -> None:
    code = (
        "import sys, nlpkit; m = nlpkit.load(sys.argv[1], device='cpu'); "
        "assert m.predict([None, float('nan')]) == [None, None]; assert 'pandas' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tiny_bundle("atnet"))], env=environment(), check=True
    )
