"""nlpkit sentiment with closed pipes, bad input or wrong options, and on a terminal."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import PATIENCE, environment, wait_until

Made = Callable[[str], Path]
Cli = Callable[..., subprocess.CompletedProcess[bytes]]
PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}


def test_closed_pipe_exits_quietly(tiny_bundle: Made, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("adorei o hotel\n" * 20000)
    command = f"{sys.executable} -m nlpkit sentiment -m {tiny_bundle('atnet')} in.txt"
    script = f"set -o pipefail; {command} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment(), capture_output=True, check=False
    )
    assert done.stderr == b""
    assert done.stdout.splitlines()[1] == b"0"


def test_closed_pipe_exits_while_the_input_waits(tiny_bundle: Made) -> None:
    """Python aborts with 134 if it exits while a thread reads sys.stdin."""
    command = [sys.executable, "-m", "nlpkit", "sentiment", "-m", str(tiny_bundle("atnet"))]
    with subprocess.Popen(command, env=environment(), **PIPES) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(b"adorei\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"positive")
        process.stdout.close()
        process.stdin.write(b"odiei\n")  # stdout is closed; stdin stays open without further input
        process.stdin.flush()
        assert process.wait(timeout=PATIENCE) == 0
        assert process.stderr.read() == b""


def test_closed_stdin_or_stdout_is_an_error(tiny_bundle: Made) -> None:
    command = f"{sys.executable} -m nlpkit sentiment -m {tiny_bundle('atnet')}"
    for closing, said in (("<&-", b"standard input is closed"), (">&-", b"standard output is")):
        done = subprocess.run(
            ["bash", "-c", f"echo oi | {command} {closing}"],
            env=environment(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 2 and said in done.stderr


def test_replacing_a_field_is_reported(sentiment: Cli) -> None:
    given = b'{"text": "adorei", "label": "gold"}\n{"text": "odiei", "label": "gold"}\n'
    done = sentiment("--from", "jsonl", stdin=given)
    assert done.stderr.count(b"\n") == 1 and b"'label' will be replaced" in done.stderr
    done = sentiment("--from", "jsonl", "--into", "said", stdin=given)
    assert done.stderr == b"" and json.loads(done.stdout.splitlines()[0])["label"] == "gold"
    rated = b'{"text": "adorei", "score": 5}\n'
    done = sentiment(
        "--from", "jsonl", "--into", "said", stdin=rated
    )  # keeps its own score as well
    assert done.stderr == b"" and json.loads(done.stdout)["score"] == 5


def test_failed_run_keeps_the_old_output(sentiment: Cli, tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text("adorei\n")
    (tmp_path / "bad.txt").write_bytes(b"adorei\n\xff\xfe\xff\n")
    assert sentiment("good.txt", "-o", "out.jsonl").returncode == 0
    before = (tmp_path / "out.jsonl").read_text()
    assert json.loads(before)["label"] == "positive"
    assert sentiment("bad.txt", "-o", "out.jsonl").returncode == 3
    assert (tmp_path / "out.jsonl").read_text() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.txt", "good.txt", "out.jsonl"]


def test_sigterm_leaves_no_part_file(tiny_bundle: Made, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nlpkit", "sentiment", "-m", str(tiny_bundle("atnet"))]
    with subprocess.Popen(
        [*command, "-o", "out.tsv"], stdin=subprocess.PIPE, cwd=tmp_path, env=environment()
    ) as process:
        assert process.stdin
        process.stdin.write(b"adorei\n")
        process.stdin.flush()
        wait_until(lambda: any(part.stat().st_size for part in tmp_path.glob(".out.tsv.*")))
        process.terminate()
        assert process.wait(timeout=PATIENCE) == 143
    assert list(tmp_path.iterdir()) == []


def test_error_messages_hold_no_escape_sequences(sentiment: Cli) -> None:
    done = sentiment("--from", "csv", stdin=b"id,\x1b[31mx\n1,2\n")
    assert done.returncode == 3 and b"\x1b" not in done.stderr


def test_undecodable_input_is_an_error(sentiment: Cli, tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("adorei\npéssimo\n".encode("latin-1"))
    done = sentiment("latin.txt")
    assert done.returncode == 3
    assert done.stdout.startswith(b"positive\t")
    said = done.stderr.decode()
    assert "latin.txt:2" in said and "try --encoding cp1252 (--errors replace" in said
    assert said.count("\n") == 1
    done = sentiment("latin.txt", "--encoding", "latin-1")
    assert done.stdout.decode().splitlines()[1].endswith("\tpéssimo")
    assert sentiment("latin.txt", "--errors", "replace").returncode == 0


@pytest.mark.parametrize(
    ("make", "args", "code", "said"),
    [
        (None, ["missing.txt"], 3, "missing.txt"),
        ("folder", ["folder"], 3, "directory"),
        (b"\x7fELF\x00\xff\xfe\x00\x01" * 99, ["in.txt"], 3, "binary"),
        (b"id,review\n1,bom\n", ["in.csv"], 3, "Columns: id, review"),
        (b"{nope\n", ["in.jsonl"], 3, "in.jsonl:1"),
        (b"a\n", ["in.txt", "--to", "xml"], 2, "parquet, spacy, tsv"),
        (b"a\n", ["in.txt", "--from", "xslx"], 2, "Did you mean 'xlsx'?"),
        (b"a\n", ["in.txt", "-o", "out.ods"], 2, ".ods is an input format only; name it .xlsx"),
        (b"a\n", ["in.txt", "-o", "out.tsv", "--into", ""], 2, "--into: the name is empty"),
        (b"a\n", ["in.txt", "--dialect", "excel"], 2, "needs CSV output, but the output is tsv"),
        (b"a\n", ["in.txt", "--device", "gpu"], 2, "cuda:N"),
        (b"a\n", ["in.txt", "--encoding", "utf9"], 2, "utf9"),
        (b"a\n", ["in.txt", "-o", "no/such/out.tsv"], 2, "no/such"),
        (b"a\n", ["in.txt", "--whole", "--column", "x"], 2, "--whole"),
        (b"a\n", ["in.txt", "--model", "sentimnt-nothing"], 4, "no model"),
    ],
)
def test_errors_are_one_line(
    make: bytes | str | None, args: list[str], code: int, said: str, sentiment: Cli, tmp_path: Path
) -> None:
    if make == "folder":
        (tmp_path / "folder").mkdir()
    elif isinstance(make, bytes):
        (tmp_path / args[0]).write_bytes(make)
    done = sentiment(*args)
    assert done.returncode == code, done.stderr
    assert said in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1
    assert done.stdout == b""


def test_unavailable_cuda_is_an_error(sentiment: Cli) -> None:
    """With a working GPU, the same command runs on it."""
    from nlpkit.runtime.device import why_no_cuda

    done = sentiment("--device", "cuda", "-v", stdin=b"adorei\n")
    if why_no_cuda():
        assert done.returncode == 5
        assert done.stdout == b"" and done.stderr.count(b"\n") == 1
        assert b"--device cuda: " in done.stderr
    else:
        assert done.returncode == 0 and b"on CUDA" in done.stderr


def test_verbose_reports_the_chosen_device_once(sentiment: Cli) -> None:
    done = sentiment("-v", stdin=b"adorei\nodiei\n")
    assert done.returncode == 0
    assert done.stderr.count(b"\n") == 1 and b" on C" in done.stderr


def test_surrogates_in_jsonl_are_accepted(sentiment: Cli) -> None:
    done = sentiment("--from", "jsonl", stdin=b'{"text": "adorei \\ud83d"}\n{"text": "odiei"}\n')
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2


@pytest.mark.parametrize("args", [[], ["sentiment"], ["train"], ["models", "architectures"]])
def test_help_imports_nothing_heavy(args: list[str]) -> None:
    heavy = "onnxruntime numpy torch spacy tokenizers pandas"
    code = (
        "import sys; from nlpkit.cli.app import app\n"
        f"try: app({[*args, '--help']!r})\n"
        "except SystemExit: pass\n"
        f"print([name for name in {heavy.split()!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, check=True
    )
    assert done.stderr.strip() == b"[]"
    assert b"Usage" in done.stdout


def test_prediction_imports_neither_torch_nor_spacy(tiny_bundle: Made) -> None:
    code = (
        "import sys, nlpkit\n"
        f"nlpkit.load({str(tiny_bundle('atnet'))!r}, device='cpu').predict(['adorei'])\n"
        "print([n for n in ('torch', 'spacy', 'pandas', 'onnx', 'rich') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, check=True
    )
    assert done.stdout.strip() == b"[]"


def test_terminal_output_is_a_table(tiny_bundle: Made, tmp_path: Path) -> None:
    import pty

    (tmp_path / "in.txt").write_text("adorei\n\nodiei\n\x1b[2Jreunião da portaria\n")
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "nlpkit", "sentiment", "-m", str(tiny_bundle("atnet"))]
    process = subprocess.Popen(
        [*command, "in.txt"],
        stdout=child,
        stderr=child,
        stdin=child,
        cwd=tmp_path,
        env=environment() | {"TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "80"},
    )
    os.close(child)
    shown = b""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            part = os.read(parent, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    assert process.wait(timeout=PATIENCE) == 0
    text = shown.decode()
    assert "positive" in text and "█" in text and "4 documents in" in text
    assert "\x1b[2J" not in text


# Runs the command with a very long pause before a chunk that is not full, and prints the size of
# each chunk to stderr.
TELLING = """
import sys
from nlpkit.runtime import stream
stream.PAUSE = float(sys.argv.pop(1))
chunks = stream.Shelf.chunks
def told(shelf, items):
    for chunk in chunks(shelf, items):
        print(len(chunk), file=sys.stderr)
        yield chunk
