"""Preprocessing steps as commands, and `nlpkit pipe`."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PATIENCE, ROOT, Cli, children_of, environment, has_ended, wait_until

from nlpkit import catalog
from nlpkit.chain import Pipeline
from nlpkit.errors import InputError
from nlpkit.jobs.steps import process
from nlpkit.records.reading import Reading
from nlpkit.settings.links import links_of

STEPS = catalog.names("steps")
LINES = (
    "Não gostei do produto (veio quebrado)...\n\n  Disse-lhe: 'adorei'!  \n"
    "@ana veja http://a.com/b?c=1 :) 👍\nA comida estava ótima, mas o serviço não.\n"
)
CHAIN = ("tokenize --contractions split", "stopwords --add produto", "stem")


@pytest.mark.parametrize("format", ["lines", "jsonl", "csv"])
def test_pipe_equals_the_chain_of_commands_byte_for_byte(
    format: str, cli: Cli, tmp_path: Path
) -> None:
    content = {
        "lines": LINES.encode(),
        "jsonl": "".join(
            json.dumps({"id": n, "text": line, "offsets": ["mine"], "upos": list("abc")[:n]}) + "\n"
            for n, line in enumerate(LINES.splitlines())
        ).encode(),
        "csv": b'id,text\n1,A casa azul\n2,\n3,"uma\ncoisa, outra"\n',
    }[format]
    passed = content
    for step in CHAIN:
        done = cli(*shlex.split(step), "--from", format, stdin=passed)
        assert done.returncode == 0, done.stderr
        passed = done.stdout
    for workers in ("1", "2"):
        options = ("--from", format, "--workers", workers)
        piped = cli("pipe", " | ".join(CHAIN), *options, stdin=content)
        assert piped.returncode == 0, piped.stderr
        assert piped.stdout == passed
    if format == "lines":
        assert passed.count(b"\n") == LINES.count("\n")


def test_pipe_from_a_toml_file(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "chain.toml"
    file.write_text('steps = ["tokenize", {name = "stopwords", keep = "none"}]', encoding="utf-8")
    assert cli("pipe", "chain.toml", stdin="não é caro".encode()).stdout == b"caro\n"
    file.write_text('steps = ["tokenise"]', encoding="utf-8")
    done = cli("pipe", "chain.toml", stdin=b"x")
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert b"chain.toml: unknown step 'tokenise'. Did you mean 'tokenize'?" in done.stderr
    assert cli("pipe", "nowhere.toml", stdin=b"x").returncode == 3


def test_dry_run_shows_the_output_of_each_step(cli: Cli) -> None:
    done = cli("pipe", "tokenize | stopwords", "--dry-run", stdin=LINES.encode())
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode()
    assert "Não gostei do produto (veio quebrado)..." in shown
    assert "Não gostei do produto ( veio quebrado ) ..." in shown
    assert "serviço" not in shown  # the fifth document


def test_fields_are_kept_and_into_adds_one(cli: Cli) -> None:
    line = b'{"id": 7, "text": "A casa", "x": [1]}\n'
    done = cli("tokenize", "--from", "jsonl", "--into", "tokens", stdin=line)
    assert json.loads(done.stdout) == {
        "id": 7,
        "text": "A casa",
        "x": [1],
        "tokens": ["A", "casa"],
        "offsets": [[0, 1], [2, 6]],
    }
    done = cli("stem", "--into", "stems", stdin=b"Gostei muito\n")
    assert done.stdout == b"text\tstems\nGostei muito\tgost muit\n"


def test_invalid_input_is_reported(cli: Cli) -> None:
    done = cli("tokenize", "--from", "jsonl", stdin=b'{"text": "a"}\n{"text": 5}\n')
    assert done.returncode == 3
    assert done.stdout.count(b"\n") == 1  # the line before the error is written
    assert b"stdin:2: the text in 'text' is a number" in done.stderr
    assert cli("tokenize", "nowhere.txt").returncode == 3
    assert cli("stopwords", "--keep", "some", stdin=b"x").returncode == 2
    vectors = cli("pipe", "vectorize --method hash --features 8", "--to", "csv", stdin=b"a b\n")
    assert vectors.returncode == 2
    assert b"--to jsonl" in vectors.stderr


def test_results_before_an_error_are_written(cli: Cli) -> None:
    for workers in ("1", "2"):
        done = cli("stem", "--workers", workers, stdin=b"gostei\n\xff\n")
        assert done.stdout == b"gost\n"
        assert done.returncode == 3
        assert done.stderr.count(b"\n") == 1


def test_worker_errors_equal_those_without_workers(cli: Cli, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("casa\n", encoding="utf-8")
    links = links_of([f"stopwords --list {listed}"])
    chain = Pipeline(links)
    listed.unlink()
    reading = Reading(inputs=[str(tmp_path / "in.txt")])
    (tmp_path / "in.txt").write_text("a casa\n", encoding="utf-8")
    with pytest.raises(InputError, match="list.txt: No such file"):
        list(process(chain, reading, into=None, full=False, workers=2))


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="POSIX signals")
def test_second_ctrl_c_stops_workers_at_once(tmp_path: Path) -> None:
    """The first signal comes after the first answer, the second after a worker has exited."""
    answers = tmp_path / "answers.txt"
    command = [sys.executable, "-m", "nlpkit", "stem", "--workers", "2"]
    with (
        answers.open("wb") as output,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # stays open, so that only a signal ends the process
            stdout=output,
            stderr=subprocess.PIPE,
            env=environment(),
            cwd=tmp_path,
            start_new_session=True,
        ) as running,
    ):
        assert running.stdin is not None and running.stderr is not None
        running.stdin.write(b"a casa azul\n" * 5_000)
        running.stdin.flush()
        wait_until(lambda: answers.stat().st_size)
        children = children_of(running.pid)
        os.killpg(running.pid, signal.SIGINT)
        wait_until(lambda: any(map(has_ended, children)))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGINT)
        assert running.wait(PATIENCE) == 130
        assert b"Traceback" not in running.stderr.read()


def test_show_and_steps_commands(cli: Cli) -> None:
    shown = cli("stopwords", "--show").stdout.decode().split()
    assert "para" in shown
    assert "não" not in shown
    listed = json.loads(cli("steps", "--to", "json").stdout)
    assert [step["name"] for step in listed] == STEPS
    assert "stopwords" in cli("steps", "stopwords").stdout.decode()
    assert cli("steps", "claen").returncode == 2


def test_step_reference_is_up_to_date(cli: Cli) -> None:
    written = (ROOT / "docs" / "step-reference.md").read_text(encoding="utf-8")
    said = cli("steps", "--to", "markdown").stdout.decode()
    assert written == said, "nlpkit steps --to markdown > docs/step-reference.md"


def test_every_step_is_a_command_with_help(cli: Cli) -> None:
    listed = cli("--help").stdout.decode()
    for name in STEPS:
        assert name in listed
        assert cli(name, "--help").returncode == 0


def test_slow_input_is_answered_line_by_line(tmp_path: Path) -> None:
    for workers in ("1", "2"):
        command = [sys.executable, "-m", "nlpkit", "stem", "--workers", workers]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), cwd=tmp_path
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for word in (b"gostei", b"gostaram"):
                process.stdin.write(word + b"\n")
                process.stdin.flush()
                assert process.stdout.readline() == b"gost\n"
            process.stdin.close()
            assert process.wait(PATIENCE) == 0


def test_filters_import_neither_torch_nor_spacy_cli(tmp_path: Path) -> None:
    code = (
        "import os, sys; os.environ['NLPKIT_LEAN_SPACY'] = '1'\n"
        "import nlpkit; nlpkit.pipeline('tokenize')('a b')\n"
        "print('torch' in sys.modules, 'spacy.cli' in sys.modules, 'spacy' in sys.modules)\n"
        "import torch; print(torch.ones(1).item())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment(), cwd=ROOT, check=False
    )
    assert done.stdout.split() == [b"False", b"False", b"True", b"1.0"], done.stderr


def test_an_output_never_replaces_what_it_is_made_of(quick_cli: Cli, tmp_path: Path) -> None:
    content = b"Maria mora em Recife\n"
    for name in ("in.txt", "key.json"):
        (tmp_path / name).write_bytes(content)
    done = quick_cli("clean", "in.txt", "--restore", "key.json", "-o", "key.json")
    assert done.returncode == 2 and b"is the file of --restore; name another" in done.stderr
    done = quick_cli("clean", "in.txt", "--to", "jsonl", "-o", "in.txt")
    assert done.returncode == 2 and b"is an input of lines, and the output would be" in done.stderr
    assert all((tmp_path / name).read_bytes() == content for name in ("in.txt", "key.json"))
    assert quick_cli("clean", "in.txt", "-o", "in.txt").returncode == 0


def test_spans_of_another_text_are_left_out(quick_cli: Cli) -> None:
    spans = [{"start": 5, "end": 8, "type": "PER"}]
    rows = [{"text": "Fui  ver  Ana", "entities": spans}, {"text": "ver Ana", "entities": spans}]
    given = "".join(json.dumps(row) + "\n" for row in rows).encode()
    done = quick_cli("clean", "--from", "jsonl", stdin=given)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"text": "Fui ver Ana"},
        rows[1],  # unchanged
    ]
    done = quick_cli("clean", "--from", "jsonl", "--to", "conll", stdin=given)
    assert done.returncode == 2 and b"conll holds entities, but not texts alone" in done.stderr
