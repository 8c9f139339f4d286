"""Privacy: no file is written to the home folder and no host name is looked up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Made, environment

# Answers one text and stays until ONNX Runtime would have called its makers: ten seconds after
# its import it looked two names up, in each of several runs.
STAYS = 15  # seconds
STAY = """
import sys, time
import nlpkit
model = nlpkit.load(sys.argv[1], device="cpu")
model.predict(["Adorei!"])
time.sleep(float(sys.argv[2]))
"""


def stay(bundle: Path, home: Path, seconds: float) -> str:
    """Return the stderr of a process that predicts with an empty home and a resolver trap.

    glibc reads the file $RESOLV_HOST_CONF at the first lookup and prints an error for a line that
    it does not know.
    """
    trap = home.parent / "host.conf"
    trap.write_text("lookup-made\n")
    told = {"HOME": str(home), "RESOLV_HOST_CONF": str(trap), "XDG_CACHE_HOME": str(home / ".c")}
    done = subprocess.run(
        [sys.executable, "-c", STAY, str(bundle), str(seconds)],
        capture_output=True,
        text=True,
        env=environment() | told,
        check=True,
    )
    return done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the trap is glibc's")
def test_the_resolver_trap_detects_a_lookup(tmp_path: Path) -> None:
    trap = tmp_path / "host.conf"
    trap.write_text("lookup-made\n")
    code = "import socket\ntry: socket.getaddrinfo('host.invalid', 80)\nexcept OSError: pass"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment() | {"RESOLV_HOST_CONF": str(trap)},
        check=True,
    )
    assert "lookup-made" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the trap is glibc's")
def test_prediction_writes_no_file_and_looks_up_no_name(tiny_bundle: Made, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    assert stay(tiny_bundle("atnet"), home, STAYS) == ""
    assert [*home.iterdir()] == []


def test_telemetry_is_off_before_onnx_runtime_is_imported() -> None:
    code = "import nlpkit, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    loud = environment() | {"ORT_DISABLE_TELEMETRY": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=loud, cwd=ROOT, check=True
    )
    assert done.stdout == "1\n"


def test_a_home_that_cannot_be_written_is_no_warning(tiny_bundle: Made, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("a file in its place: nobody can write below it, root neither")
    assert stay(tiny_bundle("atnet"), home, seconds=0) == ""


def test_onnx_runtime_imported_before_is_told() -> None:
    quiet = environment() | {"ORT_DISABLE_TELEMETRY": "1"}
    for env, said in ((environment(), "import nlpkit first"), (quiet, "")):
        code = (
            "import sys, types; sys.modules['onnxruntime'] = types.ModuleType('x'); import nlpkit"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True
        )
        assert said in done.stderr and bool(done.stderr) == bool(said)


def test_the_exporter_imports_onnx_runtime_after_telemetry_is_off(tmp_path: Path) -> None:
    code = (
        "import nlpkit.exporting.export, nlpkit.batch.actors, nlpkit.jobs.doctor as d; d.examine()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment() | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)},
        check=True,
    )
    assert not [*tmp_path.glob("**/onnxruntime*"), *tmp_path.glob("**/Microsoft*")], done.stderr


@pytest.mark.parametrize("command", ["sentiment", "lemmatize"])
def test_commands_leave_an_empty_home_empty(command: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "nlpkit", command],
        input=b"Adorei o filme\n",
        capture_output=True,
        env=environment() | {"HOME": str(home)},
        check=True,
    )
    assert done.stdout and not done.stderr
    assert [*home.iterdir()] == []


def test_batch_workers_write_nothing_to_the_home_folder(tmp_path: Path) -> None:
    home, texts = tmp_path / "home", tmp_path / "texts.txt"
    home.mkdir()
    texts.write_text("Adorei\nOdiei\n" * 10, encoding="utf-8")
    options = [str(texts), "-o", str(tmp_path / "out"), "-w", "2", "--shard-size", "5", "-q"]
    subprocess.run(
        [sys.executable, "-m", "nlpkit", "batch", *options],
        capture_output=True,
        env=environment() | {"HOME": str(home)},
        check=True,
    )
    assert [*home.iterdir()] == []
