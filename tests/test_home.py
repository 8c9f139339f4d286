"""The user's folder of models: where it cannot be read, the models of nlpkit still work."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest
from conftest import Cli

from nlpkit import zoo
from nlpkit.errors import ModelError, UsageError

TOO_LONG = "x" * 300  # a name that no system reads, not for root either


@pytest.fixture(autouse=True)
def no_folders_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NLPKIT_HOME", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)


def test_a_folder_that_cannot_be_read_holds_no_bundles(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for home in (file, tmp_path / TOO_LONG, tmp_path / "no such", Path("/dev/null")):
        monkeypatch.setenv("HOME", str(home))
        assert zoo.find_bundle("sentiment").name == "sentiment"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do all")
def test_a_home_of_somebody_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tmp_path.chmod(0)
    monkeypatch.setenv("HOME", str(tmp_path))
    try:
        assert zoo.find_bundle("sentiment").name == "sentiment"
        with pytest.raises(ModelError, match="Permission denied"):
            zoo.find_bundle(str(tmp_path / "mine"))
    finally:
        tmp_path.chmod(0o700)


def test_without_a_home_there_are_the_models_of_nlpkit(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> NoReturn:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert zoo.find_bundle("sentiment").name == "sentiment"
    assert not zoo.is_own("/tmp/x")
    with pytest.raises(UsageError, match="NLPKIT_HOME"):
        zoo.user_folder()


def test_a_path_that_cannot_be_looked_at_is_a_model_error(cli: Cli) -> None:
    done = cli("predict", "--model", f"/tmp/{TOO_LONG}", stdin=b"bom\n")
    assert (done.returncode, done.stderr.count(b"\n")) == (4, 1)


def test_bundles_of_a_home_with_spaces_are_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mine = tmp_path / "ho me" / ".local/share/nlpkit/bundles/mine"
    mine.mkdir(parents=True)
    (mine / "bundle.json").write_text("{}")
    monkeypatch.setenv("HOME", str(tmp_path / "ho me"))
    assert zoo.find_bundle("mine") == mine and zoo.is_own(str(mine))
    with pytest.raises(ModelError, match="'/.*ho me/.*/mine': has bundle format"):
        zoo.load("mine")
