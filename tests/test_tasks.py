"""The contract of tasks, tested for every task in the catalogue and in the test plugin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Cli, write_jsonl
from task_examples import EXAMPLES

import nlpkit
from nlpkit import catalog, metrics, tasks
from nlpkit.answers import Spans
from nlpkit.jobs.evaluate import evaluate
from nlpkit.jobs.export import export
from nlpkit.records.answered import annotated
from nlpkit.settings import recipe
from nlpkit.text.unicode import visible
from nlpkit.text.windows import Truncate
from nlpkit.training import run
from nlpkit.training.opened import open_run

FORMATS = [name for name in catalog.names("formats") if name not in ("lines", "conllu", "spacy")]


@pytest.fixture(scope="module", params=EXAMPLES)
def trained(request: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The name of an example and a folder with its data, its trained run and its bundle."""
    name, folder = request.param, tmp_path_factory.mktemp(request.param)
    example = EXAMPLES[name]
    for split, count, seed in (("train", example.count, 1), ("dev", 60, 2), ("test", 40, 3)):
        write_jsonl(folder / f"{split}.jsonl", example.rows(count, seed))
    built = recipe.from_dict(example.tree(name), folder=folder, where="test")
    run.train(built, folder / "run", device="cpu", resume=False, listener=lambda event: None)
    export(str(folder / "run"), folder / "out", overrides=[], listener=lambda report: None)
    return name, folder


def test_every_task_has_an_example() -> None:
    assert {example.task or name for name, example in EXAMPLES.items()} == {*catalog.names("tasks")}


def documents(trained: tuple[str, Path], count: int = 30) -> list[Any]:
    return EXAMPLES[trained[0]].documents(count, 3)


def is_good(name: str, task: Any, scores: dict[str, float]) -> bool:
    """Return whether the task's score is at least as good as the example says."""
    score, good = scores[task.score], EXAMPLES[name].good
    return score < good if metrics.minimised(task.score) else score > good


def as_line(document: Any) -> str:
    return document if isinstance(document, str) else " ".join(document)


def test_task_learns_its_examples(trained: tuple[str, Path]) -> None:
    name, folder = trained
    summary = json.loads((folder / "run/run.json").read_text(encoding="utf-8"))
    task = tasks.build(summary["task"])
    example = EXAMPLES[name]
    assert {"name": example.task or name} | task.describe() == summary["task"]
    assert isinstance(summary["dev"][task.score], float)
    assert is_good(name, task, summary["dev"])


def test_torch_and_onnx_give_equal_answers(trained: tuple[str, Path]) -> None:
    _, folder = trained
    torch_model, *_ = open_run(folder / "run")
    onnx_model = nlpkit.load(str(folder / "out"), device="cpu", precision="fp32")
    ours, theirs = (model.predict(documents(trained)) for model in (torch_model, onnx_model))
    assert [answer.matches(other) for answer, other in zip(ours, theirs, strict=True)] == [
        (parts, parts) for _, parts in (answer.matches(answer) for answer in ours)
    ]
    assert {signature for signature in onnx_model.run.signatures} == set(torch_model.task.graphs)


def test_answers_do_not_depend_on_the_batch(trained: tuple[str, Path]) -> None:
    model = nlpkit.load(str(trained[1] / "out"), device="cpu")
    together = model.predict(documents(trained))
    assert together == [model.predict([document])[0] for document in documents(trained)]


def test_empty_document_has_no_answer(trained: tuple[str, Path]) -> None:
    model = nlpkit.load(str(trained[1] / "out"), device="cpu")
    first = documents(trained)[0]
    assert model.predict([first[:0], first])[0] is None


def test_answers_are_of_the_declared_kind(trained: tuple[str, Path]) -> None:
    name, folder = trained
    model = nlpkit.load(str(folder / "out"), device="cpu")
    kind = model.task.answers
    assert nlpkit.zoo.answers_of(str(folder / "out")) is kind
    for answer in model.predict(documents(trained)):
        assert isinstance(answer, kind)
        assert len(answer.cells()) == len(kind.fields())
        json.dumps(kind.values(answer, "mine"))
        assert metrics.measure(kind, [answer], [answer])["n"] > 0
    assert set(kind.values(None)) >= set(kind.fields()), name


def test_spans_point_into_the_text_of_the_record(trained: tuple[str, Path]) -> None:
    model = nlpkit.load(str(trained[1] / "out"), device="cpu")
    if not issubclass(model.task.answers, Spans):
        return
    words = [[f"{word[0]}\u200b{word[1:]}\u0301" for word in d.split()] for d in documents(trained)]
    texts = ["\ufeff" + " \xad".join(row) for row in words]
    shown = model.predict([visible(text) for text in texts])
    assert sum(len(answer.spans) for answer in shown) > 9
    for text, answer, right in zip(texts, model.predict(texts), shown, strict=True):
        pieces = [text[span.start : span.end] for span in answer.spans]
        assert pieces == [span.text for span in answer.spans]
        assert [visible(piece) for piece in pieces] == [span.text for span in right.spans]
        assert not {"\ufeff", "\xad"} & {end for piece in pieces for end in (piece[0], piece[-1])}


