"""The main job as a person runs it: N lines in, N lines out, and errors to act on."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import HealthCheck, given, settings, strategies as st

import nlpkit
from nlpkit.jobs.predict import Reading, predictions, write
from nlpkit.runtime.batcher import batches, padded_length
from nlpkit.runtime.encoder import spans
from nlpkit.runtime.engine import answer
from nlpkit.runtime.model import Model

Made = Callable[[str], Path]
Cli = Callable[..., subprocess.CompletedProcess[bytes]]
LABELS = {"negative", "neutral", "positive"}


@pytest.fixture(scope="session")
def model(tiny_bundle: Made) -> Model:
    return nlpkit.load(str(tiny_bundle("atnet")), device="cpu")


@pytest.fixture
def sentiment(cli: Cli, tiny_bundle: Made) -> Cli:
    def run(*args: object, **options: object) -> subprocess.CompletedProcess[bytes]:
        return cli("sentiment", "--model", tiny_bundle("atnet"), *args, **options)

    return run


def test_lines_in_a_pipe(sentiment: Cli) -> None:
    done = sentiment(stdin="adorei o hotel\n\npéssimo\ta \\ loja\n".encode())
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().split("\n")
    assert lines[-1] == "" and len(lines) == 4
    label, score, text = lines[0].split("\t")
    assert (label, text) == ("positive", "adorei o hotel")
    assert 0.33 <= float(score) <= 1 and len(score) == 6
    assert lines[1] == "\t\t"
    assert lines[2].endswith("péssimo\\ta \\\\ loja")
    assert done.stderr == b""


def test_jsonl_has_its_keys(sentiment: Cli) -> None:
    done = sentiment("--to", "jsonl", stdin="Adorei!\n\nPéssimo atendimento\n".encode())
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["text"] for row in rows] == ["Adorei!", "", "Péssimo atendimento"]
    assert set(rows[0]) == {"text", "label", "score", "scores"}
    assert set(rows[0]["scores"]) == LABELS
    assert abs(sum(rows[0]["scores"].values()) - 1) < 1e-9
    assert rows[0]["score"] == max(rows[0]["scores"].values())
    assert (rows[1]["label"], rows[1]["score"], rows[1]["scores"]) == ("", None, {})


NASTY = [
    b"",
    b"\n",
    b"no final newline",
    b"crlf\r\nsecond\r\n",
    b"\xef\xbb\xbfbom\n",
    b"\n\n\n",
    b"nul\x00in\x00side\nnext\n",
    "emoji 😍👍🏽 família 👨‍👩‍👧\n".encode(),
    b"?!.,;:\n...\n",
    b"a\n",
    "linha\u2028separador\u0085next\x0bline\x0c\n".encode(),
    "\u200b\n\ufeff\n\u202e\n".encode(),
    "e\u0301\u0301\u0301\n".encode(),
]


@pytest.mark.parametrize("content", NASTY)
def test_as_many_lines_out_as_in(content: bytes, model: Model, tmp_path: Path) -> None:
    rows = run_lines(content, model, tmp_path)
    expected = content.removeprefix(b"\xef\xbb\xbf").decode().split("\n")
    expected = expected[:-1] if expected[-1] == "" else expected
    assert [row["text"] for row in rows] == [line.removesuffix("\r") for line in expected]
    for row in rows:
        assert row["label"] in LABELS or not row["label"]


def run_lines(content: bytes, model: Model, folder: Path) -> list[dict]:
    path = folder / "in.txt"
    path.write_bytes(content)
    if not content:
        return []
    out = io.StringIO()
    write(predictions(model, Reading(inputs=[str(path)])), out, "jsonl", plain=True, into="label")
    return [json.loads(line) for line in out.getvalue().split("\n")[:-1]]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]))))
def test_any_text_comes_through_in_order(texts: list[str], model: Model, tmp_path: Path) -> None:
    rows = run_lines("".join(text + "\n" for text in texts).encode(), model, tmp_path)
    kept = [text.removesuffix("\r") for text in texts]
    if kept:
        kept[0] = kept[0].removeprefix("\ufeff")
    assert [row["text"] for row in rows] == kept


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_scores_are_the_same_in_any_company(model: Model, data: st.DataObject) -> None:
    words = st.sampled_from(["adorei", "péssimo", "hotel", "12", "!", "não", "😍", "zzz"])
    text = st.lists(words, max_size=60).map(" ".join)
    texts = data.draw(st.lists(text, min_size=1, max_size=30))
    together = model.outputs(texts)
    backwards = model.outputs(texts[::-1])[::-1]
    for place, (one, other) in enumerate(zip(together, backwards, strict=True)):
        alone = model.outputs([texts[place]])[0]
        if one is None:
            assert other is None and alone is None
        else:
            assert np.abs(one - other).max() < 1e-5
            assert np.abs(one - alone).max() < 1e-5


def test_a_long_document_is_read_to_its_end(model: Model) -> None:
    neutral = "a reunião da portaria " * 60
    plain, spiced = model.outputs([neutral, neutral + "adorei lindo perfeito maravilhoso " * 30])
    assert plain is not None and spiced is not None
    assert spiced[2] - plain[2] > 0.5


def test_a_five_megabyte_line(model: Model, tmp_path: Path) -> None:
    long = "adorei o hotel " * 350_000
    rows = run_lines(f"antes\n{long}\ndepois\n".encode(), model, tmp_path)
    assert [len(row["text"]) for row in rows] == [5, len(long), 6]
    assert rows[1]["label"] == "positive"
    rows = run_lines(("x" * 5_000_000 + "\n").encode(), model, tmp_path)
    assert len(rows) == 1


@given(st.integers(0, 2000), st.integers(2, 60), st.data())
def test_windows_cover_every_token(length: int, window: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, window - 1))
    cut = spans(length, window, overlap)
    covered = {token for start, end in cut for token in range(start, end)}
    assert covered == set(range(length))
    assert all(end - start == min(length, window) for start, end in cut)


@given(st.lists(st.integers(1, 300), max_size=200), st.integers(1, 4000))
def test_every_window_is_in_one_batch(lengths: list[int], budget: int) -> None:
    windows = [np.ones(length, dtype=np.int64) for length in lengths]
    seen = []
    for batch in batches(windows, budget):
        assert batch.ids_BT.shape == batch.mask_BT.shape
        assert batch.ids_BT.size <= budget or len(batch.rows) == 1
        for row, mask in zip(batch.rows, batch.mask_BT, strict=True):
            assert mask.sum() == lengths[row] and padded_length(lengths[row]) == len(mask)
        seen += batch.rows
    assert sorted(seen) == list(range(len(lengths)))


def test_what_was_read_before_an_error_is_answered(model: Model) -> None:
    def items():  # type: ignore[no-untyped-def]
        yield 1, "adorei"
        yield 2, "péssimo"
        raise ValueError("the cable was cut")

    seen = []
    with pytest.raises(ValueError, match="cable"):
        for item, *_ in answer(model, items()):
            seen.append(item)
    assert seen == [1, 2]


def test_a_slow_producer_is_answered_line_by_line(tiny_bundle: Made) -> None:
    command = [sys.executable, "-m", "nlpkit", "sentiment", "-m", str(tiny_bundle("atnet"))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=environment(), **pipes) as process:
        assert process.stdin and process.stdout
        for _ in range(3):
            process.stdin.write(b"adorei\n")
            process.stdin.flush()
            assert process.stdout.readline().startswith(b"positive\t")
        process.stdin.close()
        assert process.wait(timeout=20) == 0


def test_a_steady_stream_is_answered_before_it_ends(model: Model) -> None:
    def items():  # type: ignore[no-untyped-def]
        for number in range(40):
            time.sleep(0.02)
            yield number, "adorei"

    started = time.monotonic()
    first = next(iter(answer(model, items())))
    assert first[0] == 0 and time.monotonic() - started < 0.6


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def test_a_closed_pipe_is_quiet(tiny_bundle: Made, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("adorei o hotel\n" * 20000)
    command = f"{sys.executable} -m nlpkit sentiment -m {tiny_bundle('atnet')} in.txt"
    script = f"set -o pipefail; {command} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment(), capture_output=True, check=False
    )
    assert done.stderr == b""
    assert done.stdout.splitlines()[1] == b"0"


def test_the_reader_leaves_while_the_input_is_silent(tiny_bundle: Made) -> None:
    """Python aborts (134) when it ends while a thread holds its own sys.stdin."""
    command = f"{sys.executable} -m nlpkit sentiment -m {tiny_bundle('atnet')}"
    script = f"(echo adorei; sleep 1; echo odiei; sleep 4) | ({command}; echo $? >&2) | head -1"
    done = subprocess.run(
        ["bash", "-c", script], env=environment(), capture_output=True, check=False
    )
    assert done.stdout.startswith(b"positive") and done.stderr == b"0\n"


def test_a_closed_stdin_or_stdout_is_said(tiny_bundle: Made) -> None:
    command = f"{sys.executable} -m nlpkit sentiment -m {tiny_bundle('atnet')}"
    for closing, said in (("<&-", b"standard input is closed"), (">&-", b"standard output is")):
        done = subprocess.run(
            ["bash", "-c", f"echo oi | {command} {closing}"],
            env=environment(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 2 and said in done.stderr


def test_csv_passes_every_field_through(sentiment: Cli, tmp_path: Path) -> None:
    rows = [["id", "texto", "nota"], ["1", 'disse "ótimo", sim\nlinha 2', "5"], ["2", "", ""]]
    with (tmp_path / "a.csv").open("w", newline="") as out:
        csv.writer(out).writerows(rows)
    done = sentiment("a.csv", "--column", "texto")
    got = list(csv.reader(io.StringIO(done.stdout.decode())))
    assert got[0] == ["id", "texto", "nota", "label", "score"]
    assert [row[:3] for row in got] == rows
    assert got[1][3] in LABELS and got[2][3:] == ["", ""]


def test_formats_cross(sentiment: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"n": 1, "text": "adorei", "x": {"y": [1]}}\n\n')
    done = sentiment("a.jsonl")
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert first["n"] == 1 and first["x"] == {"y": [1]} and first["label"] == "positive"
    assert second["label"] == ""
    done = sentiment("--from", "tsv", "--to", "csv", stdin=b"k\ttext\n7\tadorei\n")
    assert done.stdout.startswith(b"k,text,label,score\n7,adorei,positive,0.")
    done = sentiment("a.jsonl", "--into", "tom")
    assert {"tom", "tom_score", "tom_scores"} <= set(json.loads(done.stdout.splitlines()[0]))


def test_mixed_inputs_keep_every_field(sentiment: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("adorei\n")
    (tmp_path / "b.csv").write_text("id,text\n7,odiei\n")
    done = sentiment("a.txt", "b.csv")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["text"] for row in rows] == ["adorei", "odiei"] and rows[1]["id"] == "7"
    assert sentiment("a.txt", "b.csv", "--to", "csv").returncode == 3


def test_replacing_a_field_is_said(sentiment: Cli) -> None:
    given = b'{"text": "adorei", "label": "gold"}\n{"text": "odiei", "label": "gold"}\n'
    done = sentiment("--from", "jsonl", stdin=given)
    assert done.stderr.count(b"\n") == 1 and b"'label' will be replaced" in done.stderr
    done = sentiment("--from", "jsonl", "--into", "said", stdin=given)
    assert done.stderr == b"" and json.loads(done.stdout.splitlines()[0])["label"] == "gold"


def test_whole_takes_a_file_as_one_document(sentiment: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("adorei\no hotel\n\nperfeito\n")
    done = sentiment("a.txt", "a.txt", "--whole", "--to", "jsonl")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 2
    assert rows[0]["file"] == "a.txt" and rows[0]["text"] == "adorei\no hotel\n\nperfeito"


def test_output_is_whole_or_not_at_all(sentiment: Cli, tmp_path: Path) -> None:
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
        deadline = time.monotonic() + 30
        while not list(tmp_path.glob(".out.tsv.*")) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.terminate()
        assert process.wait(timeout=20) == 143
    assert list(tmp_path.iterdir()) == []


def test_data_does_not_steer_the_terminal_through_an_error(sentiment: Cli) -> None:
    done = sentiment("--from", "csv", stdin=b"id,\x1b[31mx\n1,2\n")
    assert done.returncode == 3 and b"\x1b" not in done.stderr


def test_bytes_that_are_not_utf8(sentiment: Cli, tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("adorei\npéssimo\n".encode("latin-1"))
    done = sentiment("latin.txt")
    assert done.returncode == 3
    assert done.stdout.startswith(b"positive\t")
    said = done.stderr.decode()
    assert "latin.txt:2" in said and "--encoding" in said and "--errors replace" in said
    assert said.count("\n") == 1
    done = sentiment("latin.txt", "--encoding", "latin-1")
    assert done.stdout.decode().splitlines()[1].endswith("\tpéssimo")
    assert sentiment("latin.txt", "--errors", "replace").returncode == 0


@pytest.mark.parametrize(
    ("make", "args", "code", "said"),
    [
        (None, ["missing.txt"], 3, "missing.txt"),
        ("folder", ["folder"], 3, "directory"),
        (b"", ["in.txt"], 3, "empty"),
        (b"\x7fELF\x00\xff\xfe\x00\x01" * 99, ["in.txt"], 3, "binary"),
        (b"id,review\n1,bom\n", ["in.csv"], 3, "Columns: id, review"),
        (b"{nope\n", ["in.jsonl"], 3, "in.jsonl:1"),
        (b"a\n", ["in.txt", "--to", "xml"], 2, "csv, jsonl, tsv"),
        (b"a\n", ["in.txt", "--from", "xlsx"], 2, "unknown format 'xlsx'"),
        (b"a\n", ["in.txt", "--device", "gpu"], 2, "cuda:N"),
        (b"a\n", ["in.txt", "--encoding", "utf9"], 2, "utf9"),
        (b"a\n", ["in.txt", "-o", "no/such/out.tsv"], 2, "no/such"),
        (b"a\n", ["in.txt", "--whole", "--column", "x"], 2, "--whole"),
        (b"a\n", ["in.txt", "--model", "sentimnt-nothing"], 4, "no model"),
    ],
)
def test_errors_are_one_line_with_a_mend(
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


def test_cuda_where_it_does_not_run_is_an_error(sentiment: Cli) -> None:
    """Only where there is no GPU: elsewhere the same command must run on it."""
    from nlpkit.runtime.device import why_no_cuda

    done = sentiment("--device", "cuda", "-v", stdin=b"adorei\n")
    if why_no_cuda():
        assert done.returncode == 5
        assert done.stdout == b"" and done.stderr.count(b"\n") == 1
        assert b"--device cuda: " in done.stderr
    else:
        assert done.returncode == 0 and b"on CUDA" in done.stderr


def test_auto_says_what_it_chose_once(sentiment: Cli) -> None:
    done = sentiment("-v", stdin=b"adorei\nodiei\n")
    assert done.returncode == 0
    assert done.stderr.count(b"\n") == 1 and b" on C" in done.stderr


def test_surrogates_in_jsonl_do_not_stop_the_stream(sentiment: Cli) -> None:
    done = sentiment("--from", "jsonl", stdin=b'{"text": "adorei \\ud83d"}\n{"text": "odiei"}\n')
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2


@pytest.mark.parametrize("args", [[], ["sentiment"], ["train"], ["models", "architectures"]])
def test_help_imports_nothing_heavy(args: list[str]) -> None:
    heavy = "onnxruntime numpy torch spacy tokenizers pandas"
    code = (
        "import sys; from nlpkit.cli._app import app\n"
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


def test_a_terminal_gets_a_table(tiny_bundle: Made, tmp_path: Path) -> None:
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
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            part = os.read(parent, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    assert process.wait(timeout=10) == 0
    text = shown.decode()
    assert "positive" in text and "█" in text and "4 documents in" in text
    assert "\x1b[2J" not in text
