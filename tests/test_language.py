"""`--lang auto`: with lingua (a fake one here), and without it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from conftest import environment

from nlpkit.errors import Note
from nlpkit.language import detect as module
from nlpkit.language.detect import READ, detect, language_of
from nlpkit.zoo import pipeline

Cli = Callable[..., subprocess.CompletedProcess[bytes]]
TEXTS = ["os dogs", "", "👍", "hotel", "Minimal features", "I did not like the box", "não é bom"]
NOTE = b"nlpkit: --lang auto: lingua, which is better at short texts, is not installed: "
LOUD = "import sys\nprint('lingua was imported', file=sys.stderr)\nraise ModuleNotFoundError\n"


class Code(Enum):
    """Codes of languages, as lingua has them."""

    PT, EN, ES = range(3)

    @classmethod
    def from_str(cls, code: str) -> Code:
        return cls[code.upper()]


class Lingua(ModuleType):
    """A lingua that knows one English word, and no language for a text in Cyrillic."""

    IsoCode639_1 = Code

    def __init__(self) -> None:
        super().__init__("lingua")
        self.codes: tuple[Code, ...] = ()
        self.asked: list[str] = []
        self.LanguageDetectorBuilder = SimpleNamespace(from_iso_codes_639_1=self.of_codes)

    def of_codes(self, *codes: Code) -> Lingua:
        self.codes = codes
        return self

    def build(self) -> Lingua:
        return self

    def detect_language_of(self, text: str) -> SimpleNamespace | None:
        self.asked.append(text)
        text.encode()  # lingua refuses lone surrogates as well
        if "\u0431" in text:
            return None
        return SimpleNamespace(iso_code_639_1=Code.EN if "features" in text else Code.PT)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Let each test see the note that a process prints once."""
    module._note_missing.cache_clear()
    yield
    module._note_missing.cache_clear()


@pytest.fixture
def lingua(monkeypatch: pytest.MonkeyPatch) -> Lingua:
    fake = Lingua()
    monkeypatch.setitem(sys.modules, "lingua", fake)
    return fake


@pytest.fixture
def loud(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which an import of lingua fails and is seen on stderr."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "lingua.py").write_text(LOUD)
    return {"PYTHONPATH": f"{folder}{os.pathsep}{environment()['PYTHONPATH']}"}


def test_lingua_knows_the_languages_that_auto_chooses_from(lingua: Lingua) -> None:
    language_of("auto")
    assert lingua.codes == (Code.PT, Code.EN)


def test_lingua_decides_where_function_words_do_not(lingua: Lingua) -> None:
    tell = language_of("auto")
    assert tell("Minimal features") == "en" and detect("Minimal features") == "pt"
    assert tell("the produto") == "pt" and detect("the produto") == "en"
    assert lingua.asked == ["Minimal features", "the produto"]


def test_lingua_is_not_asked_about_clear_or_very_short_texts(lingua: Lingua) -> None:
    tell = language_of("auto")
    for text in (
        "",
        " ",
        "👍",
        "12 34",
        "features",
        "the",
        "não",
        "I did not like it",
        "não é bom",
    ):
        assert tell(text) == detect(text)
    assert lingua.asked == []


def test_a_text_without_a_language_is_portuguese(lingua: Lingua) -> None:
    assert language_of("auto")("\u0431\u0430 \u0431\u0430") == "pt"
    assert len(lingua.asked) == 1


def test_lingua_gets_valid_text_of_bounded_length(lingua: Lingua) -> None:
    assert language_of("auto")("features \ud800 box") == "en"
    assert language_of("auto")("xyz " * READ) == "pt"
    assert lingua.asked == ["features ? box", ("xyz " * READ)[:READ]]


def test_an_answer_does_not_depend_on_the_other_texts(lingua: Lingua) -> None:
    chain = pipeline("tokenize --lang auto | stem --lang auto")
    assert chain(TEXTS) == [chain(text) for text in TEXTS]
    assert chain("Minimal features") == ["minim", "featur"]


def test_one_note_says_that_lingua_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lingua", None)
    with pytest.warns(Note, match=r"^--lang auto: lingua, .* pip install .*\[lang\]'$") as notes:
        chain = pipeline("clean --lang auto | tokenize --lang auto | stem --lang auto")
        chain(TEXTS)
        chain(TEXTS)
    assert len(notes) == 1
    assert [language_of("auto")(text) for text in TEXTS] == [detect(text) for text in TEXTS]


def test_another_package_named_lingua_counts_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lingua", ModuleType("lingua"))
    with pytest.warns(Note, match="lingua"):
        assert language_of("auto")("very good") == "en"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_command_prints_the_note_once(cli: Cli, loud: dict[str, str], workers: str) -> None:
    stdin = b"os dogs\nthe dogs were running\n" * 300
    chain = "clean --lang auto | stem --lang auto"
    done = cli("pipe", chain, "--workers", workers, stdin=stdin, **loud)
    assert done.returncode == 0
    assert done.stdout == b"os dogs\nthe dog were run\n" * 300
    told = [line for line in done.stderr.splitlines() if line != b"lingua was imported"]
    assert len(told) == 1 and told[0].startswith(NOTE)


@pytest.mark.parametrize("args", [["--help"], ["clean", "--lang", "pt"], ["stem"], ["stem", "-h"]])
def test_only_auto_imports_lingua(cli: Cli, loud: dict[str, str], args: list[str]) -> None:
    done = cli(*args, stdin=b"bom\n", **loud)
    assert done.returncode == 0 and done.stderr == b""


def test_importing_nlpkit_does_not_import_lingua(loud: dict[str, str]) -> None:
    code = "import nlpkit; nlpkit.pipeline('clean --lang pt | tokenize')(['bom'])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment() | loud, check=True
    )
    assert done.stderr == b""
