"""Contracts that every task keeps, those of another package too, found by the catalogue."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Cli, write_jsonl
from task_examples import EXAMPLES

import nlpkit
from nlpkit import catalog, metrics, tasks
from nlpkit.jobs.evaluate import evaluate
from nlpkit.jobs.export import export
from nlpkit.records.answered import annotated
from nlpkit.settings import recipe
from nlpkit.text.windows import Truncate
from nlpkit.training import run
from nlpkit.training.opened import open_run

TASKS = catalog.names("tasks")
FORMATS = [name for name in catalog.names("formats") if name not in ("lines", "conllu")]


@pytest.fixture(scope="module", params=TASKS)
def made(request: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A task's name, and a folder with its data, its trained run and its bundle."""
    name, folder = request.param, tmp_path_factory.mktemp(request.param)
    example = EXAMPLES[name]
    for split, count, seed in (("train", example.count, 1), ("dev", 60, 2), ("test", 40, 3)):
        write_jsonl(folder / f"{split}.jsonl", example.rows(count, seed))
    built = recipe.from_dict(example.tree(name), folder=folder, where="test")
    run.train(built, folder / "run", device="cpu", resume=False, listener=lambda event: None)
    export(str(folder / "run"), folder / "out", overrides=[], listener=lambda report: None)
    return name, folder


def documents(made: tuple[str, Path], count: int = 30) -> list[Any]:
    return EXAMPLES[made[0]].documents(count, 3)


def as_line(document: Any) -> str:
    return document if isinstance(document, str) else " ".join(document)


def test_it_learns_its_tiny_examples(made: tuple[str, Path]) -> None:
    name, folder = made
    summary = json.loads((folder / "run/run.json").read_text(encoding="utf-8"))
    task = tasks.build(summary["task"])
    assert {"name": name} | task.describe() == summary["task"]
    assert isinstance(summary["dev"][task.score], float)
    assert summary["dev"][task.score] > 0.8


def test_torch_and_onnx_answer_alike(made: tuple[str, Path]) -> None:
    _, folder = made
    torch_model, *_ = open_run(folder / "run")
    onnx_model = nlpkit.load(str(folder / "out"), device="cpu", precision="fp32")
    ours, theirs = (model.predict(documents(made)) for model in (torch_model, onnx_model))
    assert [answer.matches(other) for answer, other in zip(ours, theirs, strict=True)] == [
        (parts, parts) for _, parts in (answer.matches(answer) for answer in ours)
    ]
    assert {signature for signature in onnx_model.run.signatures} == set(torch_model.task.graphs)


def test_a_document_alone_is_answered_as_in_company(made: tuple[str, Path]) -> None:
    model = nlpkit.load(str(made[1] / "out"), device="cpu")
    together = model.predict(documents(made))
    assert together == [model.predict([document])[0] for document in documents(made)]


def test_a_document_without_tokens_has_no_answer(made: tuple[str, Path]) -> None:
    model = nlpkit.load(str(made[1] / "out"), device="cpu")
    first = documents(made)[0]
    assert model.predict([first[:0], first])[0] is None


def test_answers_are_of_the_kind_that_the_task_declares(made: tuple[str, Path]) -> None:
    name, folder = made
    model = nlpkit.load(str(folder / "out"), device="cpu")
    kind = model.task.answers
    assert nlpkit.zoo.answers_of(str(folder / "out")) is kind
    for answer in model.predict(documents(made)):
        assert isinstance(answer, kind)
        assert len(answer.cells()) == len(kind.fields())
        json.dumps(kind.values(answer, "mine"))
        assert metrics.measure(kind, [answer], [answer])["n"] > 0
    assert set(kind.values(None)) >= set(kind.fields()), name


@pytest.mark.parametrize("format", FORMATS)
def test_predict_writes_every_format(
    made: tuple[str, Path], format: str, cli: Cli, tmp_path: Path
) -> None:
    lines = [as_line(document) for document in documents(made, 5)]
    (tmp_path / "in.txt").write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    done = cli("predict", "-m", made[1] / "out", "in.txt", "-o", f"out.{format}")
    assert (done.returncode, done.stderr) == (0, b"")
    from nlpkit.records import Source, open_input, read

    with open_input(tmp_path / f"out.{format}") as stream:
        if format == "tsv":
            written = stream.read().decode().splitlines()
        else:
            written = list(read(stream, format, Source("out", column="text")))
    assert len(written) == (5 if format == "xlsx" else 6)  # an empty row of a sheet is no record


