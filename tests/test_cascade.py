"""Cascades: a fast model and a better one in one bundle."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import ROOT, Cli, Made, corpus, write_jsonl

import nlpkit
from nlpkit import tasks
from nlpkit.answers import Label
from nlpkit.cascade import Rule
from nlpkit.errors import ModelError, UsageError
from nlpkit.jobs import cascade, install
from nlpkit.jobs.evaluate import evaluate, read_labelled
from nlpkit.jobs.judging import Judged

TEXTS = [row["text"] for row in corpus(90, 2)] + ["", "zzz qqq", "🙂"]  # the dev rows


@pytest.fixture(scope="module")
def folder(tiny_bundle: Made, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of a cascade of two tiny models, where half of the dev rows go on."""
    path = tmp_path_factory.mktemp("cascade") / "auto"
    parts = [str(tiny_bundle(name)) for name in ("atnet", "lstm")]
    cascade.build(*parts, [str(data / "dev.jsonl")], path, share=0.5)
    return path


def test_better_model_answers_where_the_fast_one_is_unsure(folder: Path, tiny_bundle: Made) -> None:
    fast, best = (nlpkit.load(str(tiny_bundle(name))) for name in ("atnet", "lstm"))
    model = nlpkit.load(str(folder))
    rule = model.task.rule
    kinds = set()
    for text, answer in zip(TEXTS, model.predict(TEXTS), strict=True):
        one, two = fast.predict(text), best.predict(text)
        if one is None:
            assert answer is None
        elif one.score >= rule.threshold or two is None:
            assert answer == one
            kinds.add("fast")
        else:
            assert answer == rule.mixed(one.scores, two.scores)
            kinds.add("both")
    assert kinds == {"fast", "both"}


def test_answers_do_not_depend_on_the_batch(folder: Path) -> None:
    model = nlpkit.load(str(folder))
    assert model.predict(TEXTS) == [model.predict([text])[0] for text in TEXTS]


def test_mixture_is_a_distribution_and_temperature_softens_it() -> None:
    fast, best = {"a": 0.5, "b": 0.3, "c": 0.2}, {"a": 0.1, "b": 0.9, "c": 0.0}
    plain, soft = (Rule(1, 0.5, heat).mixed(fast, best) for heat in (1.0, 2.0))
    assert plain.label == soft.label == "b"
    assert sum(plain.scores.values()) == pytest.approx(1) == sum(soft.scores.values())
    assert plain.scores == pytest.approx({"a": 0.3, "b": 0.6, "c": 0.1})
    assert soft.score < plain.score


def test_curve_and_share_are_stored_and_reported(folder: Path, data: Path, quick_cli: Cli) -> None:
    done = quick_cli("bench", folder, "--to", "json")
    report = json.loads(done.stdout)
    shares = [point["share"] for point in report["curve"]]
    assert shares == sorted({*cascade.SHARES, 0.5}) and report["share"] == 0.5
    speeds = [point["docs_per_second"] for point in report["curve"]]
    assert speeds == sorted(speeds, reverse=True)
    scores = evaluate(nlpkit.load(str(folder)), [str(data / "dev.jsonl")]).scores
    assert 0 < scores["asked"] < 1
    assert "chosen" in quick_cli("bench", folder).stdout.decode()
    assert install.verify(str(folder)).name == "auto"