@pytest.mark.parametrize("format", FORMATS)
def test_predict_writes_the_format(
    trained: tuple[str, Path], format: str, quick_cli: Cli, tmp_path: Path
) -> None:
    lines = [as_line(document) for document in documents(trained, 5)]
    (tmp_path / "in.txt").write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    done = quick_cli("predict", "-m", trained[1] / "out", "in.txt", "-o", f"out.{format}")
    holds = getattr(catalog.load("formats", format), "HOLDS", None)
    if holds and not set(nlpkit.zoo.answers_of(str(trained[1] / "out")).fields()) <= {*holds}:
        assert done.returncode == 2 and f"{format} holds {holds[0]}".encode() in done.stderr
        return
    assert (done.returncode, done.stderr) == (0, b"")
    from nlpkit.records import Source, open_input, read

    with open_input(tmp_path / f"out.{format}") as stream:
        if format == "tsv":
            written = stream.read().decode().splitlines()
        else:
            written = list(read(stream, format, Source("out", column="text")))
    assert len(written) == (5 if format == "conll" else 6)  # CoNLL has no empty sentence


def test_batch_output_is_equal_with_workers_and_after_resume(
    trained: tuple[str, Path], cli: Cli, tmp_path: Path
) -> None:
    _, folder = trained
    rows = [{"text": as_line(document), "id": n} for n, document in enumerate(documents(trained))]
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


def test_truncated_documents_are_counted(
    trained: tuple[str, Path], cli: Cli, tmp_path: Path
) -> None:
    _, folder = trained
    words = as_line(documents(trained)[0]).split(" ")
    (tmp_path / "long.txt").write_text(" ".join(words * 400) + "\nab\n", encoding="utf-8")
    cut = isinstance(nlpkit.load(str(folder / "out"), device="cpu").windows, Truncate)
    done = cli("batch", "long.txt", "-m", folder / "out", "-o", "answered")
    assert done.returncode == 0, done.stderr.decode()
    manifest = json.loads((tmp_path / "answered/manifest.json").read_text(encoding="utf-8"))
    assert [file["truncated"] for file in manifest["files"].values()] == [int(cut)]
    assert (b"1 too long to be read to the end" in done.stderr) == cut
    done = cli("predict", "-m", folder / "out", "long.txt", "-o", "out.tsv")
    assert (b"the rest was not read" in done.stderr) == cut


def test_evaluate_and_compare(trained: tuple[str, Path], quick_cli: Cli) -> None:
    _, folder = trained
    model = nlpkit.load(str(folder / "out"), device="cpu")
    scores = evaluate(model, [str(folder / "test.jsonl")]).scores
    assert is_good(trained[0], model.task, scores)
    shown = quick_cli("evaluate", folder / "out", folder / "test.jsonl")
    assert shown.returncode == 0 and model.task.score in shown.stdout.decode()
    done = quick_cli(
        *("compare", folder / "out", folder / "run", "--data", folder / "test.jsonl"),
        *("--to", "json", "--rounds", "1"),
    )
    assert done.returncode == 0, done.stderr.decode()
    report = json.loads(done.stdout)
    assert report["score"] == model.task.score
    score = report["models"][0][model.task.score]
    assert abs(score - scores[model.task.score]) < 0.05 * EXAMPLES[trained[0]].good


def test_models_verify_and_bench(trained: tuple[str, Path], quick_cli: Cli) -> None:
    name, folder = trained
    done = quick_cli("models", "verify", folder / "out")
    assert done.returncode == 0, done.stderr.decode()
    done = quick_cli(
        "bench", folder / "out", "--seconds", "0.01", "--lengths", "4", "--batches", "2"
    )
    assert done.returncode == 0, done.stderr.decode()
    assert "docs/s" in done.stdout.decode()
    card = (folder / "out/README.md").read_text(encoding="utf-8")
    assert (EXAMPLES[name].task or name).capitalize() in card and "nlpkit predict" in card


def test_init_names_the_columns_of_the_task(quick_cli: Cli, trained: tuple[str, Path]) -> None:
    name, _ = trained
    example = EXAMPLES[name]
    done = quick_cli("init", "recipe", *example.parts(name))
    assert done.returncode == 0, done.stderr.decode()
    source = recipe.from_dict(example.tree(name), folder=Path(), where="test").data.train[0]
    columns = " and ".join(dict.fromkeys([source.text, source.label]))
    first, *_ = done.stdout.decode().splitlines()
    assert first.partition(". Rows need the field")[2] in (f" {columns}.", f"s {columns}.")


def test_interrupted_training_resumes_to_identical_weights(trained: tuple[str, Path]) -> None:
    """Stop after the first epoch, resume, and compare with the uninterrupted run."""
    from safetensors.torch import load_file

    name, folder = trained
    built = recipe.from_dict(EXAMPLES[name].tree(name), folder=folder, where="test")

    def interrupt(event: object) -> None:
        if type(event).__name__ == "EpochEnded":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.train(built, folder / "again", device="cpu", resume=False, listener=interrupt)
    run.train(built, folder / "again", device="cpu", resume=True, listener=lambda event: None)
    one, other = (load_file(folder / f"{name}/model.safetensors") for name in ("run", "again"))
    assert all((one[key] == other[key]).all() for key in one)


def test_old_task_name_still_works_with_a_warning(cli: Cli, tmp_path: Path) -> None:
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
