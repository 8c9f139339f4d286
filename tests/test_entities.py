"""Entities end to end: training on partly annotated files, the command and its outputs, scores."""

from __future__ import annotations

import csv
import html
import io
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Cli, write_jsonl
from task_examples import EXAMPLES

import nlpkit
from nlpkit.answers import Span
from nlpkit.answers.entities import Annotated, Entities
from nlpkit.errors import InputError, Note, UsageError
from nlpkit.jobs.evaluate import evaluate
from nlpkit.jobs.export import export
from nlpkit.language.bio import Mention, mentions, tags_of
from nlpkit.metrics import spans as metric
from nlpkit.runtime import tags
from nlpkit.settings import recipe
from nlpkit.tasks.entities import Config, Task
from nlpkit.training import run
from nlpkit.training.data import load

TEXT = "gil com Ana Bia, em Caio"  # of the language of `task_examples`
MADE = [("PER", "Ana Bia"), ("LOC", "Caio")]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle trained on two files, of which each annotates one type only."""
    folder = tmp_path_factory.mktemp("entities")
    example = EXAMPLES["entities"]
    sources = []
    for kind, seed in (("PER", 1), ("LOC", 2)):
        rows = [only(row, kind, f"{kind}-own") for row in example.rows(300, seed)]
        write_jsonl(folder / f"{kind}.jsonl", rows)
        sources.append({"path": f"{kind}.jsonl", "types": {f"{kind}-own": kind}})
    write_jsonl(folder / "dev.jsonl", example.rows(60, 3))
    tree = example.tree("entities")
    tree["data"]["train"] = sources
    built = recipe.from_dict(tree, folder=folder, where="test")
    run.train(built, folder / "run", device="cpu", resume=False, listener=lambda event: None)
    export(str(folder / "run"), folder / "out", overrides=[], listener=lambda report: None)
    return folder / "out"


def only(row: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    spans = [[start, end, name] for start, end, each in row["entities"] if each == kind]
    return row | {"entities": spans}


def test_files_with_one_type_each_teach_both(bundle: Path) -> None:
    answer = nlpkit.load(str(bundle)).predict(TEXT)
    assert [(span.label, span.text) for span in answer.spans] == MADE
    assert all(TEXT[span.start : span.end] == span.text for span in answer.spans)
    assert all(0.5 < span.score <= 1 for span in answer.spans)


def test_entities_point_into_the_original_text(bundle: Path) -> None:
    text = "  gil\u200b com   Ana\tBia!!! em Caio?"
    answer = nlpkit.load(str(bundle)).predict(text)
    assert all(text[span.start : span.end] == span.text for span in answer.spans)
    assert [span.text for span in answer.spans][-1] == "Caio"


def test_lines_become_jsonl_one_for_one(bundle: Path, quick_cli: Cli) -> None:
    done = quick_cli("entities", "-m", bundle, stdin=f"{TEXT}\n\nnada\n".encode())
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["text"] for record in records] == [TEXT, "", "nada"]
    first, *others = (record["entities"] for record in records)
    assert [(each["type"], each["text"]) for each in first] == MADE
    assert set(first[0]) == {"start", "end", "type", "text", "score"}
    assert others == [[], []]


def test_csv_keeps_its_columns_and_gains_json(bundle: Path, quick_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(f'id,frase\n7,"{TEXT}"\n8,\n', encoding="utf-8")
    done = quick_cli("entities", "-m", bundle, "in.csv", "--column", "frase", "--types", "LOC")
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert [row["id"] for row in rows] == ["7", "8"]
    assert [each["text"] for each in json.loads(rows[0]["entities"])] == ["Caio"]
    assert rows[1]["entities"] in ("", "[]")


def test_a_batch_writes_the_column_of_the_text_as_conll(
    bundle: Path, quick_cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "in.csv").write_text(f'id,frase\n7,"{TEXT}"\n', encoding="utf-8")
    options = ("--column", "frase", "--to", "conll")
    quick_cli("batch", "in.csv", "-o", "out", "-m", bundle, *options)
    alone = quick_cli("entities", "in.csv", "-m", bundle, *options)
    assert (tmp_path / "out" / "in.conll").read_bytes() == alone.stdout
    assert b"Ana\tB-PER\nBia\tI-PER\n" in alone.stdout


def test_spans_are_a_line_for_each_entity(bundle: Path, quick_cli: Cli, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(f"nada\n{TEXT}\n", encoding="utf-8")
    done = quick_cli("entities", "-m", bundle, "a.txt", "b.txt", "--to", "spans")
    lines = [line.split("\t") for line in done.stdout.decode().splitlines()]
    expected = [["2", "8", "15", "PER", "Ana Bia"], ["2", "20", "24", "LOC", "Caio"]]
    assert lines == [[name, *cells] for name in ("a.txt", "b.txt") for cells in expected]


def test_the_page_is_self_contained_and_escapes_the_text(
    bundle: Path, quick_cli: Cli, tmp_path: Path
) -> None:
    text = f"<b>&amp; {TEXT}"
    (tmp_path / "in.txt").write_text(text + "\n", encoding="utf-8")
    quick_cli("entities", "-m", bundle, "in.txt", "-o", "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert html.escape("<b>") in page and "<b>" not in page
    assert "Ana Bia<small>PER</small></mark>" in page
    assert "http" not in page and "<script" not in page


@pytest.mark.parametrize("options", [["--types", "PER,XXX"], ["--to", "xyz"]])
def test_wrong_options_are_refused_with_what_there_is(
    bundle: Path, quick_cli: Cli, options: list[str]
) -> None:
    done = quick_cli("entities", "-m", bundle, *options, stdin=b"a\n")
    assert done.returncode == 2
    assert options[-1].rpartition(",")[2].encode() in done.stderr


def test_another_model_is_refused(model: Any, quick_cli: Cli, tiny_bundle: Any) -> None:
    done = quick_cli("entities", "-m", tiny_bundle("atnet"), stdin=b"a\n")
    assert done.returncode == 4
    assert b"finds no entities" in done.stderr


def test_types_that_a_file_lacks_are_not_scored(bundle: Path, tmp_path: Path) -> None:
    rows = [only(row, "PER", "PESSOA") for row in EXAMPLES["entities"].rows(40, 9)]
    path = str(write_jsonl(tmp_path / "test.jsonl", rows))
    scores = evaluate(nlpkit.load(str(bundle)), [path], names={"PESSOA": "PER"}).scores
    assert scores["span_precision"] > 0.9
    assert set(scores["per_class"]) == {"PER"}


def gold(*spans: tuple[int, int, str], types: frozenset[str] | None = None) -> Annotated:
    return Annotated((Span(*span, "") for span in spans), "x" * 99, types)


def answer(*spans: tuple[int, int, str]) -> Entities:
    return Entities(tuple(Span(*span, "") for span in spans))


def test_a_file_without_any_entity_judges_and_teaches_all_types() -> None:
    task = Task(Config(), ["PER", "LOC"])
    empty = task.in_file([task.gold({"document": "nada", "label": []})])
    found = Entities((Span(0, 4, "PER", "nada"),))
    assert metric.measure(empty, [found])["span_f1"] == 0
    assert task.priors(empty, None) == {}
    partly = task.in_file([task.gold({"document": "Itu", "label": [[0, 3, "LOC"]]})])
    assert task.priors(partly, None) == {0: 0.0}
    assert metric.measure(partly, [found])["not_judged"] == {"PER": 1}
    with pytest.raises(InputError, match="entities take 0 or 1"):
        task.priors(partly, 0.5)


def test_types_that_the_model_does_not_know_are_told(
    bundle: Path, quick_cli: Cli, tmp_path: Path
) -> None:
    row = {"text": "Ana usa Galaxy", "entities": [[8, 14, "PROD"]]}
    write_jsonl(tmp_path / "a.jsonl", [row])
    done = quick_cli("evaluate", bundle, "a.jsonl")
    assert done.returncode == 3 and b"its types are PROD, but the model" in done.stderr
    write_jsonl(tmp_path / "a.jsonl", [row | {"entities": [[0, 3, "PER"], *row["entities"]]}])
    with pytest.warns(Note, match="not scored: PROD 1; the model knows"):
        evaluate(nlpkit.load(str(bundle)), [str(tmp_path / "a.jsonl")])


def test_types_of_links_and_addresses_can_be_learned() -> None:
    row = {"document": "fale com loja@exemplo.com ou Ana", "label": [[9, 25, "CONTATO"]]}
    assert Task.from_rows([row], Config()).links
    assert not Task.from_rows([row | {"label": [[29, 32, "PER"]]}], Config()).links


def test_a_span_that_begins_inside_a_word_takes_all_of_it() -> None:
    spans = [Span(1, 6, "PER", "na Sá")]
    assert [*tags.of_words(spans, [0, 4, 7], ["LOC", "PER"])] == [(0, 3), (1, 4)]
    assert tags_of(spans_of("Ana Sá foi", (1, 6)), [(0, 3), (4, 6), (7, 10)]) == [
        "B-PER", "I-PER", "O",
    ]  # fmt: skip


def spans_of(text: str, *bounds: tuple[int, int]) -> list[Mention]:
    return mentions([[*each, "PER"] for each in bounds], text)


def test_white_space_at_the_ends_of_a_span_is_no_part_of_it() -> None:
    assert spans_of("oi Ana !", (2, 7)) == [Mention(3, 6, "PER")]
    with pytest.raises(InputError, match="white space only"):
        spans_of("oi  Ana", (2, 4))


def test_scores_are_strict_and_partial() -> None:
    golds = [gold((0, 5, "PER"), (10, 20, "LOC")), gold((3, 4, "ORG"))]
    answers = [answer((0, 5, "ORG"), (12, 20, "LOC"), (30, 31, "PER")), answer((3, 4, "ORG"))]
    scores = metric.measure(golds, answers)
    assert scores["span_precision"] == 0.25
    assert scores["span_recall"] == pytest.approx(1 / 3, abs=1e-6)
    assert scores["partial_f1"] == pytest.approx(2 * 2.5 / 7, abs=1e-6)
    assert scores["per_class"]["ORG"]["f1"] == pytest.approx(2 / 3, abs=1e-6)
    low, high = scores["span_f1_interval"]
    assert 0 <= low <= scores["span_f1"] <= high <= 1


def test_nothing_to_find_and_nothing_found_is_right() -> None:
    scores = metric.measure([gold(), gold()], [answer(), answer()])
    assert scores["span_f1"] == scores["partial_f1"] == 1.0


def test_what_a_gold_does_not_judge_is_left_out() -> None:
    one = gold((0, 5, "PER"), types=frozenset({"PER"}))
    scores = metric.measure([one], [answer((0, 5, "PER"), (8, 9, "TIME"))])
    assert scores["span_f1"] == 1.0


def test_a_recipe_without_entities_is_told() -> None:
    rows = [{"document": "a b", "label": []}]
    with pytest.raises(InputError, match="no entity"):
        Task.from_rows(rows, Config())
    with pytest.raises(InputError, match="no training file has LAW"):
        Task.from_rows([{"document": "a b", "label": [[0, 1, "PER"]]}], Config(types=("LAW",)))


def test_a_span_outside_of_the_text_is_told_with_its_line(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", [{"text": "Ana", "entities": [[0, 30, "PER"]]}])
    write_jsonl(tmp_path / "dev.jsonl", [{"text": "Bia", "entities": [[0, 3, "PER"]]}])
    built = recipe.from_dict(EXAMPLES["entities"].tree("entities"), folder=tmp_path, where="test")
    with pytest.raises(InputError, match=r"span 0 to 30"):
        load(built, Task)


def test_training_names_the_line_of_a_wrong_span(tmp_path: Path) -> None:
    example = EXAMPLES["entities"]
    write_jsonl(tmp_path / "dev.jsonl", example.rows(20, 1))
    bad = {"text": "Ana mora aqui", "entities": [[0, 9999, "PER"]]}
    write_jsonl(tmp_path / "train.jsonl", [*example.rows(20, 2), bad])
    tree = example.tree("entities")
    tree["data"]["train"] = ["train.jsonl"]
    built = recipe.from_dict(tree, folder=tmp_path, where="test")
    with pytest.raises(InputError, match=r"train\.jsonl:21: span 0 to 9999"):
        load(built, Task)


def test_a_step_that_changes_the_text_is_refused(tmp_path: Path) -> None:
    from nlpkit.jobs.train import check

    tree = EXAMPLES["entities"].tree("entities") | {"preprocess": {"steps": ["clean"]}}
    with pytest.raises(UsageError, match="positions"):
        check(recipe.from_dict(tree, folder=tmp_path, where="test"))