def test_models_lists_the_cascade(
    folder: Path, quick_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLPKIT_HOME", str(tmp_path / "home"))
    (tmp_path / "home/bundles").mkdir(parents=True)
    (tmp_path / "home/bundles/auto").symlink_to(folder)
    done = quick_cli("models", "--to", "json")
    entry = next(one for one in json.loads(done.stdout) if one["name"] == "auto")
    assert entry["architecture"] == "cascade" and entry["bytes"] == 0


def test_speed_budget_share_weight_and_size(
    tiny_bundle: Made, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fast model takes 1 ms a document, the better one 10 ms, and the weight 0.67 is best."""
    parts = [str(tiny_bundle(name)) for name in ("atnet", "lstm")]
    fast = nlpkit.load(parts[0])
    monkeypatch.setattr(
        cascade, "_seconds", lambda model, _: 0.001 if model.name == fast.name else 0.01
    )
    monkeypatch.setattr(Judged, "score", lambda _, rule: 1 - abs(rule.weight - 0.67))
    dev = [str(data / "dev.jsonl")]
    built = cascade.build(*parts, dev, tmp_path / "a", budget=1 / 0.0035)
    assert built.point.share == 0.25
    assert [point.share for point in built.curve] == sorted({*cascade.SHARES, 0.25})
    for point in built.curve:
        assert point.docs_per_second == pytest.approx(1 / (0.001 + point.share * 0.01), rel=1e-3)
    assert built.rule.weight == 0.67
    assert cascade.build(*parts, dev, tmp_path / "b").point.share == 0.2
    sizes = [json.loads((Path(part) / "bundle.json").read_text())["parameters"] for part in parts]
    assert json.loads((tmp_path / "a/bundle.json").read_text())["parameters"] == sum(sizes)


@pytest.mark.parametrize(("right", "warmer"), [(0.6, True), (1.0, False)])
def test_files_count_alike_and_the_temperature_fits_the_mixture(
    tmp_path: Path, right: float, warmer: bool
) -> None:
    """The better model says 0.9 for its label, and is right about so many documents."""
    texts = {"one.jsonl": ["a0", "a1"], "two.jsonl": [f"b{number}" for number in range(20)]}
    for name, rows in texts.items():
        write_jsonl(tmp_path / name, [{"text": text, "label": "positive"} for text in rows])
    wrong = {f"b{number}" for number in range(20) if number >= 20 * right}

    def said(label: str, score: float) -> Label:
        rest = dict.fromkeys(classes, (1 - score) / 2)
        return Label(label, score, rest | {label: score})

    classes = ("negative", "neutral", "positive")
    task = tasks.class_of("sentiment")(None, classes)
    fast = SimpleNamespace(
        task=task,
        predict=lambda rows: [
            said("positive" if row in texts["one.jsonl"] else "negative", 0.5) for row in rows
        ],
    )
    best = SimpleNamespace(
        task=task,
        predict=lambda rows: [
            said("negative" if row in wrong else "positive", 0.9) for row in rows
        ],
    )
    files = [
        read_labelled(task, str(tmp_path / name), text=None, label=None, encoding="utf-8")
        for name in texts
    ]
    judged = Judged(fast, best, files)
    assert judged.score(Rule(0.0, 1.0)) == 0.5  # the fast model alone: one file right, one wrong
    assert (judged.temperature(Rule(1.1, 1.0)) > 1) == warmer


def test_budget_chooses_the_share(tiny_bundle: Made, data: Path, tmp_path: Path) -> None:
    parts = [str(tiny_bundle(name)) for name in ("atnet", "lstm")]
    dev = [str(data / "dev.jsonl")]
    assert cascade.build(*parts, dev, tmp_path / "slow", budget=0.001).point.share == 1.0
    with pytest.raises(UsageError, match="lower the budget"):
        cascade.build(*parts, dev, tmp_path / "fast", budget=1e12)
    assert not (tmp_path / "fast").exists()


def test_a_cascade_never_takes_the_place_of_its_models(
    tiny_bundle: Made, data: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(tiny_bundle("bow"), mine)
    before = sorted(mine.iterdir())
    dev = [str(data / "dev.jsonl")]
    with pytest.raises(UsageError, match="take the place"):
        cascade.build(str(tiny_bundle("atnet")), str(mine), dev, mine)
    with pytest.raises(UsageError, match="take the place"):
        cascade.build("sentiment", str(mine), dev, tmp_path / "bundles/sentiment")
    assert sorted(mine.iterdir()) == before
    with pytest.raises(UsageError, match="must be numbers"):
        cascade.build(str(mine), str(mine), dev, tmp_path / "x", share=float("nan"))


def test_a_missing_or_other_model_is_named(
    folder: Path, tiny_bundle: Made, data: Path, tmp_path: Path
) -> None:
    part, auto = tmp_path / "part", tmp_path / "auto"
    shutil.copytree(tiny_bundle("bow"), part)
    cascade.build(str(tiny_bundle("atnet")), str(part), [str(data / "dev.jsonl")], auto)
    shutil.rmtree(part)
    with pytest.raises(ModelError, match="auto: a cascade, of which one model .*part"):
        nlpkit.load(str(auto))
    shutil.copytree(folder, part)
    with pytest.raises(ModelError, match="is a cascade itself"):
        nlpkit.load(str(auto))
    shutil.rmtree(part)
    shutil.copytree(ROOT / "export/base", part)
    with pytest.raises(ModelError, match="labels of no classifier"):
        nlpkit.load(str(auto))


def test_labels_and_columns_of_own_files(
    folder: Path, tiny_bundle: Made, tmp_path: Path, quick_cli: Cli
) -> None:
    rows = [
        {
            "texto": row["text"],
            "nota": {"positive": "Positivo", "negative": "mau"}.get(label, label),
        }
        for row in corpus(60, 2)
        for label in [row["label"]]
    ]
    lines = "\n".join(f'"{row["texto"]}",{row["nota"]}' for row in rows)
    (tmp_path / "own.csv").write_bytes(f"texto,nota\n{lines}\n".encode("cp1252", "replace"))
    own = ["--column", "texto", "--label", "nota", "--rename", "mau=negative"]
    own += ["--encoding", "cp1252"]
    parts = [tiny_bundle(name) for name in ("atnet", "lstm")]
    done = quick_cli("cascade", *parts, "--dev", tmp_path / "own.csv", *own, "-o", tmp_path / "z")
    assert done.returncode == 0, done.stderr
    done = quick_cli("evaluate", folder, tmp_path / "own.csv", *own)
    assert done.returncode == 0, done.stderr


def test_models_that_do_not_fit_are_refused(
    folder: Path, tiny_bundle: Made, data: Path, tmp_path: Path, quick_cli: Cli
) -> None:
    part = str(tiny_bundle("bow"))
    with pytest.raises(UsageError, match="same labels"):
        cascade.build(part, "tagger-pt", [str(data / "dev.jsonl")], tmp_path / "x")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="choose another"):
        cascade.build(part, part, [str(data / "dev.jsonl")], tmp_path / "taken")
    with pytest.raises(UsageError, match="is a cascade itself"):
        cascade.build(str(folder), part, [str(data / "dev.jsonl")], tmp_path / "x")
    done = quick_cli("train", "--init", folder, "--train", data / "train.jsonl", "--dev", "d.jsonl")
    assert done.returncode == 4 and b"start from" in done.stderr
    broken: dict[str, Any] = json.loads((folder / "bundle.json").read_text())
    for key, value in (("threshold", "high"), ("temperature", 0.0), ("best", None)):
        copy = tmp_path / f"broken-{key}"
        copy.mkdir()
        for name in broken["files"]:
            (copy / name).write_bytes((folder / name).read_bytes())
        damaged = broken | {"cascade": broken["cascade"] | {key: value}}
        (copy / "bundle.json").write_text(json.dumps(damaged))
        with pytest.raises(ModelError, match="wrong type"):
            nlpkit.load(str(copy))
    done = quick_cli("cascade", part, part, "--dev", data / "dev.jsonl", "-o", tmp_path / "y")
    assert done.returncode == 0 and b"share asked" in done.stdout
