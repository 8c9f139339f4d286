"""nlpkit sentiment: N documents in, N answers out, in every format."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import PATIENCE, environment
from hypothesis import HealthCheck, given, settings, strategies as st

from nlpkit.jobs.predict import answers
from nlpkit.records.answered import write
from nlpkit.records.reading import Reading
from nlpkit.runtime import onepass
from nlpkit.runtime.batcher import batches, padded_length
from nlpkit.runtime.model import Model
from nlpkit.runtime.stream import answer
from nlpkit.text import Encoded
from nlpkit.text.windows import Slide

Made = Callable[[str], Path]
Cli = Callable[..., subprocess.CompletedProcess[bytes]]
LABELS = {"negative", "neutral", "positive"}


def test_lines_from_a_pipe(sentiment: Cli) -> None:
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


def test_jsonl_output_has_the_documented_keys(sentiment: Cli) -> None:
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
    items = answers(model, Reading(inputs=[str(path)]))
    count = write(items, out, "jsonl", kind=model.task.answers, into="label", plain=True)
    assert count == out.getvalue().count("\n")
    return [json.loads(line) for line in out.getvalue().split("\n")[:-1]]


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(texts=st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]))))
def test_any_text_is_kept_in_order(texts: list[str], model: Model, tmp_path: Path) -> None:
    rows = run_lines("".join(text + "\n" for text in texts).encode(), model, tmp_path)
    kept = [text.removesuffix("\r") for text in texts]
    if kept:
        kept[0] = kept[0].removeprefix("\ufeff")
    assert [row["text"] for row in rows] == kept


@settings(max_examples=40)
@given(st.data())
def test_scores_do_not_depend_on_the_batch(model: Model, data: st.DataObject) -> None:
    words = st.sampled_from(["adorei", "péssimo", "hotel", "12", "!", "não", "😍", "zzz"])
    text = st.lists(words, max_size=60).map(" ".join)
    texts = data.draw(st.lists(text, min_size=1, max_size=30))
    together = onepass.outputs(model, texts)
    backwards = onepass.outputs(model, texts[::-1])[::-1]
    for place, (one, other) in enumerate(zip(together, backwards, strict=True)):
        alone = onepass.outputs(model, [texts[place]])[0]
        if one is None:
            assert other is None and alone is None
        else:
            assert np.abs(one - other).max() < 1e-5
            assert np.abs(one - alone).max() < 1e-5


def test_combining_windows_does_not_affect_short_documents(model: Model) -> None:
    loud = replace(model, task=Loud())
    (alone,) = onepass.outputs(loud, ["adorei"])
    beside, long = onepass.outputs(loud, ["adorei", "adorei o hotel " * 60])
    assert np.array_equal(alone, beside)
    assert (long == 7).all()


class Loud:
    """A task that combines windows into a value that no network returns."""

    OFFSETS = False

    def combine(self, outputs: Any, spans: Any) -> Any:
        return np.full_like(outputs[0], 7)


def test_long_document_is_read_to_its_end(model: Model) -> None:
    neutral = "a reunião da portaria " * 60
    long = [neutral, neutral + "adorei lindo perfeito maravilhoso " * 30]
    plain, spiced = onepass.outputs(model, long)
    assert plain is not None and spiced is not None
    assert spiced[2] - plain[2] > 0.5


def test_five_megabyte_line_is_answered(model: Model, tmp_path: Path) -> None:
    long = "adorei o hotel " * 350_000
    rows = run_lines(f"antes\n{long}\ndepois\n".encode(), model, tmp_path)
    assert [len(row["text"]) for row in rows] == [5, len(long), 6]
    assert rows[1]["label"] == "positive"
    rows = run_lines(("x" * 5_000_000 + "\n").encode(), model, tmp_path)
    assert len(rows) == 1


@given(st.integers(0, 2000), st.integers(2, 60), st.data())
def test_windows_cover_every_token(length: int, window: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, window - 1))
    other = data.draw(st.integers(0, 100))
    ids, lengths = np.arange(other + length), np.array([other, length])
    made = Slide(window, overlap).cut(Encoded(ids, lengths))
    first = int((made.owner_W == 0).sum())
    spans = made.spans(slice(first, None))
    covered = {token for start, end in spans for token in range(start, end)}
    assert covered == set(range(length))
    assert all(end - start == min(length, window) for start, end in spans)
    assert [other + start for start, _ in spans] == made.start_W[first:].tolist()


@given(st.lists(st.integers(1, 300), max_size=200), st.integers(1, 4000))
def test_every_window_is_in_one_batch(lengths: list[int], budget: int) -> None:
    ids_S = np.ones(sum(lengths), dtype=np.int64)
    windows = Slide(300, 0).cut(Encoded(ids_S, np.array(lengths, dtype=int)))
    seen = []
    for batch in batches(windows, budget):
        assert batch.ids_BT.shape == batch.mask_BT.shape
        assert batch.ids_BT.size <= budget or len(batch.rows) == 1
        for row, mask in zip(batch.rows, batch.mask_BT, strict=True):
            assert mask.sum() == lengths[row] and padded_length(lengths[row]) == len(mask)
        assert (batch.ids_BT == batch.mask_BT).all()
        seen += batch.rows
    assert sorted(seen) == list(range(len(lengths)))


def test_documents_before_an_error_are_answered(model: Model) -> None:
    def items():  # type: ignore[no-untyped-def]
        yield 1, "adorei"
        yield 2, "péssimo"
        raise ValueError("the cable was cut")

    seen = []
    with pytest.raises(ValueError, match="cable"):
        for item, *_ in answer(model, items(), lambda: None):
            seen.append(item)
    assert seen == [1, 2]


def test_slow_input_is_answered_line_by_line(tiny_bundle: Made) -> None:
    command = [sys.executable, "-m", "nlpkit", "sentiment", "-m", str(tiny_bundle("atnet"))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=environment(), **pipes) as process:
        assert process.stdin and process.stdout
        for _ in range(3):
            process.stdin.write(b"adorei\n")
            process.stdin.flush()
            assert process.stdout.readline().startswith(b"positive\t")
        process.stdin.close()
        assert process.wait(timeout=PATIENCE) == 0


def test_steady_stream_is_answered_before_it_ends(model: Model) -> None:
    """Items come slowly until the first answer is read, and no chunk is ever full."""
    read, ended = threading.Event(), threading.Event()

    def items():  # type: ignore[no-untyped-def]
        for number in range(50 * PATIENCE):
            yield number, "adorei"
            if read.wait(0.02):
                return
        ended.set()

    answers = answer(model, items(), lambda: None, limit=100 * PATIENCE)
    first = next(answers)
    assert first[0] == 0 and not ended.is_set()
    read.set()
    numbers = [number for number, *_ in answers]
    assert numbers == list(range(1, len(numbers) + 1))


def test_csv_keeps_every_field(sentiment: Cli, tmp_path: Path) -> None:
    rows = [["id", "texto", "nota"], ["1", 'disse "ótimo", sim\nlinha 2', "5"], ["2", "", ""]]
    with (tmp_path / "a.csv").open("w", newline="") as out:
        csv.writer(out).writerows(rows)
    done = sentiment("a.csv", "--column", "texto")
    got = list(csv.reader(io.StringIO(done.stdout.decode())))
    assert got[0] == ["id", "texto", "nota", "label", "score"]
    assert [row[:3] for row in got] == rows
    assert got[1][3] in LABELS and got[2][3:] == ["", ""]


def test_formats_can_be_converted(sentiment: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"n": 1, "text": "adorei", "x": {"y": [1]}}\n\n')
    done = sentiment("a.jsonl")
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert first["n"] == 1 and first["x"] == {"y": [1]} and first["label"] == "positive"
    assert second["label"] == ""
    done = sentiment("--from", "tsv", "--to", "csv", stdin=b"k\ttext\n7\tadorei\n")
    assert done.stdout.startswith(b"k,text,label,score\n7,adorei,positive,0.")
    done = sentiment("a.jsonl", "--into", "tom")
    assert {"tom", "tom_score", "tom_scores"} <= set(json.loads(done.stdout.splitlines()[0]))


def test_inputs_of_several_formats_keep_every_field(sentiment: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("adorei\n")
    (tmp_path / "b.csv").write_text("id,text\n7,odiei\n")
    done = sentiment("a.txt", "b.csv")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["text"] for row in rows] == ["adorei", "odiei"] and rows[1]["id"] == "7"
    assert sentiment("a.txt", "b.csv", "--to", "csv").returncode == 3


def test_whole_reads_a_file_as_one_document(sentiment: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("adorei\no hotel\n\nperfeito\n")
    done = sentiment("a.txt", "a.txt", "--whole", "--to", "jsonl")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 2
    assert rows[0]["file"] == "a.txt" and rows[0]["text"] == "adorei\no hotel\n\nperfeito"