def test_batch_is_resumed_by_workers(made: tuple[str, Path], cli: Cli, tmp_path: Path) -> None:
    _, folder = made
    rows = [{"text": as_line(document), "id": n} for n, document in enumerate(documents(made))]
    (tmp_path / "in").mkdir()
    for part in ("a", "b"):
        write_jsonl(tmp_path / f"in/{part}.jsonl", rows)
    options = ("batch", "in", "-m", folder / "out", "-q", "--shard-size", "10")
    assert cli(*options, "-o", "one").returncode == 0
    assert cli(*options, "-o", "two", "-w", "2").returncode == 0
    (tmp_path / "two/b.jsonl").unlink()
    assert cli(*options, "-o", "two", "--resume").returncode == 0
    contents = [(tmp_path / f"{batch}/b.jsonl").read_bytes() for batch in ("one", "two")]
    assert contents[0] == contents[1]
    model = nlpkit.load(str(folder / "out"), device="cpu")
    from nlpkit.records.answered import Answered

    said = zip(rows, model.predict([row["text"] for row in rows]), strict=True)
    expected = [
        annotated(Answered(row, row["text"], answer), model.task.answers, None, nested=True)
        for row, answer in said
    ]
    assert [json.loads(line) for line in contents[0].splitlines()] == json.loads(
        json.dumps(expected)
    )


def test_a_document_that_is_not_read_to_its_end_is_counted(
    made: tuple[str, Path], cli: Cli, tmp_path: Path
) -> None:
    _, folder = made
    words = as_line(documents(made)[0]).split(" ")
    (tmp_path / "long.txt").write_text(" ".join(words * 400) + "\nab\n", encoding="utf-8")
    cut = isinstance(nlpkit.load(str(folder / "out"), device="cpu").windows, Truncate)
    done = cli("batch", "long.txt", "-m", folder / "out", "-o", "answered")
    assert done.returncode == 0, done.stderr.decode()
    manifest = json.loads((tmp_path / "answered/manifest.json").read_text(encoding="utf-8"))
    assert [file["truncated"] for file in manifest["files"].values()] == [int(cut)]
    assert (b"1 too long to be read to the end" in done.stderr) == cut
    done = cli("predict", "-m", folder / "out", "long.txt", "-o", "out.tsv")
    assert (b"the rest was not read" in done.stderr) == cut


def test_evaluate_and_compare_score_it(made: tuple[str, Path], cli: Cli) -> None:
    _, folder = made
    model = nlpkit.load(str(folder / "out"), device="cpu")
    scores = evaluate(model, [str(folder / "test.jsonl")]).scores
    assert scores[model.task.score] > 0.8
    shown = cli("evaluate", folder / "out", folder / "test.jsonl")
    assert shown.returncode == 0 and model.task.score in shown.stdout.decode()
    done = cli(
        *("compare", folder / "out", folder / "run", "--data", folder / "test.jsonl"),
        *("--to", "json", "--rounds", "1"),
    )
    assert done.returncode == 0, done.stderr.decode()
    report = json.loads(done.stdout)
    assert report["score"] == model.task.score
    assert abs(report["models"][0][model.task.score] - scores[model.task.score]) < 0.05


def test_models_verify_and_bench_know_its_graphs(made: tuple[str, Path], cli: Cli) -> None:
    name, folder = made
    done = cli("models", "verify", folder / "out")
    assert done.returncode == 0, done.stderr.decode()
    done = cli("bench", folder / "out", "--seconds", "0.01", "--lengths", "4", "--batches", "2")
    assert done.returncode == 0, done.stderr.decode()
    assert "docs/s" in done.stdout.decode()
    card = (folder / "out/README.md").read_text(encoding="utf-8")
    assert name.capitalize() in card and "nlpkit predict" in card


def test_a_recipe_of_its_defaults_names_its_columns(cli: Cli, made: tuple[str, Path]) -> None:
    name, _ = made
    done = cli("init", "recipe", "--task", name, "--arch", EXAMPLES[name].architecture)
    columns = tasks.class_of(name).columns
    assert done.returncode == 0, done.stderr.decode()
    assert f"fields {columns.text} and {columns.target}" in done.stdout.decode()


def test_a_killed_training_ends_in_the_same_weights(made: tuple[str, Path]) -> None:
    """Stop after the first epoch, resume, and compare with the run that was never stopped."""
    from safetensors.torch import load_file

    name, folder = made
    built = recipe.from_dict(EXAMPLES[name].tree(name), folder=folder, where="test")

    def interrupt(event: object) -> None:
        if type(event).__name__ == "EpochEnded":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.train(built, folder / "again", device="cpu", resume=False, listener=interrupt)
    run.train(built, folder / "again", device="cpu", resume=True, listener=lambda event: None)
    one, other = (load_file(folder / f"{name}/model.safetensors") for name in ("run", "again"))
    assert all((one[key] == other[key]).all() for key in one)


def test_the_name_of_before_works_with_a_word(cli: Cli, tmp_path: Path) -> None:
    for split, count, seed in (("train", 60, 1), ("dev", 20, 2)):
        write_jsonl(tmp_path / f"{split}.jsonl", EXAMPLES["tag"].rows(count, seed))
    tree = EXAMPLES["tag"].tree("lemma")
    from nlpkit.settings import declaration

    tree["train"]["epochs"] = 1
    (tmp_path / "r.toml").write_text(declaration.toml(tree), encoding="utf-8")
    done = cli("train", "r.toml", "-o", "out", "-q")
    said = done.stderr.decode()
    assert done.returncode == 0, said
    assert said.count('[task] name = "lemma" is called "tag" now') == 1
    assert json.loads((tmp_path / "out/run.json").read_text())["task"]["name"] == "tag"
