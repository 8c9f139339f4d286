"""The commands evaluate, predict, models, init and doctor, and the package itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT

import nlpkit
from nlpkit import catalog, errors

Made = Callable[[str], Path]
Cli = Callable[..., subprocess.CompletedProcess[bytes]]


def test_evaluate_gives_a_bundle_and_its_run_similar_scores(
    quick_cli: Cli, data: Path, tiny_bundle: Made, tiny_run: Made
) -> None:
    scores = []
    for model in (tiny_bundle("atnet"), tiny_run("atnet")):
        done = quick_cli("evaluate", model, data / "test.jsonl", "--to", "json", "--device", "cpu")
        assert done.returncode == 0, done.stderr
        scores.append(json.loads(done.stdout))
    keys = {"macro_f1", "accuracy", "ece", "n", "macro_f1_interval", "per_class", "confusion"}
    assert keys <= scores[0].keys()
    assert scores[0]["macro_f1"] > 0.9
    assert abs(scores[0]["macro_f1"] - scores[1]["macro_f1"]) < 0.05


def test_evaluate_shows_a_table(cli: Cli, data: Path, tiny_bundle: Made) -> None:
    done = cli("evaluate", tiny_bundle("atnet"), data / "test.jsonl", COLUMNS="120")
    lines = done.stdout.decode().splitlines()
    assert any("macro_f1" in line for line in lines) and any("recall" in line for line in lines)
    for label in ("negative", "neutral", "positive"):  # a row each, with a number in every cell
        (row,) = [line for line in lines if line.startswith(label)]
        assert len(row.split()) == 8


def test_missing_extra_is_one_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('no torch', name='torch')")
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    for args in (
        ["models", "architectures"],
        ["init", "recipe", "--arch", "lstm"],
        ["train", "--arch", "lstm", "--train", "a.jsonl", "--dev", "b.jsonl"],
    ):
        done = cli(*args, PYTHONPATH=path)
        assert done.returncode == 2 and b"'.[train]'" in done.stderr, done.stderr
        assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b'{"text": "bom", "sentiment": "positive"}\n', 3, "has no 'label'"),
        (b'{"text": "bom", "label": "good"}\n', 3, "a.jsonl:1: unknown label 'good'"),
        (b'{"txt": "bom", "label": "positive"}\n', 3, "no column 'text'. Did you mean 'txt'?"),
        (b'{"text": "", "label": "positive"}\n', 3, "no rows"),
    ],
)
def test_evaluate_errors(
    content: bytes, code: int, said: str, cli: Cli, tmp_path: Path, tiny_bundle: Made
) -> None:
    (tmp_path / "a.jsonl").write_bytes(content)
    done = cli("evaluate", tiny_bundle("atnet"), "a.jsonl")
    assert done.returncode == code
    assert said in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


def test_predict_equals_sentiment_for_the_same_model(cli: Cli, tiny_bundle: Made) -> None:
    model = ("--model", tiny_bundle("atnet"))
    given = b"adorei\nodiei\n"
    assert (
        cli("predict", *model, stdin=given).stdout == cli("sentiment", *model, stdin=given).stdout
    )
    assert cli("predict", stdin=given).returncode == 2


def test_models_lists_what_is_installed(cli: Cli, tiny_bundle: Made, tmp_path: Path) -> None:
    (tmp_path / "home/bundles").mkdir(parents=True)
    (tmp_path / "home/bundles/mine").symlink_to(tiny_bundle("atnet"))
    (tmp_path / "home/bundles/broken").mkdir()
    (tmp_path / "home/bundles/broken/bundle.json").write_text("{}")
    done = cli("models", "--to", "json", NLPKIT_HOME=str(tmp_path / "home"))
    entries = {Path(entry["path"]).name: entry for entry in json.loads(done.stdout)}
    assert entries["mine"]["task"] == "sentiment"
    assert entries["mine"]["architecture"] == "atnet"
    assert "format None" in entries["broken"]["problem"]
    done = cli("sentiment", "-m", "mine", stdin=b"adorei\n", NLPKIT_HOME=str(tmp_path / "home"))
    assert done.stdout.startswith(b"positive")


def test_models_architectures_lists_settings(quick_cli: Cli) -> None:
    found = json.loads(quick_cli("models", "architectures", "--to", "json").stdout)
    assert [entry["name"] for entry in found] == catalog.names("architectures")
    for entry in found:
        assert entry["use_when"]
        assert all(setting["help"] for setting in entry["settings"])


def test_doctor_reports_devices_and_versions(cli: Cli) -> None:
    done = cli("doctor", "--to", "json")
    report = json.loads(done.stdout)
    assert report["devices"]["cpu"] == {"works": True, "provider": "CPUExecutionProvider"}
    assert report["versions"]["numpy"]
    cuda = report["devices"]["cuda"]
    assert cuda["works"] or cuda["reason"]
    shown = cli("doctor").stdout.decode()
    assert "cpu: CPUExecutionProvider" in shown and "cuda" in shown


def test_misspelt_command_or_option_exits_2(cli: Cli) -> None:
    done = cli("sentimen")
    assert done.returncode == 2 and b"Did you mean 'sentiment'" in done.stderr
    assert cli("sentiment", "--modle", "x").returncode == 2
    assert cli("init", "recipe", "--arch", "lsmt").returncode == 2


def test_help_names_every_command(cli: Cli) -> None:
    shown = cli("--help", COLUMNS="100").stdout.decode()
    for name in catalog.names("commands"):
        assert f"\n  {catalog.shown(name)} " in shown


def test_locale_does_not_matter(cli: Cli, tiny_bundle: Made, data: Path) -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for args in (["models"], ["doctor"], ["evaluate", tiny_bundle("bow"), data / "dev.jsonl"]):
        assert cli(*args, **plain).stderr == b""


def test_exit_codes_of_errors() -> None:
    def below(cls: type) -> list[type]:
        return [cls, *(child for sub in cls.__subclasses__() for child in below(sub))]

    codes = {cls.__name__: cls.exit_code for cls in below(errors.NlpkitError)}  # type: ignore[attr-defined]
    assert codes == {
        "NlpkitError": 1,
        "UsageError": 2,
        "NoSpace": 2,
        "MissingExtra": 2,
        "InputError": 3,
        "NoColumn": 3,
        "NoFile": 3,
        "ModelError": 4,
        "DeviceError": 5,
        "GateError": 6,
    }


def test_public_names_can_be_imported() -> None:
    for name in nlpkit.__all__:
        assert getattr(nlpkit, name)
    with pytest.raises(AttributeError):
        nlpkit.nothing  # noqa: B018


def test_version_and_changelog_agree(cli: Cli) -> None:
    assert cli("--version").stdout.decode().strip() == f"nlpkit {nlpkit.__version__}"
    assert f"## {nlpkit.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_wheel_works_outside_the_checkout(tmp_path: Path) -> None:
    """Build the wheel, install it in a clean environment and predict with its model."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
    subprocess.run([*build, tmp_path, ROOT], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    venv.create(tmp_path / "venv", symlinks=True)
    python = tmp_path / "venv/bin/python"
    install = ["pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel]
    subprocess.run([sys.executable, "-m", *install], check=True, capture_output=True)
    # Dependencies come from this environment; the files of the wheel come first on the path.
    purelib = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    (Path(purelib) / "parent.pth").write_text(str(Path(pytest.__file__).parents[1]) + "\n")
    (tmp_path / "in.txt").write_text("Adorei!\n", encoding="utf-8")
    check = "import nlpkit, sys; assert sys.prefix in nlpkit.__file__, nlpkit.__file__"
    subprocess.run([python, "-c", check], check=True, cwd=tmp_path)
    done = subprocess.run(
        [tmp_path / "venv/bin/nlpkit", "sentiment", "in.txt"],
        check=False,
        capture_output=True,
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.startswith(b"positive\t")
    listed = subprocess.run(
        [python, "-m", "nlpkit", "models", "--to", "json"],
        check=True,
        capture_output=True,
        cwd=tmp_path,
    )
    entries = json.loads(listed.stdout)
    paths = [entry["path"] for entry in entries if entry["architecture"] != "rules"]
    assert paths and all("_bundles" in path for path in paths)
