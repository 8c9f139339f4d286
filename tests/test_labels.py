"""What a label may be, where a bad one stands, other names for labels, and sets of one label."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Cli, Made, corpus, tiny_tree, write_jsonl
from debug_data_helpers import found, here as here, places

from nlpkit import tasks
from nlpkit.errors import InputError, Note, UsageError
from nlpkit.records.rows import label_of, read_rows
from nlpkit.settings import declaration, recipe as recipes
from nlpkit.tasks import sentiment
from nlpkit.training import data

BAD = [float("nan"), 2.5, float("inf"), ["1"], {"a": 1}]
PORTUGUESE = {"negative": "negativo", "neutral": "Neutro", "positive": "POSITIVO"}


def rows_with(label: Any) -> list[dict[str, Any]]:
    return [
        {"text": "bom um", "label": "a"},
        {"text": "bom dois", "label": "b"},
        {"text": "ruim", "label": label},
    ]


def recipe_of(**sections: Any) -> Any:
    tree = tiny_tree("bow") | {"task": {"name": "classify"}} | sections
    return recipes.from_dict(tree, folder=Path.cwd(), where="test")


def load(recipe: Any) -> Any:
    return data.load(recipe, tasks.class_of(recipe.task.name))


@pytest.mark.parametrize(
    ("value", "text"),
    [("4.0", "4.0"), (4, "4"), (4.0, "4"), (-0.0, "0"), (0, "0"), (True, "True"), ("não", "não")],
)
def test_texts_integers_and_booleans_are_labels(value: Any, text: str) -> None:
    assert label_of(value) == text


@pytest.mark.parametrize("value", BAD)
def test_anything_else_is_an_error_with_its_line(value: Any) -> None:
    with pytest.raises(InputError, match="a label is a text, an integer or a boolean"):
        label_of(value)
    write_jsonl(Path("train.jsonl"), rows_with(value))
    write_jsonl(Path("dev.jsonl"), [{"text": "outra coisa", "label": "a"}])
    with pytest.raises(InputError, match="train.jsonl:3: the label is "):
        load(recipe_of())


def test_rows_with_an_empty_text_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [{"text": text, "label": "a"} for text in ("um", "", "dois", "  ")]
    path = write_jsonl(tmp_path / "some.jsonl", rows)
    with pytest.warns(Note, match=r"some.jsonl: 2 rows with an empty 'text' left out$"):
        assert len(read_rows(str(path), text="text", label="label")) == 2


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_label_has_its_line_past_blank_lines(value: Any) -> None:
    lines = [json.dumps(row) for row in rows_with(value)]
    Path("a b.jsonl").write_text("\n".join([lines[0], "", *lines[1:]]))
    with pytest.raises(InputError, match="'a b.jsonl:4': its 'label' is empty"):
        read_rows("a b.jsonl", text="text", label="label")


def test_rows_of_tables_and_of_parquet_say_where_they_stand() -> None:
    Path("a.csv").write_text('text,label\n"um\ndois",x\ntrês,\n')
    with pytest.raises(InputError, match="a.csv:4: its 'label'"):
        read_rows("a.csv", text="text", label="label")
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    columns = {"text": ["um", "dois", "três"], "label": [4.0, 5.0, float("nan")]}
    parquet.write_table(arrow.table(columns), "a.parquet")
    rows = read_rows("a.parquet", text="text", label="label")
    assert [label_of(row.fields["label"]) for row in rows[:2]] == ["4", "5"]
    assert rows[2].where == "a.parquet: row 3"


@pytest.mark.parametrize("value", BAD)
def test_debug_data_lists_every_bad_label(value: Any) -> None:
    write_jsonl(Path("a.jsonl"), rows_with(value) * 2)
    finding = found("a.jsonl")["bad-label"]
    assert (finding["severity"], finding["count"]) == ("error", 2)
    assert places(finding) == ["a.jsonl:3", "a.jsonl:6"]


def test_debug_data_leaves_tags_in_peace() -> None:
    write_jsonl(Path("a.jsonl"), [{"text": ["Gato", "dorme"], "label": ["NOUN", "VERB"]}])
    assert "bad-label" not in found("a.jsonl")


def test_sentiment_knows_portuguese_names_in_any_case() -> None:
    for english, name in PORTUGUESE.items():
        assert sentiment.Task.label_of(name) == english
    assert sentiment.Task.label_of(" Positive ") == "positive"


def test_a_file_with_portuguese_labels_is_learned_and_checked() -> None:
    for name, size, seed in (("train", 200, 1), ("dev", 60, 2)):
        rows = [row | {"label": PORTUGUESE[row["label"]]} for row in corpus(size, seed)]
        write_jsonl(Path(f"{name}.jsonl"), rows)
    recipe = recipe_of(task={"name": "sentiment"})
    task, train, dev = load(recipe)
    assert tuple(train.files[0].labels) == task.labels == sentiment.LABELS
    assert {gold.label for gold in dev.golds} == set(sentiment.LABELS)
    Path("recipe.toml").write_text(declaration.toml(recipe.to_dict()))
    assert "unknown" not in found("recipe.toml")


def test_a_source_renames_labels_and_keeps_the_names_in_the_run() -> None:
    write_jsonl(Path("train.jsonl"), rows_with("não sei") + rows_with(4.0))
    write_jsonl(Path("dev.jsonl"), [{"text": "outra coisa", "label": "b"}])
    names = {"não sei": "c", "4.0": "c", "b": "c"}
    sources: dict[str, Any] = {"train": [{"path": "train.jsonl", "labels": names}]}
    with pytest.raises(InputError, match="dev.jsonl:1: unknown label 'b'.*labels = "):
        load(recipe_of(data=sources | {"dev": ["dev.jsonl"]}))
    recipe = recipe_of(data=sources | {"dev": [{"path": "dev.jsonl", "labels": names}]})
    assert load(recipe)[0].labels == ("a", "c")
    Path("recipe.toml").write_text(declaration.toml(recipe.to_dict()))
    assert recipes.load(Path("recipe.toml")).data == recipe.data


def test_names_of_labels_are_texts() -> None:
    for names in ({"a": 3}, "a", ["a"]):
        with pytest.raises(UsageError, match="must be a table of texts"):
            recipe_of(data={"train": [{"path": "train.jsonl", "labels": names}]})


def test_an_unknown_label_says_what_to_do(cli: Cli, tiny_bundle: Made, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"text": "bom", "label": "misto"}])
    done = cli("evaluate", tiny_bundle("atnet"), "a.jsonl")
    assert done.returncode == 3 and b"a.jsonl:1: unknown label 'misto'." in done.stderr
    assert b"--task classify" in done.stderr and b"labels = {" in done.stderr


def test_evaluate_warns_where_all_rows_have_one_label(
    cli: Cli, tiny_bundle: Made, tmp_path: Path
) -> None:
    rows = [row | {"label": "positive"} for row in corpus(5, 1)]
    write_jsonl(tmp_path / "one.jsonl", rows)
    done = cli("evaluate", tiny_bundle("atnet"), "one.jsonl", "--to", "json")
    assert done.returncode == 0 and json.loads(done.stdout)["n"] == 5
    assert b"every scored row has the label 'positive'" in done.stderr
    write_jsonl(tmp_path / "two.jsonl", [*rows, {"text": "odiei", "label": "negative"}])
    assert cli("evaluate", tiny_bundle("atnet"), "two.jsonl", "--to", "json").stderr == b""


def test_evaluate_notes_that_the_label_may_be_an_answer(
    cli: Cli, tiny_bundle: Made, tmp_path: Path
) -> None:
    rows = corpus(5, 1)
    for name, more in (("gold", {}), ("answers", {"score": 0.9})):
        write_jsonl(tmp_path / f"{name}.jsonl", [row | more for row in rows])
    model = tiny_bundle("atnet")
    assert cli("evaluate", model, "gold.jsonl").stderr == b""
    assert cli("evaluate", model, "answers.jsonl", "--label", "label").stderr == b""
    for command in (("evaluate", model), ("compare", model, "rules", "--data")):
        done = cli(*command, "answers.jsonl")
        assert done.returncode == 0
        assert (
            done.stderr.decode().count(
                "answers.jsonl: its 'label' and 'score' may be answers of nlpkit; "
                "--label names the column of the right answers\n"
            )
            == 1
        )


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["", "positive"], "a.csv:3: its 'label' is empty; label it or leave it out"),
        (["", ""], "a.csv:3: its 'label' is empty, as in 1 more row; label them or leave them out"),
        ([""] * 1500, "a.csv:3: its 'label' is empty, as in 1,499 more rows; label them or"),
    ],
)
def test_rows_without_a_label_are_counted(labels: list[str], said: str, tmp_path: Path) -> None:
    lines = ["text,label", "bom,positive", *(f"bom,{label}" for label in labels), ","]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match=re.escape(said)):
        read_rows(str(tmp_path / "a.csv"), text="text", label="label")


def test_train_warns_where_dev_has_one_label(tmp_path: Path) -> None:
    from nlpkit.training import run
    from nlpkit.training.events import Warned

    write_jsonl(Path("train.jsonl"), corpus(60, 1))
    write_jsonl(Path("dev.jsonl"), [{"text": f"odiei {n}", "label": "negative"} for n in range(4)])
    events: list[Any] = []
    recipe = recipe_of(task={"name": "sentiment"}, train={"epochs": 1, "threads": 1})
    run.train(recipe, tmp_path / "run", device="cpu", resume=False, listener=events.append)
    (warned,) = [event for event in events if isinstance(event, Warned)]
    assert warned.message.startswith("dev: every scored row has the label 'negative'")


def test_evaluate_renames_labels(cli: Cli, tiny_bundle: Made, tmp_path: Path) -> None:
    (tmp_path / "stars.csv").write_text("text,stars\nadorei,5\nodiei,1\nok,3\n")
    command = ("evaluate", tiny_bundle("bow"), "stars.csv", "--label", "stars")
    names = ("--rename", "5=positive", "--rename", "1=negative", "--rename", "3=neutral")
    done = cli(*command, *names, "--to", "json")
    assert done.returncode == 0, done.stderr
    assert {"positive", "neutral"} <= set(json.loads(done.stdout)["per_class"])
    assert b"unknown label '3'" in cli(*command, *names[:4]).stderr
    assert b"--rename 5: give OLD=NEW" in cli(*command, "--rename", "5").stderr
