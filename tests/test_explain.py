"""Explanations: words and variants, each method, faithfulness, pages, matrices and the command."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import TEXTS, Cli
from hypothesis import given, settings, strategies as st
from page_helpers import Tags

from nlpkit import catalog, zoo
from nlpkit.errors import ModelError, UsageError
from nlpkit.explaining import matrix
from nlpkit.explaining.explainer import MOST, Explainer
from nlpkit.explaining.words import Variant, phrases, runs, spans
from nlpkit.jobs.explain import faithful_scores, open_explainer
from nlpkit.runtime.exposing import exposed

Made = Callable[[str], Path]
TEXT = "o produto péssimo 7 a loja"
MARKS = st.text(st.sampled_from("aé\u0301 ,.!\n👍🏽-7<"), max_size=30)


@given(text=MARKS, data=st.data())
def test_variant_keeps_all_other_characters_in_place(text: str, data: st.DataObject) -> None:
    words = spans(text)
    removed = [word for word in words if data.draw(st.booleans())]
    variant = Variant(text, removed)
    gone = {place for start, end in variant.cuts for place in range(start, end)}
    assert variant.text == "".join(char for i, char in enumerate(text) if i not in gone)
    assert all(text[i].isspace() or any(a <= i < b for a, b in removed) for i in gone)
    for place in set(range(len(text))) - gone:
        assert variant.text[variant.position(place)] == text[place]


@given(text=MARKS)
def test_words_cover_everything_but_white_space(text: str) -> None:
    inside = {place for start, end in spans(text) for place in range(start, end)}
    assert all(text[i].isspace() or text[i] == "\u0301" for i in set(range(len(text))) - inside)


def test_words_are_whole() -> None:
    text = "Paguei R$ 1.299,90 no guarda-chuva!!! veja https://a.co/b?c 😡😡"
    words = [text[start:end] for start, end in spans(text)]
    assert {"1.299,90", "guarda-chuva", "!!!", "😡😡"} <= set(words)


@given(count=st.integers(0, 40), most=st.integers(1, 12))
def test_runs_are_few_and_lose_no_word(count: int, most: int) -> None:
    words = [(2 * place, 2 * place + 1) for place in range(count)]
    found = runs(words, most)
    assert len(found) <= most
    assert not words or (found[0][0], found[-1][1]) == (words[0][0], words[-1][1])


def test_phrases_do_not_cross_punctuation() -> None:
    text = "muito bom, mas caro"
    found = [
        text[spans(text)[i][0] : spans(text)[j - 1][1]] for i, j in phrases(text, spans(text), 3)
    ]
    assert found == ["muito bom", "mas caro"]


@pytest.mark.parametrize("arch", ["atnet", "lstm", "bow"])
def test_occlusion_finds_the_word_that_decides(arch: str, tiny_bundle: Made) -> None:
    explainer = open_explainer(str(tiny_bundle(arch)), device="cpu")
    (answer,) = explainer.answer([TEXT])
    assert answer
    (one,) = answer.each
    assert one.label == "negative" and [w.text for w in one.strongest(1)] == ["péssimo"]
    assert all(TEXT[word.start : word.end] == word.text for word in one.words)
    assert one.faithfulness
    assert one.faithfulness.comprehensiveness > 1.5 * one.faithfulness.random_comprehensiveness


def test_a_label_can_be_chosen(tiny_bundle: Made) -> None:
    explainer = open_explainer(str(tiny_bundle("atnet")), label="positive", device="cpu")
    (answer,) = explainer.answer([TEXT])
    assert answer and answer.each[0].label == "positive"
    assert min(answer.each[0].words, key=lambda word: word.weight).text == "péssimo"
    with pytest.raises(UsageError, match="know it"):
        open_explainer(str(tiny_bundle("atnet")), label="posítive", device="cpu")


@pytest.mark.parametrize("method", ["occlusion", "attention"])
def test_an_explanation_is_the_same_in_any_company(method: str, tiny_bundle: Made) -> None:
    explainer = open_explainer(str(tiny_bundle("atnet")), method, device="cpu")
    together = explainer.answer([*TEXTS, TEXT])
    for text, answer in zip([*TEXTS, TEXT], together, strict=True):
        alone = open_explainer(str(tiny_bundle("atnet")), method, device="cpu").answer([text])
        assert [answer] == alone, text[:30]


def test_a_long_text_is_explained_in_runs_of_words(tiny_bundle: Made) -> None:
    explainer = open_explainer(str(tiny_bundle("atnet")), device="cpu", faithful=False)
    (answer,) = explainer.answer(["reunião " * (3 * MOST)])
    assert answer and len(answer.each[0].words) == MOST


@pytest.mark.parametrize("arch", ["atnet", "lstm", "transformer", "bert"])
def test_attention_is_shared_among_words(arch: str, tiny_bundle: Made) -> None:
    folder = str(tiny_bundle(arch))
    explainer = open_explainer(folder, "attention", device="cpu")
    answers = explainer.answer([TEXT, *TEXTS])
    for answer in answers:
        for one in answer.each if answer else ():
            assert sum(word.weight for word in one.words) == pytest.approx(1, abs=1e-4)
            assert min(word.weight for word in one.words) >= 0
    plain = zoo.load(folder, device="cpu")
    assert [a and a.each[0].score for a in answers] == [
        a and pytest.approx(a.score, abs=1e-6) for a in plain.predict([TEXT, *TEXTS])
    ]


def test_a_network_without_attention_is_refused(tiny_bundle: Made) -> None:
    explainer = open_explainer(str(tiny_bundle("bow")), "attention", device="cpu")
    with pytest.raises(ModelError, match="occlusion"):
        explainer.answer([TEXT])


@pytest.mark.parametrize("arch", ["atnet", "lstm", "bert"])
def test_gradients_of_a_run_find_the_word_that_decides(arch: str, tiny_run: Made) -> None:
    explainer = open_explainer(str(tiny_run(arch)), "gradient", device="cpu")
    answers = explainer.answer([TEXT, "", "o livro lindo 3 " * 20])
    assert answers[0] and answers[1] is None and answers[2]
    assert answers[0].each[0].strongest(1)[0].text == "péssimo"


def test_methods_refuse_models_that_they_do_not_fit(tiny_bundle: Made, tiny_run: Made) -> None:
    with pytest.raises(ModelError, match="needs a training run"):
        open_explainer(str(tiny_bundle("atnet")), "gradient", device="cpu")
    with pytest.raises(UsageError, match="nlpkit export"):
        open_explainer(str(tiny_run("atnet")), "attention", device="cpu")
    with pytest.raises(UsageError, match="unknown method"):
        open_explainer(str(tiny_bundle("atnet")), "magic", device="cpu")


def test_entities_are_explained_one_by_one() -> None:
    explainer = open_explainer("entities-pt", device="cpu")
    text = "Maria Souza mora em Recife desde maio."
    (answer,) = explainer.answer([text])
    assert answer
    names = {one.text: one for one in answer.each}
    assert {"Maria Souza", "Recife"} <= names.keys()
    recife = names["Recife"]
    assert (recife.label, text[recife.start : recife.end]) == ("LOC", "Recife")
    assert recife.strongest(1)[0].text == "Recife"
    assert not any("Recife" in phrase.text for phrase in recife.phrases)
    (only,) = open_explainer("entities-pt", label="PER", device="cpu").answer([text])
    assert only and [one.label for one in only.each] == ["PER"]


def test_rules_are_explained_too() -> None:
    (answer,) = open_explainer("rules", device="cpu").answer(["O filme é ótimo"])
    assert answer and answer.each[0].strongest(1)[0].text == "ótimo"


def test_exposed_refuses_what_is_no_model() -> None:
    with pytest.raises(ValueError, match="no ONNX model"):
        exposed(b"\xff\xff\xff\xff")


def test_matrix_of_a_text(tiny_bundle: Made) -> None:
    model = zoo.load(str(tiny_bundle("bert")), device="cpu", attention=True)
    drawn = matrix.of_text(model, TEXT)
    assert drawn.rows == drawn.columns and "".join(drawn.rows) == TEXT.replace(" ", "")
    assert all(0 < sum(row) < 1.001 for row in drawn.weights)
    with pytest.raises(UsageError, match="--head 9"):
        matrix.of_text(model, TEXT, head=9)
    with pytest.raises(UsageError, match="empty"):
        matrix.of_text(model, " ")


def test_matrix_of_a_translation_follows_the_order_of_the_words() -> None:
    model = zoo.load("translate-en-pt", device="cpu", attention=True)
    drawn = matrix.of_translation(model, "The dog sleeps and the cat eats.")
    assert len(drawn.weights) == len(drawn.rows) and len(drawn.weights[0]) == len(drawn.columns)
    assert all(sum(row) == pytest.approx(1, abs=1e-3) for row in drawn.weights)
    best = [max(range(len(row)), key=row.__getitem__) for row in drawn.weights[:-1]]
    half = len(best) // 2
    assert sum(best[:half]) / half < sum(best[half:]) / (len(best) - half)


def test_evaluate_reports_faithfulness(quick_cli: Cli, data: Path, tiny_bundle: Made) -> None:
    args = ["evaluate", tiny_bundle("atnet"), data / "test.jsonl", "--to", "json"]
    done = quick_cli(*args, "--device", "cpu", "--explain", "occlusion")
    scores = json.loads(done.stdout)
    assert scores["comprehensiveness"] > 2 * scores["random_comprehensiveness"]
    assert scores["sufficiency"] < scores["random_sufficiency"]
    assert scores == json.loads(done.stdout) and "macro_f1" in scores


def test_faithful_scores_of_nothing_are_nothing(model: Any) -> None:
    assert faithful_scores(model, "occlusion", ["", " "]) == {}


@settings(max_examples=15)
@given(texts=st.lists(st.text(max_size=40), max_size=4))
def test_any_text_has_an_explanation_or_none(texts: list[str], model: Any) -> None:
    answers = Explainer(model, catalog.load("explainers", "occlusion")).answer(texts)
    assert len(answers) == len(texts)
    for text, answer in zip(texts, answers, strict=True):
        for one in answer.each if answer else ():
            assert all(text[word.start : word.end] == word.text for word in one.words)


def test_command_writes_each_format(quick_cli: Cli, tmp_path: Path, tiny_bundle: Made) -> None:
    (tmp_path / "a.txt").write_text(f"{TEXT}\n\n<b>a loja</b> ótimo & 3\n", encoding="utf-8")
    args = ["explain", "a.txt", "--model", tiny_bundle("atnet"), "--device", "cpu"]
    lines = [json.loads(line) for line in quick_cli(*args).stdout.splitlines()]
    assert [line["text"] for line in lines] == [TEXT, "", "<b>a loja</b> ótimo & 3"]
    assert lines[1]["explanation"] == []
    assert lines[0]["explanation"][0]["words"][2]["text"] == "péssimo"
    table = quick_cli(*args, "--to", "csv").stdout.decode()
    assert "negative: péssimo +" in table
    done = quick_cli(*args, "-o", "page.html")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(page)
    assert not tags.open and {tag for tag, _ in tags.seen}.isdisjoint(
        {"script", "link", "img", "b"}
    )
    assert "&lt;b&gt;" in re.sub(r"</?span[^>]*>", "", page) and "comprehensiveness" in page
    quiet = quick_cli(*args, "--no-faithfulness", "--to", "html").stdout.decode()
    assert "comprehensiveness" not in quiet


def test_command_draws_a_matrix(quick_cli: Cli, tmp_path: Path, tiny_bundle: Made) -> None:
    args = ["explain", "--model", tiny_bundle("bert"), "--device", "cpu"]
    stdin = f"\n{TEXT} <3\n".encode()
    done = quick_cli(*args, "--matrix", "a.svg", "--layer", "1", "--head", "2", stdin=stdin)
    assert done.returncode == 0, done.stderr
    svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert svg.startswith("<svg") and "péssimo" in svg and "&lt;" in svg and "<3" not in svg
    assert quick_cli(*args, "--matrix", "b.svg", stdin=b"\n").returncode == 2
    assert quick_cli(*args, "--layer", "1", stdin=stdin).returncode == 2
    assert not (tmp_path / "b.svg").exists()


def test_command_refuses_models_without_labels(quick_cli: Cli) -> None:
    done = quick_cli("explain", "--model", "base", stdin=b"oi\n")
    assert done.returncode == 4 and b"labels and entities" in done.stderr
