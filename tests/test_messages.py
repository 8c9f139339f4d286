"""What people are told: near matches, paths, commands to type, and help that nobody reads."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import Cli, environment
from hypothesis import given, strategies as st

from nlpkit import errors
from nlpkit.cli.screen.training import TrainingProgress
from nlpkit.errors import install_extra, near_match, quoted

STEPS = ["clean", "lemmatize", "stem", "stopwords", "tokenize", "vectorize"]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("lemas", "lemmatize"),
        ("lematizar", "lemmatize"),
        ("lemma", "lemmatize"),
        ("tokens", "tokenize"),
        ("stopword", "stopwords"),
        ("CLEAN", "clean"),
        ("clena", "clean"),
    ],
)
def test_a_near_match_is_the_right_one(wrong: str, right: str) -> None:
    assert near_match(wrong, STEPS) == f" Did you mean {right!r}?"


@pytest.mark.parametrize("wrong", ["limpar", "radicais", "foo", "x", "", "normalize"])
def test_where_nothing_is_near_nothing_is_suggested(wrong: str) -> None:
    assert near_match(wrong, STEPS) == ""
    assert near_match("positivo", ["negativo"]) == ""


def test_case_accents_and_spaces_do_not_count() -> None:
    for wrong in ("COMENTÁRIO", "comentario", " comentário", "Comenta\u0301rio"):
        assert near_match(wrong, ["id", "comentário"]) == " Did you mean 'comentário'?"


@given(st.text(), st.lists(st.text()))
def test_the_same_word_is_never_suggested(wrong: str, allowed: list[str]) -> None:
    assert near_match(wrong, [*allowed, wrong]) != f" Did you mean {wrong!r}?"


@given(st.text())
def test_a_path_is_quoted_only_where_a_shell_would_split_it(path: str) -> None:
    shown = quoted(path)
    assert shown == path or shlex.split(shown) == [path]
    assert quoted("/a/é-1.txt") == "/a/é-1.txt" and quoted(Path("a b")) == "'a b'"


class Distribution:
    """What `importlib.metadata` knows of an installed nlpkit."""

    requires = ("rich>=13", "nltk>=3.9; extra == 'rslp'", 'a<2; x and extra == "rslp"')

    def __init__(self, origin: dict[str, Any] | None) -> None:
        self.origin = origin

    def read_text(self, name: str) -> str | None:
        return None if self.origin is None else json.dumps(self.origin)


def command(origin: dict[str, Any] | None, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(errors, "CHECKOUT", Path("/no/checkout"))
    monkeypatch.setattr(metadata, "distribution", lambda name: Distribution(origin))
    return install_extra("rslp")


def test_an_extra_is_installed_from_where_nlpkit_came(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = Path(errors.__file__).parents[1]
    assert f"cd {quoted(root)} && pip install -c constraints.txt " in install_extra("rslp")
    folder, wheel = tmp_path / "a b", tmp_path / "nlpkit-1-py3-none-any.whl"
    folder.mkdir()
    for path in (folder / "pyproject.toml", folder / "constraints.txt", wheel):
        path.write_text("")
    limits = f"cd '{folder}' && pip install -c constraints.txt"
    origin: dict[str, Any] = {"url": folder.as_uri(), "dir_info": {}}
    assert command(origin, monkeypatch) == f"{limits} '.[rslp]'"
    origin["dir_info"] = {"editable": True}
    assert command(origin, monkeypatch) == f"{limits} -e '.[rslp]'"
    origin = {"url": wheel.as_uri(), "archive_info": {}}
    assert command(origin, monkeypatch) == f"pip install '{wheel}[rslp]'"
    vcs = {"vcs": "git", "commit_id": "abc"}
    said = command({"url": "https://x.org/n.git", "vcs_info": vcs}, monkeypatch)
    assert said == "pip install 'nlpkit[rslp] @ git+https://x.org/n.git@abc'"
    wheel.unlink()
    for unknown in (origin, None):  # the index has another nlpkit: the packages are named
        assert command(unknown, monkeypatch) == "pip install 'a<2' 'nltk>=3.9'"


@pytest.mark.parametrize(
    "args",
    [["--help"], ["--version"], ["sentiment", "--help"], ["clean", "-h"], ["models", "--help"]],
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_help_that_nobody_reads_is_no_error(args: list[str], unbuffered: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "nlpkit", *args],
        stdout=writer,
        stderr=subprocess.PIPE,
        env=environment() | {"PYTHONUNBUFFERED": unbuffered},
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_unknown_commands_have_the_same_near_matches(cli: Cli) -> None:
    done = cli("lemas")
    assert done.returncode == 2 and b"'lemas'. Did you mean 'lemmatize'?" in done.stderr
    assert b"Did you mean" not in cli("limpar").stderr


@pytest.mark.parametrize(
    ("args", "advice"),
    [
        (["sentiment", "Adorei"], "echo 'Adorei' | nlpkit sentiment"),
        (["sentiment", "Muito bom."], "echo 'Muito bom.' | nlpkit sentiment"),
        (["tokenize", "nota 9/10"], "echo 'nota 9/10' | nlpkit tokenize"),
        (["stem", "d'água"], "echo 'd'\"'\"'água' | nlpkit stem"),
        (["sentiment", "Gostei " * 100], "echo 'TEXT' | nlpkit sentiment"),
        (["predict", "-m", "sentiment", "bom"], "echo 'bom' | nlpkit predict ..."),
        (["sentiment", "reviews.csv"], ""),
        (["sentiment", "no folder/reviews.csv"], ""),
        (["sentiment", "folder/reviews"], ""),
        (["evaluate", "sentiment", "Adorei"], ""),
    ],
)
def test_a_text_in_the_place_of_a_file(args: list[str], advice: str, cli: Cli) -> None:
    done = cli(*args)
    said = done.stderr.decode()
    assert (done.returncode, said.count("\n")) == (3, 1) and "no " in said
    assert said.endswith(f"To pass a text: {advice}\n") if advice else "echo" not in said


@pytest.mark.parametrize(
    ("chain", "said"),
    [
        ("clean --for foo", "nlpkit: clean: --for foo: not one of "),
        ("clean | tokenize --lang xx", "nlpkit: tokenize: --lang xx: not one of "),
        ("lemas", "nlpkit: unknown step 'lemas'. Did you mean 'lemmatize'?"),
    ],
)
def test_an_option_is_named_as_it_was_written(chain: str, said: str, cli: Cli) -> None:
    done = cli("pipe", chain, stdin=b"bom\n")
    assert done.returncode == 2 and done.stderr.decode().startswith(said)


def test_a_table_is_named_as_it_was_written(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('steps = [{name = "clean", preset = "foo"}]')
    assert b"[clean] preset = 'foo'" in cli("pipe", "c.toml", stdin=b"bom\n").stderr


def test_paths_with_spaces_are_quoted(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a b.jsonl").write_text("{")
    (tmp_path / "my folder").mkdir()
    for args, said in (
        (["sentiment", "a b.jsonl"], "'a b.jsonl':1"),
        (["sentiment", "c d.csv"], "'c d.csv': no such file"),
        (["sentiment", "my folder"], "'my folder' is a directory"),
        (["train", "c d.toml"], "'c d.toml': no such recipe"),
        (["predict", "-m", "my folder", "a b.jsonl"], "'my folder': not a bundle"),
        (["models", "add", "c d.zip"], "'c d.zip': no such file or folder"),
        (["models", "add", "a b.jsonl"], "'a b.jsonl': neither the folder of a bundle nor"),
        (["stopwords", "--show", "--list", "c d.txt"], "--list 'c d.txt': No such file"),
    ):
        done = cli(*args)
        assert said in done.stderr.decode() and done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("name", ["a b", "d'água", "$HOME", "a;b"])
def test_the_next_command_is_one_that_a_shell_can_run(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    summary: Any = SimpleNamespace(
        dev={}, best_epoch=1, epochs=2, name=name, objective="mlm", parameters=3
    )
    progress = TrainingProgress(quiet=False)
    progress.finish(summary, Path("runs") / name)
    progress.finish_pretraining(summary, Path("runs") / name)
    said = capsys.readouterr().err.splitlines()
    export, train = (line.removeprefix("next: ") for line in said if line.startswith("next: "))
    assert shlex.split(export)[2:] == [f"runs/{name}", "--output", f"export/{name}"]
    assert shlex.split(train)[3:] == ["--init", f"runs/{name}", "--output", "runs/NAME"]
