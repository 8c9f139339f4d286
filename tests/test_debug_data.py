"""nlpkit debug-data on rows and labels: findings, their positions, and no false alarms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Cli, corpus, write_jsonl
from debug_data_helpers import CLEAN, Row, debug_data, found, here as here, places, save

from nlpkit.errors import InputError, UsageError
from nlpkit.settings import recipe as recipes


def test_clean_data_has_no_findings() -> None:
    other: list[Row] = [(f"uma casa de {n} quartos", label) for n, (_, label) in enumerate(CLEAN)]
    report = debug_data([save("train.jsonl", CLEAN), save("dev.jsonl", other)], lang="pt")
    assert report["findings"] == []
    assert report["files"][0] == {
        "file": "train.jsonl",
        "split": "train",
        "rows": 40,
        "used": None,
        "labels": {"no": 20, "yes": 20},
        "words_median": 6,
        "words_95": 6,
    }


def test_near_duplicates_within_a_split_are_reported() -> None:
    rows: list[Row] = [*CLEAN, ("Muito BOM, gostei!", "yes"), ("muito bom gostei", "yes")]
    one = found(save("a.jsonl", rows))
    assert one.keys() == {"repeated"} and one["repeated"]["severity"] == "warning"
    assert one["repeated"]["count"] == 1
    assert places(one["repeated"]) == ["a.jsonl:41", "a.jsonl:42"]


def test_text_in_two_splits_is_a_leak() -> None:
    train, test = (
        save("train.jsonl", CLEAN),
        save("my-test.jsonl", [*CLEAN[5:25], ("Só meu", "no")]),
    )
    (leak,) = [f for f in debug_data([test, train])["findings"] if f["check"] == "leaks"]
    assert (leak["severity"], leak["count"]) == ("error", 20)
    assert "both train and test" in leak["message"]
    assert leak["examples"][0]["places"] == ("train.jsonl:6", "my-test.jsonl:1")


def test_duplicates_between_training_files_are_no_leak() -> None:
    Path("b").mkdir()
    names = [save("train.jsonl", CLEAN), save("b/train.jsonl", CLEAN[:3])]
    assert found(*names).keys() == {"repeated"}
    assert found(save("one.jsonl", CLEAN), save("two.jsonl", CLEAN)).keys() == {"leaks"}


@pytest.mark.parametrize("split", ["train.jsonl", "dev.jsonl"])
def test_contradicting_labels_are_an_error(split: str) -> None:
    rows: dict[str, list[Row]] = {"train.jsonl": list(CLEAN), "dev.jsonl": []}
    rows["train.jsonl"].append(("Não sei.", "yes"))
    rows[split] += [("não sei", "no"), ("NÃO SEI", "yes")]
    rows["dev.jsonl"] += [(f"{n} {n} {n}", label) for n, (_, label) in enumerate(CLEAN)]
    one = found(*(save(name, of_split) for name, of_split in rows.items()))["contradictions"]
    assert (one["severity"], one["count"]) == ("error", 1)
    assert one["examples"][0]["note"] == "yes, no"
    assert places(one)[0] == "train.jsonl:41"


def test_missing_labels_and_empty_texts_are_counted_separately() -> None:
    rows = [{"text": text, "label": label} for text, label in CLEAN]
    rows += [
        {"text": "sem campo"},
        {"text": "nulo", "label": None},
        {"text": "em branco", "label": " "},
    ]
    rows += [
        {"text": "", "label": None},
        {"text": " \t", "label": "yes"},
        {"text": None, "label": "no"},
    ]
    write_jsonl(Path("a.jsonl"), rows)
    one = found("a.jsonl", show=9)
    assert places(one["missing"]) == ["a.jsonl:41", "a.jsonl:42", "a.jsonl:43"]
    assert places(one["empty"]) == ["a.jsonl:44", "a.jsonl:45", "a.jsonl:46"]
    assert [one[check]["severity"] for check in one] == ["error", "warning"]


def test_unlabelled_file_is_an_error_only_with_an_explicit_label_column() -> None:
    Path("raw.txt").write_text("um\ndois\n\ntrês\n", encoding="utf-8")
    assert [f["severity"] for f in found("raw.txt").values()] == ["warning", "info"]
    assert found("raw.txt")["unlabelled"]["mend"].endswith("--label: text")
    write_jsonl(Path("a.jsonl"), [{"text": "um", "sentiment": "x"}])
    with pytest.raises(InputError, match="no field 'sentimento'. Did you mean 'sentiment'"):
        debug_data(["a.jsonl"], label="sentimento")


def test_zero_and_false_are_labels() -> None:
    rows: list[Row] = [(f"texto {n}", n % 2) for n in range(40)]
    assert found(save("a.jsonl", rows)) == {}
    assert debug_data(["a.jsonl"])["files"][0]["labels"] == {"0": 20, "1": 20}


def test_one_sided_rare_and_variant_labels_are_reported() -> None:
    train: list[Row] = [
        *CLEAN,
        *((f"talvez {n}", "maybe") for n in range(3)),
        ("quem sabe", "Yes "),
    ]
    dev: list[Row] = [(f"{n} coisas", "yes" if n % 2 else "no") for n in range(30)]
    one = found(save("train.jsonl", train), save("dev.jsonl", dev))
    assert one["one-sided"]["severity"] == "error"
    assert "dev has no 'maybe', 'Yes '" in one["one-sided"]["message"]
    assert "fewer than 10 rows of 'maybe', 'Yes '" in one["rare"]["message"]
    assert "'yes', 'Yes '" in one["variants"]["message"]


def test_imbalance_is_checked_in_training_data_only() -> None:
    rows: list[Row] = [(f"{n} vezes", "no" if n % 15 else "yes") for n in range(300)]
    assert found(save("test.jsonl", rows)) == {}
    assert (
        "280 rows of 'no' for 20 of 'yes' (14 to 1)"
        in found(save("train.jsonl", rows))["imbalance"]["message"]
    )


def made_recipe(train: list[Row], dev: list[Row], exclude: list[Row]) -> Any:
    """Write recipe.toml and return the recipe read from it."""
    save("a.jsonl", train), save("b.jsonl", dev), save("c.jsonl", exclude)
    Path("recipe.toml").write_text(
        """name = "mine"
        task = {name = "sentiment"}
        architecture = {name = "bow"}
        tokenizer = {kind = "char", window = 80}
        [data]
        train = [{path = "a.jsonl", max_per_label = 60}]
        dev = ["b.jsonl"]
        exclude = ["c.jsonl"]
        """
    )
    return recipes.load(Path("recipe.toml"))


@pytest.mark.filterwarnings("ignore::nlpkit.errors.Note")  # a row has an empty text
def test_recipe_report_counts_the_rows_that_training_uses() -> None:
    from nlpkit.tasks.sentiment import Task
    from nlpkit.training.data import load

    rows: list[Row] = [(row["text"], row["label"]) for row in corpus(400, 1)]
    train = [*rows[:260], *rows[:7], ("", "neutral"), (rows[3][0].upper(), "neutral")]
    dev, exclude = [*rows[250:300], rows[299]], rows[290:310]
    recipe = made_recipe(train, dev, exclude)
    report = debug_data(["recipe.toml"])
    _, *splits = load(recipe, Task)
    assert [file["used"] for file in report["files"]] == [len(s.documents) for s in splits] + [None]
    leaks = [f["message"] for f in report["findings"] if f["check"] == "leaks"]
    assert leaks == ["10 texts in both train and dev", "10 texts in both dev and exclude"]
    assert all(f["severity"] == "warning" for f in report["findings"] if f["check"] == "leaks")


def test_recipe_determines_labels_and_columns() -> None:
    rows: list[Row] = [(row["text"], row["label"]) for row in corpus(200, 1)]
    made_recipe([*rows[:150], ("que bom", "postive")], rows[150:], [("x", None)])
    one = found("recipe.toml")
    assert one["unknown"]["severity"] == "error"
    assert "Did you mean 'positive'" in one["unknown"]["mend"]
    with pytest.raises(UsageError, match="names its own columns"):
        debug_data(["recipe.toml"], text="x")
    with pytest.raises(UsageError, match="check it alone"):
        debug_data(["recipe.toml", "a.jsonl"])


def test_command_prints_positions_and_exits_1_only_for_errors(cli: Cli) -> None:
    save("train.jsonl", [*CLEAN, ("NÃ£o \x1b[31m", "yes"), ("Bom!", "yes"), ("bom", "yes")])
    done = cli("debug-data", "train.jsonl", COLUMNS="100")
    shown = done.stdout.decode()
    assert done.returncode == 1 and done.stderr == b""
    assert "✗ 1 text decoded in the wrong encoding" in shown and "train.jsonl:41" in shown
    assert "train.jsonl:42 = train.jsonl:43  Bom!" in shown
    assert "\x1b" not in shown and "1 error, 2 warnings" in shown
    assert max(map(len, shown.splitlines())) <= 100
    save("train.jsonl", [*CLEAN, ("Bom!", "yes"), ("bom", "yes")])
    done = cli("debug-data", "train.jsonl", "--to", "json", "--show", "0")
    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert report["counts"] == {"error": 0, "warning": 1, "info": 0}
    assert report["findings"][0]["examples"] == []


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["nope.jsonl"], 3, "no such file"),
        (["a.csv"], 3, "no column 'text'. Did you mean 'texto'"),
        (["a.csv", "-c", "texto"], 3, "try --encoding cp1252"),
        (["header.csv"], 3, "no rows"),
        (["a.csv", "--lang", "de"], 2, "not one of pt, en, any"),
        (["a.csv", "--to", "xml"], 2, "not one of table, json"),
        (["header.csv", "header.csv"], 2, "named twice"),
        (["header.csv", "-m", "nope"], 4, "no model 'nope'"),
        (["header.csv", "-m", "./nope"], 4, "./nope: no such folder; 'nlpkit models' lists"),
        (["gone.toml"], 3, "no such recipe"),
    ],
)
def test_errors_are_one_line(args: list[str], code: int, said: str, cli: Cli) -> None:
    Path("a.csv").write_bytes("texto,rotulo\nnão,a\n".encode("latin-1"))
    Path("header.csv").write_text("text,label\n")
    done = cli("debug-data", *args)
    assert (done.returncode, done.stderr.count(b"\n")) == (code, 1), done.stderr
    assert said in done.stderr.decode()
