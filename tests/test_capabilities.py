"""Capability tests: templates are filled and read, models are tested, nothing tested is taught."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from conftest import ROOT, Made

from nlpkit.capabilities import INNERMOST, fill, sentences
from nlpkit.capabilities.cases import CHANGED, Case, cases
from nlpkit.capabilities.sheet import read, shipped
from nlpkit.errors import InputError

sys.path.insert(0, str(ROOT / "teaching"))
import write

Cli = Callable[..., subprocess.CompletedProcess[bytes]]

SHEET = """\
language = "pt"
[slots]
coisa_m = ["celular"]
coisa_f = ["mala"]
quem = ["Ana", "Rui"]
[[group]]
capability = "praise"
label = "positive"
templates = ["{o/a} {coisa} é {lindo/linda}"]
"""


@pytest.fixture
def sheet_of(tmp_path: Path) -> Callable[[str], Path]:
    def written(text: str) -> Path:
        path = tmp_path / "own.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def shape(template: str) -> str:
    """Return the fixed words of a template; "" if only its slots have letters."""
    while INNERMOST.search(template):
        template = INNERMOST.sub(" ", template)
    return write.key(template) if re.search(r"\w", template) else ""


def test_words_agree_in_gender() -> None:
    slots = {"coisa_m": ["celular"], "coisa_f": ["mala"], "feio": ["{feio/feia}"]}
    drawn = set(sentences("{O/A} {coisa} é {feio}", slots, "seed"))
    assert drawn == {"O celular é feio", "A mala é feia"}


@pytest.mark.parametrize(
    ("template", "drawn"),
    [
        ("{a|b}", {"a", "b"}),
        ("oi{, Ana|}", {"oi, Ana", "oi"}),
        ("{muito |}bom .", {"muito bom.", "bom."}),
        ("{3/10|4/10}", {"3/10", "4/10"}),
        ("{o/a|um/uma}", {"o", "a", "um", "uma"}),
        ("{x {quem}|y}", {"x Ana", "x Rui", "y"}),
        ("{quem} e {quem}", {"Ana e Rui", "Rui e Ana"}),
    ],
)
def test_places_are_filled(template: str, drawn: set[str]) -> None:
    assert set(sentences(template, {"quem": ["Ana", "Rui"]}, "seed")) == drawn


def test_the_same_seed_fills_alike() -> None:
    slots = {"n": [str(n) for n in range(100)]}
    first = [list(islice(sentences("{n} {n}", slots, seed), 5)) for seed in ("a", "a", "b")]
    assert first[0] == first[1] != first[2]
    assert fill("{n}", slots, Random(1)) == fill("{n}", slots, Random(1))


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("{coisa}", "{coisas}", 9, "no slot 'coisas'. Did you mean 'coisa'"),
        ("{coisa}", "{coisa", 9, "without its partner"),
        ('label = "positive"', "", 6, "exactly one of label, vary and change"),
        ('label = "positive"', 'vary = "quen"', 6, "no slot 'quen'. Did you mean 'quem'"),
        ('label = "positive"', 'vary = "quem"', 9, "does not use {quem}"),
        ('label = "positive"', 'change = "accent"', 6, "Did you mean 'accents'"),
        ('label = "positive"', "label = 1", 6, "label is not a text"),
        ('label = "positive"', 'lable = "positive"', 6, "unknown 'lable'. Did you mean 'label'"),
        ('capability = "praise"', "", 6, 'no capability = "name"'),
        ("templates = [", "templates = [1, ", 6, "a list of sentences"),
        ('["celular"]', '"celular"', 3, "not a list of words"),
        ('["celular"]', '["{coisa}"]', 3, "contains itself"),
        ('coisa_m = ["celular"]', "coisa_m=[]", 3, "not a list of words"),
        ('["Ana", "Rui"]', '["{nada}"]', 5, "no slot 'nada'"),
        ('language = "pt"', "sentences = 0", 1, "a number from 1 to 1000"),
        ('language = "pt"', 'lang = "pt"', 1, "unknown 'lang'. Did you mean 'language'"),
    ],
)
def test_a_wrong_file_is_told_with_its_line(
    sheet_of: Callable[[str], Path], old: str, new: str, line: int, message: str
) -> None:
    path = sheet_of(SHEET.replace(old, new))
    with pytest.raises(InputError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}:{line}: ")
    assert message in str(error.value)


@pytest.mark.parametrize("text", ["x = ", 'language = "pt"', "group = 3"])
def test_a_file_without_templates_is_refused(
    sheet_of: Callable[[str], Path], text: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"own\.toml"):
        read(sheet_of(text))
    with pytest.raises(InputError, match="No such file"):
        read(tmp_path / "missing.toml")


def test_variants_must_get_the_same_label(sheet_of: Callable[[str], Path]) -> None:
    changed = 'change = ["accents", "case", "final mark"]'
    text = SHEET.replace('label = "positive"', changed).replace("é {lindo/linda}", "É só.")
    first = next(cases(read(sheet_of(text))))
    assert first.texts[0] in ("o celular É só.", "a mala É só.")
    assert {text[-5:] for text in first.texts[1:]} == {"E so.", "é só.", " É só"}
    assert first.fails(("neutral", "neutral", "positive", "neutral"))
    assert not first.fails(("neutral",) * 4)
    text = SHEET.replace('label = "positive"', 'vary = "quem"').replace("{coisa}", "{quem}")
    assert {len(case.texts) for case in cases(read(sheet_of(text)))} == {2}


def test_any_of_several_labels_may_be_allowed() -> None:
    case = Case("x", "pt", ("valeu",), ("neutral", "positive"))
    assert case.fails(("negative",))
    assert not case.fails(("positive",))


@pytest.mark.parametrize(
    ("text", "changed"),
    [("Tudo bem?", "Tudo bem?"), ("Tudo bem", "Tudo bem."), ("Tudo bem!...", "Tudo bem")],
)
def test_a_final_mark_is_added_or_taken_away(text: str, changed: str) -> None:
    assert CHANGED["final mark"](text) == changed


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)
def test_shipped_templates_cover_every_capability(path: Path) -> None:
    sheet = read(path)
    counts = Counter[str]()
    for group in sheet.groups:
        counts[group.capability] += len(group.templates)
        assert set(group.labels) <= set(write.LABELS)
    assert counts.keys() == {g.capability for p in shipped() for g in read(p).groups}
    assert all(12 <= count <= 25 for count in counts.values()), counts
    texts = [text for case in cases(sheet) for text in case.texts]
    assert all(texts) and not any(mark in text for text in texts for mark in "{}|\0")
    assert sum(file.stat().st_size for file in shipped()) < 40_000


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)
def test_no_tested_template_or_word_is_taught(path: Path) -> None:
    sheet = read(path)
    slots, groups = write.templates(path.stem)
    taught = {shape(text) for group in groups for text in group["templates"]} - {""}
    tested = {shape(text) for group in sheet.groups for text in group.templates}
    assert not taught & tested
    words = {word.casefold() for values in slots.values() for word in values}
    assert not words & {word.casefold() for values in sheet.slots.values() for word in values}


def test_teaching_rows_are_balanced_distinct_and_never_tested() -> None:
    rows = write.rows(2000, seed=1)
    assert rows == write.rows(2000, seed=1) != write.rows(2000, seed=2)
    counts = Counter((row["lang"], row["label"]) for row in rows)
    assert set(counts.values()) == {500, 167}
    keys = [write.key(row["text"]) for row in rows]
    assert len(set(keys)) == len(keys)
    assert not write.tested() & set(keys)
    assert not any(mark in row["text"] for row in rows for mark in "{}|")
    for word in ("não", "nota", "mas"):  # a word alone must not tell the label
        labels = {row["label"] for row in rows if word in row["text"].lower().split()}
        assert labels == set(write.LABELS), word


def test_evaluate_prints_a_row_for_each_capability(quick_cli: Cli, tiny_bundle: Made) -> None:
    bundle = tiny_bundle("bow")
    done = quick_cli("evaluate", bundle, "--capabilities")
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode()
    assert re.search(r"^facts +\d+ +[\d.]+% +[\d.]+% +[\d.]+%$", shown, re.MULTILINE)
    assert re.search(r"^mean +[\d,]+ +[\d.]+%", shown, re.MULTILINE)
    shown = quick_cli(
        "evaluate", bundle, "--capabilities", "--lang", "pt", "--failures"
    ).stdout.decode()
    assert re.search(r"^  .+  →(negative|neutral|positive), not positive$", shown, re.MULTILINE)


def test_evaluate_as_json_counts_each_language(quick_cli: Cli, tiny_run: Made) -> None:
    done = quick_cli("evaluate", tiny_run("bow"), "--capabilities", "--failures", "--to", "json")
    report = json.loads(done.stdout)
    negated = report["capabilities"]["negated praise"]
    assert negated["tests"] == sum(part["tests"] for part in negated["languages"].values())
    assert negated["failure_rate"] == pytest.approx(
        len(negated["failures"]) / negated["tests"], abs=1e-4
    )
    rates = [part["failure_rate"] for part in report["capabilities"].values()]
    assert report["failure_rate"] == pytest.approx(sum(rates) / len(rates), abs=1e-3)
    assert all(each["label"] not in each["expected"] for each in negated["failures"])


def test_own_templates_replace_those_of_the_package(
    quick_cli: Cli, tiny_bundle: Made, sheet_of: Callable[[str], Path]
) -> None:
    own = sheet_of(SHEET.replace("{lindo/linda}", "adorei perfeito maravilhoso"))
    done = quick_cli("evaluate", tiny_bundle("bow"), "--templates", own, "--to", "json")
    (praise,) = json.loads(done.stdout)["capabilities"].items()
    assert praise[0] == "praise"
    assert praise[1]["tests"] == 2


def test_what_cannot_be_tested_is_refused(
    quick_cli: Cli, tiny_bundle: Made, sheet_of: Callable[[str], Path], data: Path
) -> None:
    bundle = tiny_bundle("bow")
    other = sheet_of(SHEET.replace('"positive"', '"happy"'))
    for args, message in [
        (["tagger-pt", "--capabilities"], b"gives no labels"),
        ([bundle, "--templates", other], b"no label 'happy', which the templates expect"),
        ([bundle, "--capabilities", "--lang", "xx"], b"the templates are in en, pt"),
        ([bundle, "--capabilities", data / "dev.jsonl"], b"leave out FILE"),
        ([bundle, "--lang", "pt"], b"go with --capabilities"),
        ([bundle], b"FILE is missing"),
    ]:
        done = quick_cli("evaluate", *args)
        assert done.returncode == 2, args
        assert message in done.stderr, done.stderr
    other.write_text(SHEET.replace("{coisa}", "{cosia}"), encoding="utf-8")
    done = quick_cli("evaluate", bundle, "--templates", other)
    assert done.returncode == 3
    assert b"own.toml:9: " in done.stderr
