"""The models `rules` and `rules-en`: scores of VADER, unusual texts, refused options."""

from __future__ import annotations

import importlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT

import nlpkit
from nlpkit import zoo
from nlpkit.errors import DeviceError, MissingExtra, ModelError, UsageError
from nlpkit.jobs.models import bundles
from nlpkit.runtime import onepass, rules
from nlpkit.runtime.model import Model
from nlpkit.tasks.sentiment import LABELS, Config, Task
from nlpkit.text.windows import Slide

Cli = Callable[..., subprocess.CompletedProcess[bytes]]
INSTALLED = pytest.mark.skipif(len(rules.installed()) < 2, reason="needs the extra rules")


def model_of(compound: Callable[[str], float]) -> Model:
    """Return a model whose rules are the given function."""
    return Model(
        name="ours",
        task=Task(Config(), LABELS),
        tokenizer=rules.Characters(),
        windows=Slide(rules.WINDOW, rules.OVERLAP),
        run=rules.RulesRun(compound),
    )


@pytest.mark.parametrize(
    ("compound", "label"),
    [
        (1.0, "positive"),
        (0.05, "positive"),
        (0.0499, "neutral"),
        (0.0, "neutral"),
        (-0.0499, "neutral"),
        (-0.05, "negative"),
        (-1.0, "negative"),
    ],
)
def test_label_follows_the_thresholds_of_vader(compound: float, label: str) -> None:
    (answer,) = model_of(lambda text: compound).predict(["x"])
    assert answer.label == label == max(answer.scores, key=answer.scores.__getitem__)
    assert sum(answer.scores.values()) == pytest.approx(1)


def test_rules_receive_texts_unchanged_and_no_empty_ones() -> None:
    texts = ["bom", "", " \t\n", "não\ud800 é 😀", "a b"]
    seen: list[str] = []
    answers = model_of(lambda text: seen.append(text) or 0.0).predict([*texts, ["de", "palavras"]])
    assert sorted(seen) == sorted(["bom", "não\ud800 é 😀", "a b", "de palavras"])
    assert [answer is None for answer in answers] == [False, True, True, False, False, False]


def test_long_document_is_the_mean_of_its_windows() -> None:
    text = "+" * rules.WINDOW + "-" * (rules.WINDOW - rules.OVERLAP)
    longest: list[int] = []

    def compound(piece: str) -> float:
        longest.append(len(piece))
        return (piece.count("+") - piece.count("-")) / len(piece)

    (output,) = onepass.outputs(model_of(compound), [text])
    assert max(longest) == rules.WINDOW
    assert output is not None and output[2] == pytest.approx(rules.OVERLAP / rules.WINDOW)


@INSTALLED
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # importing LeIA leaves files open
def test_scores_equal_those_of_the_packages() -> None:
    for name, texts in {
        "rules": ["O filme é muito bom!", "Não gostei, péssimo atendimento", "Terça-feira"],
        "rules-en": ["VADER is smart, handsome, and funny!", "Not good :(", "Tuesday", "😀"],
    }.items():
        source = rules.SOURCES[name]
        module = importlib.import_module(f"{source.package}.{source.module}")
        analyzer = module.SentimentIntensityAnalyzer()
        model = nlpkit.load(name)
        for text, output in zip(texts, onepass.outputs(model, texts), strict=True):
            assert output is not None
            assert output[2] == analyzer.polarity_scores(text)["compound"]


@INSTALLED
def test_locale_does_not_matter_and_long_texts_finish(cli: Cli) -> None:
    text = "não foi bom 😀\n\n" + "muito x " * 125_000 + "\n"
    command = ("sentiment", "--model", "rules", "--to", "jsonl")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    answers = [cli(*command, stdin=text.encode(), **env) for env in ({}, plain)]
    assert [done.returncode for done in answers] == [0, 0], answers[1].stderr
    assert answers[0].stdout == answers[1].stdout and answers[0].stdout.count(b"\n") == 3


@INSTALLED
def test_evaluate_and_models_work_with_rules(cli: Cli, data: Path) -> None:
    done = cli("evaluate", "rules", data / "test.jsonl", "--to", "json")
    assert done.returncode == 0, done.stderr
    assert 0 < json.loads(done.stdout)["macro_f1"] < 1
    found = {entry.name: entry.to_dict() for entry in bundles()}
    assert found["rules"]["bytes"] > 10**5 and found["rules-en"]["languages"] == ["en"]
    assert cli("models").returncode == 0


def test_missing_extra_is_one_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "LeIA.py").touch()  # a module of the same name that is not the package
    done = cli("sentiment", "--model", "rules", stdin=b"bom\n", PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert done.returncode == MissingExtra.exit_code and done.stdout == b""
    assert b"pip install -c constraints.txt" in done.stderr and b"'.[rules]'" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_options_of_networks_are_refused() -> None:
    with pytest.raises(DeviceError, match="CPU only"):
        nlpkit.load("rules", device="cuda:1")
    with pytest.raises(UsageError, match="no precisions"):
        nlpkit.load("rules", precision="int8")
    with pytest.raises(ModelError, match="a rule-based model"):
        zoo.find_bundle("rules")
    with pytest.raises(ModelError, match="Did you mean 'rules'"):
        nlpkit.load("rulez")
