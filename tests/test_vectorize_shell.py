"""nlpkit vectorize in a shell: pipes, terminals, closed pipes, missing extras."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import Cli, environment
from vectorize_helpers import docs as docs, model as model


def test_binary_format_to_a_pipe(cli: Cli, model: Path, docs: Path) -> None:
    done = cli("vectorize", "--with", "model.json", "--to", "npy", stdin=docs.read_bytes())
    assert done.returncode == 0, done.stderr
    assert np.load(io.BytesIO(done.stdout)).shape == (5, 5)


def test_binary_format_to_a_terminal_is_refused(model: Path, docs: Path, tmp_path: Path) -> None:
    main, side = os.openpty()
    command = [sys.executable, "-m", "nlpkit", "vectorize", "--with", model, "--to", "npz", docs]
    done = subprocess.run(
        command, stdout=side, stderr=subprocess.PIPE, env=environment(), check=False
    )
    os.close(side), os.close(main)
    assert done.returncode == 2 and b"npz is binary; name a file with --output" in done.stderr


def test_closed_pipe_exits_quietly(model: Path, tmp_path: Path) -> None:
    (tmp_path / "many.txt").write_text("bom dia\n" * 100_000, encoding="utf-8")
    nlpkit_ = f"{sys.executable} -m nlpkit vectorize --with {model} many.txt"
    script = f"{nlpkit_} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, cwd=tmp_path, env=environment(), check=False
    )
    assert done.stdout.startswith(b"0 0:0.") and done.stdout.endswith(b"\n0\n")
    assert done.stdout.count(b"\n") == 2 and done.stderr == b""


def test_stream_is_answered_line_by_line(model: Path) -> None:
    command = [sys.executable, "-m", "nlpkit", "vectorize", "--with", model]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdin and process.stdout
        process.stdin.write(b"bom\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"0 0:1\n"
        process.stdin.close()
        assert process.wait() == 0


@pytest.mark.parametrize(
    ("missing", "args", "said"),
    [
        ("sklearn", ("--fit", "m.json"), b"this needs scikit-learn"),
        ("sklearn", ("--method", "hash"), b"'.[vectors]'"),
        ("pyarrow", ("--method", "hash", "-o", "v.parquet"), b"this needs pyarrow"),
    ],
)
def test_missing_extra_is_one_line(
    missing: str, args: tuple[str, ...], said: bytes, cli: Cli, docs: Path, tmp_path: Path
) -> None:
    (tmp_path / f"{missing}.py").write_text(f"raise ModuleNotFoundError(name='{missing}')")
    path = f"{tmp_path}{os.pathsep}{environment()['PYTHONPATH']}"
    done = cli("vectorize", *args, docs, PYTHONPATH=path)
    assert done.returncode == 2 and said in done.stderr, done.stderr
    assert done.stderr.count(b"\n") == 1


def test_help_imports_nothing_heavy() -> None:
    check = (
        "import sys; from typer.testing import CliRunner; from nlpkit.cli.app import app\n"
        "done = CliRunner().invoke(app, ['vectorize', '--help'])\n"
        "assert done.exit_code == 0 and '--max-df' in done.stdout\n"
        "heavy = {'numpy', 'scipy', 'sklearn', 'pyarrow'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", check], check=True, env=environment())
