"""The contract of data checks, tested for every check in the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from conftest import add_plugin, write_jsonl

from nlpkit import catalog
from nlpkit.checking.data import Data
from nlpkit.checking.findings import SEVERITIES, Finding
from nlpkit.checking.rows import File
from nlpkit.jobs.debug_data import debug_data

Rows = Mapping[str, Sequence[tuple[str, str | None]]]

CHECKS = catalog.names("checks")
WINDOW, LANG, KNOWN = 8, "pt", ("yes", "no")
SOUND: Rows = {
    "train": [(f"o livro número {n} é bom", KNOWN[n % 2]) for n in range(40)],
    "test": [(f"uma casa de {n} quartos", KNOWN[n % 2]) for n in range(40)],
}
CAPITALS = """'Find texts in capitals.'

from nlpkit.checking.texts import texts_with


def find(text, lang):
    return f"{lang}: {text[:3]}" if text.isupper() else ""


def check(data):
    return texts_with(data, find, message="in capitals", advice="write them small")
"""
SMALL = """'Find files of few rows.'

from nlpkit.checking.findings import INFO, Finding

ORDER = 1


def check(data):
    few = [file.path for file in data.files if len(file.rows) < 100]
    yield Finding(severity=INFO, message=f"{few} are small", advice="find more", count=len(few))
"""


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def save(rows: Rows) -> list[str]:
    for split, pairs in rows.items():
        records = [{"text": text} | ({"label": label} if label else {}) for text, label in pairs]
        write_jsonl(Path(f"{split}.jsonl"), records)
    return [f"{split}.jsonl" for split in rows]


def findings(name: str, rows: Rows) -> list[Finding]:
    """Return the findings of one check in rows that should be short, Portuguese, yes or no."""
    module = catalog.load("checks", name)
    finds = [module.find] if hasattr(module, "find") else []
    files = [File(path, path.removesuffix(".jsonl")) for path in save(rows)]
    for file in files:
        file.read(lambda texts: [len(text.split()) for text in texts], finds, LANG)
    data = Data(files=files, window=WINDOW, unit="each a word", lang=LANG, known=KNOWN)
    return [finding.shown(name, 2) for finding in module.check(data)]


def test_all_documented_checks_exist() -> None:
    told = "contradictions leaks repeated missing unlabelled unknown one_sided variants rare"
    told += " imbalance truncated empty lost_letters mojibake control language"
    assert set(told.split()) <= set(CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_docstring_says_what_the_check_finds(name: str) -> None:
    module = catalog.load("checks", name)
    first = (module.__doc__ or "").splitlines()[0]
    assert first.startswith("Find ") and first.endswith(".")


@pytest.mark.parametrize("name", CHECKS)
def test_check_finds_the_fault_in_its_sample(name: str) -> None:
    sample = catalog.load("checks", name).SAMPLE
    found = findings(name, sample)
    assert found
    places = {f"{s}.jsonl:{n}" for s, rows in sample.items() for n in range(1, len(rows) + 1)}
    for finding in found:
        assert finding.severity in SEVERITIES and finding.count > 0
        assert finding.message and finding.advice
        assert set(finding.files) <= {f"{split}.jsonl" for split in sample}
        assert {place for example in finding.examples for place in example.places} <= places


@pytest.mark.parametrize("name", CHECKS)
def test_check_finds_nothing_in_clean_rows(name: str) -> None:
    assert findings(name, SOUND) == []


def test_orders_are_unique() -> None:
    modules = [catalog.load("checks", name) for name in CHECKS]
    orders = [module.ORDER for module in modules if hasattr(module, "ORDER")]
    assert len(set(orders)) == len(orders)


def test_findings_of_equal_severity_are_sorted_by_order() -> None:
    rows: Rows = {"train": [*SOUND["train"], ("bom\x00", "yes"), (" ", "yes"), ("Lindo", "Yes")]}
    report = debug_data(save(rows))
    assert [finding.check for finding in report.findings] == [
        "variants",
        "rare",
        "imbalance",
        "empty",
        "control",
    ]
    assert report.counts == {"error": 0, "warning": 5, "info": 0}


def test_another_package_can_add_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    things = {"nlpkit.checks": {"a_few_capitals": CAPITALS, "small_files": SMALL}}
    add_plugin(tmp_path / "more", monkeypatch, things)
    names = save({"train": [*SOUND["train"], ("BOM", "yes"), ("\x00", "yes")]})
    report = debug_data(names, lang="pt")
    assert [finding.check for finding in report.findings] == [
        "control",
        "a-few-capitals",
        "small-files",
    ]
    _, capitals, small = report.findings
    assert (capitals.severity, capitals.message) == ("warning", "1 text in capitals")
    (example,) = capitals.examples
    assert (example.places, example.note) == (("train.jsonl:41",), "pt: BOM")
    assert report.plain()["findings"][2]["message"] == small.message == "['train.jsonl'] are small"