stream.Shelf.chunks = told
from nlpkit.__main__ import main
main()
"""


def test_line_buffered_answers_each_line_at_once(tiny_bundle: Made) -> None:
    command = [sys.executable, "-c", TELLING, str(2 * PATIENCE), "sentiment"]
    command += ["--model", str(tiny_bundle("atnet"))]
    for option, sizes in (([], [12]), (["--line-buffered"], [1] * 12)):
        with subprocess.Popen([*command, *option], env=environment(), **PIPES) as process:
            assert process.stdin and process.stdout and process.stderr
            for number in range(12):
                process.stdin.write(f"adorei {number}\n".encode())
                process.stdin.flush()
                if option:  # the answer comes before the next line is sent
                    assert process.stdout.readline().endswith(f"adorei {number}\n".encode())
            process.stdin.close()
            rest = process.stdout.read().splitlines()
            assert len(rest) == (0 if option else 12)
            assert [*map(int, process.stderr.read().split())] == sizes


def test_compressed_stdin_is_reported(sentiment: Cli) -> None:
    done = sentiment(stdin=gzip.compress(b"adorei\n" * 50))
    assert done.returncode == 3
    assert b"it is gzip" in done.stderr and b"zcat" in done.stderr
    done = sentiment(stdin="não".encode()[:-2])
    assert done.returncode == 3
    assert b"cut short" in done.stderr


def test_a_model_without_labels_is_refused(quick_cli: Cli) -> None:
    done = quick_cli("sentiment", "--model", "base", stdin=b"oi\n")
    assert done.returncode == 4 and b"gives no labels" in done.stderr
