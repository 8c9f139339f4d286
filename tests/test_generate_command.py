"""nlpkit generate: prompts and sources in every form, samples, chances, and messages."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import PATIENCE, ROOT, Cli, environment
from writing_helpers import language_model, scripted, writer

from nlpkit import zoo
from nlpkit.cli.screen.writing import stream
from nlpkit.jobs import generate as job
from nlpkit.records.reading import Reading
from nlpkit.runtime.writing import Manner

Asked = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def asked(quick_cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Asked]:
    """Return a function from a model to the command `nlpkit generate` with it."""

    def of(model: Any) -> Asked:
        monkeypatch.setattr(zoo, "load", lambda name, **options: model)

        def run(*args: object, **options: Any) -> subprocess.CompletedProcess[bytes]:
            return quick_cli("generate", *map(str, args), **options)

        return run

    return of


def lines(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
    return done.stdout.decode().split("\n")[:-1]


def test_each_line_is_continued_in_order(asked: Callable[[Any], Asked]) -> None:
    run = asked(language_model())
    prompts = ["O gato", "", "o pato", " ", "coração"]
    written = lines(run("--max-tokens", 4, stdin="\r\n".join(prompts).encode()))
    assert len(written) == 5 and written[1] == written[3] == ""
    for prompt, text in zip(prompts, written, strict=True):
        alone = lines(run("--max-tokens", 4, stdin=prompt.encode() + b"\n"))
        assert text.startswith(prompt.strip()) and alone == [text]


def test_a_text_of_several_lines_stays_one_record(asked: Callable[[Any], Asked]) -> None:
    run = asked(scripted(" um\ndois\\n", "Diz"))
    assert lines(run(stdin=b"Diz\n")) == [r"Diz um\ndois\\n"]
    (record,) = lines(run("--to", "jsonl", stdin=b"Diz\n"))
    assert json.loads(record) == {"text": "Diz", "output": "Diz um\ndois\\n"}


def test_other_formats_get_a_field(asked: Callable[[Any], Asked], tmp_path: Path) -> None:
    run = asked(scripted(" mia", "gato"))
    (tmp_path / "in.csv").write_text("id,frase\n1,gato\n2,\n", encoding="utf-8")
    done = run("in.csv", "--column", "frase")
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert rows == [
        {"id": "1", "frase": "gato", "output": "gato mia"},
        {"id": "2", "frase": "", "output": ""},
    ]
    (tmp_path / "in.jsonl").write_text('{"text": "gato", "n": {"a": [1]}}\n', encoding="utf-8")
    (record,) = lines(run("in.jsonl", "--into", "novo", "--samples", 2))[:1]
    assert json.loads(record) == {"text": "gato", "n": {"a": [1]}, "sample": 1, "novo": "gato mia"}


def test_empty_input_gives_no_line(asked: Callable[[Any], Asked]) -> None:
    done = asked(language_model())(stdin=b"")
    assert (done.returncode, done.stdout) == (0, b"") and b"no records" in done.stderr


def test_prompts_on_the_command_line(asked: Callable[[Any], Asked]) -> None:
    run = asked(language_model())
    both = lines(run("--prompt", "O gato", "-p", "", "--max-tokens", 3))
    assert len(both) == 2 and both[0].startswith("O gato")
    assert both[1:] == lines(run("--prompt", "", "--max-tokens", 3))
    assert lines(run("--prompt", "oi \udcff", "--max-tokens", 1))[0].startswith("oi ?")
    done = run("--prompt", "a", "file.txt")
    assert done.returncode == 2 and b"exclude each other" in done.stderr


def test_same_seed_same_text_and_samples_differ(asked: Callable[[Any], Asked]) -> None:
    run = asked(language_model())
    options = ("--prompt", "O gato", "--max-tokens", 9, "--temperature", 1)
    one = lines(run(*options, "--samples", 3))
    assert one == lines(run(*options, "--samples", 3)) and len(set(one)) == 3
    assert lines(run(*options)) == one[:1]
    assert lines(run(*options, "--seed", 1)) != one[:1]


def test_temperature_0_and_top_k_1_take_the_likeliest(asked: Callable[[Any], Asked]) -> None:
    run = asked(language_model())
    options = ("--prompt", "O gato", "--max-tokens", 9)
    greedy = lines(run(*options, "--temperature", 0))
    for chance in (("--top-k", 1), ("--top-p", 0), ("--min-p", 1)):
        assert lines(run(*options, *chance)) == greedy
    assert len(lines(run(*options, "--beams", 3))) == 1


def test_stops_end_the_text(asked: Callable[[Any], Asked]) -> None:
    run = asked(scripted(" um. Dois. Três", "Diz"))
    assert lines(run("-p", "Diz", "--stop", "Três", "--stop", ". ")) == ["Diz um"]


def test_log_probabilities_sum_to_the_score(asked: Callable[[Any], Asked]) -> None:
    run = asked(language_model())
    (record,) = lines(run("-p", "O gato", "--max-tokens", 5, "--temperature", 0, "--logprobs"))
    values = json.loads(record)
    pairs = values["output_logprobs"]
    mean = sum(number for _, number in pairs) / len(pairs)
    assert values["output_score"] == pytest.approx(mean, abs=1e-3) and 1 <= len(pairs) <= 5
    done = run("-p", "a", "--logprobs", "--to", "csv")
    assert done.returncode == 2 and b"--logprobs needs JSON, not --to csv" in done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--beams", 2, "--temperature", 0.5), b"leave --temperature out"),
        (("--beams", 2, "--repeat-penalty", 1.5), b"leave --repeat-penalty out"),
        (("--temperature", 101), b"give a number from 0 to 100"),
        (("--top-p", 2), b"top-p"),
        (("--max-tokens", 0), b"max-tokens"),
        (("--samples", 0), b"samples"),
        (("--beams", 65), b"beams"),
        (("--to", "xml"), b"--to xml: not one of"),
        (("--into", " "), b"--into"),
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_refused(
    args: tuple[object, ...], said: bytes, asked: Callable[[Any], Asked]
) -> None:
    done = asked(language_model())("-p", "a", *args)
    assert done.returncode == 2 and said in done.stderr
    assert b"Traceback" not in done.stderr


def test_model_that_writes_no_texts_is_named(quick_cli: Cli) -> None:
    done = quick_cli("generate", "-m", "rules", "-p", "a")
    assert done.returncode == 4 and b"rules writes no texts" in done.stderr


def test_sources_are_answered_without_chance(asked: Callable[[Any], Asked]) -> None:
    run = asked(writer())
    written = lines(run("--max-tokens", 5, stdin=b"O gato\n\nO pato\n"))
    assert len(written) == 3 and written[1] == ""
    assert written == lines(run("--max-tokens", 5, "--seed", 7, stdin=b"O gato\n\nO pato\n"))


def test_closed_pipe_ends_quietly() -> None:
    program = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from writing_helpers import language_model\n"
        "from nlpkit import zoo\n"
        "zoo.load = lambda name, **options: language_model()\n"
        "from nlpkit.__main__ import main\n"
        "sys.argv = ['nlpkit', 'generate', '--max-tokens', '3']\n"
        "sys.exit(main())\n"
    )
    command, pipe = [sys.executable, "-c", program], subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdin=pipe, stdout=pipe, stderr=pipe
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(b"O gato\n" * 3000)
        process.stdin.close()
        assert process.stdout.readline().startswith(b"O gato")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=PATIENCE) == 0


def shown(model: Any, prompts: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    jobs = job.one_by_one(model, Reading(inputs=[], texts=prompts), Manner(longest=60), 1)
    continues = not model.task.config.source
    stream(jobs, name="toy", continues=continues, quiet=True)
    return capsys.readouterr().out


def test_terminal_shows_a_text_as_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    text = " diz 👍🏽 [b]ção[/b]"
    assert shown(scripted(text, "Ela"), ["Ela "], capsys) == f"Ela{text}\n"
    assert shown(scripted(" x", "não"), ["na\u0303o\u200b "], capsys) == "não x\n"
    (answer,) = writer().task.write(writer(), ["O gato"], [0], Manner(longest=60))
    assert shown(writer(), ["O gato"], capsys) == f"O gato\n{answer.text}\n"


def test_terminal_separates_texts_and_says_how_long_it_took(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = scripted(" x", "oi")
    jobs = job.one_by_one(model, Reading(inputs=[], texts=["oi", "oi"]), Manner(), 1)
    stream(jobs, name="toy", continues=True, quiet=False)
    said = capsys.readouterr().out
    assert said.startswith("oi x\n\noi x\n\n2 texts in ") and said.endswith(" s (toy)\n")
