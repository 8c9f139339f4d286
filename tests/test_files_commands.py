"""Files as people have them, through the commands: formats, headers, encodings, empty inputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Cli

Made = Callable[[str], Path]
PRETTY = '[\n  {"texto": "Adorei", "id": 1},\n  {"texto": "Péssimo", "id": 2}\n]\n'.encode()


def test_json_is_answered_by_its_extension(sentiment: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(PRETTY)
    done = sentiment("a.json", "-c", "texto")
    assert (done.returncode, done.stderr) == (0, b"")
    assert [row["id"] for row in json.loads(done.stdout) if row["label"]] == [1, 2]


@pytest.mark.parametrize(
    ("given", "option"),
    [
        (b'\n{"text": "adorei"}\n{"text": "odiei"}\n', "--from jsonl"),
        (PRETTY, "--from json"),
        (b'[{"text": "adorei"}]\n', "--from json"),
        (b"{adorei}\n[odiei]\n", ""),
        (b'adorei\n{"text": "adorei"}\n', ""),
    ],
)
def test_json_in_a_pipe_is_told_once(given: bytes, option: str, sentiment: Cli) -> None:
    done = sentiment(stdin=given)
    assert done.returncode == 0
    assert done.stdout.count(b"\n") == given.count(b"\n")  # read as lines
    assert done.stderr.count(b"\n") == bool(option)
    assert option.encode() in done.stderr
    assert sentiment("--from", "lines", stdin=given).stderr == b""


def test_a_header_and_an_empty_file(cli: Cli, sentiment: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfid;text\r\n")
    (tmp_path / "b.txt").touch()
    (tmp_path / "c.txt").write_text("adorei\n")
    done = sentiment("a.csv")
    assert done.stdout == b"\xef\xbb\xbfid;text;label;score\r\n"
    assert (done.returncode, done.stderr) == (0, b"nlpkit: the input holds no records\n")
    done = cli("tokenize", "a.csv", "--into", "tokens")
    assert done.stdout == b"\xef\xbb\xbfid;text;tokens\r\n"
    done = cli("pipe", "clean | tokenize", "--from", "csv", stdin=b"id,text\n")
    assert (done.returncode, done.stdout) == (0, b"id,text\n")
    for run in (sentiment, lambda *args, **how: cli("clean", *args, **how)):
        done = run("b.txt")
        assert (done.returncode, done.stdout) == (0, b"")
        assert done.stderr == b"nlpkit: b.txt is empty\n"
        done = run(stdin=b"")
        assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (0, b"", 1)
    done = sentiment("b.txt", "c.txt")
    assert done.stdout.count(b"\n") == 1 and done.stderr == b"nlpkit: b.txt is empty\n"


def test_steps_write_lines_of_a_table(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'id,texto\n1,"um dois"\n2,"a ""b"" c"\n')
    done = cli("tokenize", "-c", "texto", "a.csv", "--to", "lines")
    assert done.stdout == b'um dois\na " b " c\n', done.stderr
    done = cli("clean", "-c", "texto", "a.csv", "-o", "b.csv", "--dialect", "excel-br")
    assert (tmp_path / "b.csv").read_bytes().startswith(b"\xef\xbb\xbfid;texto\r\n1;um dois\r\n")
    done = cli("clean", "-c", "texto", "a.csv", "--to", "jsonl", "--dialect", "excel-br")
    assert done.returncode == 2 and b"--dialect excel-br needs CSV output" in done.stderr
    done = cli("clean", "-c", "texto", "a.csv", "--into", " ")
    assert done.returncode == 2 and b"--into: the name is empty" in done.stderr


def test_steps_answer_to_the_column_of_each_record(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"body": "A  b"}\n{"body": "C  d", "text": "E  f"}\n')
    done = cli("clean", "a.jsonl")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"body": "A b"},
        {"body": "C d", "text": "E  f"},
    ]


def test_a_batch_of_every_kind_of_file(cli: Cli, tmp_path: Path, tiny_bundle: Made) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    rows = b"".join(b"adorei;%d;x\r\n" % n for n in range(25))
    (folder / "a.csv").write_bytes(b"\xef\xbb\xbftext;n;label\r\n" + rows)
    (folder / "b.json").write_bytes(PRETTY.replace(b"texto", b"text"))
    (folder / "c.csv").write_bytes(b"text,n\n")
    (folder / "d.txt").touch()
    (folder / "e.txt").write_bytes("muito ruim\n".encode("utf-16"))
    (folder / "f.txt").write_bytes("muito ruim\nadorei\n".encode("utf-16-le"))
    (folder / "g.jsonl").write_bytes(b'{"text": "a"}\n{"text": "b"}\n')
    command = ("batch", "in", "-m", tiny_bundle("bow"), "--shard-size", "10")
    done = cli(*command, "-o", "out")
    assert done.returncode == 1
    said = done.stderr.decode()
    assert said.count("the input's own 'label' will be replaced") == 1
    assert "e.txt:1: not valid utf-8: it begins with a utf-16 byte order mark" in said
    assert "f.txt:1: not valid utf-8: it looks like utf-16-le without a byte order mark" in said
    table = (tmp_path / "out/a.csv").read_bytes().split(b"\r\n")
    assert table[0] == b"\xef\xbb\xbftext;n;label;score" and len(table) == 27
    assert b"\xef\xbb\xbf" not in b"".join(table[1:])
    assert [row["id"] for row in json.loads((tmp_path / "out/b.json").read_bytes())] == [1, 2]
    assert (tmp_path / "out/c.csv").read_bytes() == b"text,n,label,score\n"
    assert (tmp_path / "out/d.tsv").read_bytes() == b""
    done = cli(
        *command, "-o", "two", "--to", "csv", "--dialect", "unix", "--into", "said", "-w", "2"
    )
    assert (
        (tmp_path / "two/a.csv").read_bytes().startswith(b"text,n,label,said,said_score\nadorei,")
    )
    assert "will be replaced" not in done.stderr.decode()


def test_what_a_batch_cannot_write_names_the_file(
    cli: Cli, tmp_path: Path, tiny_bundle: Made
) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n{"text": "b", "n": 1}\n')
    done = cli("batch", "a.jsonl", "--to", "csv", "-m", tiny_bundle("bow"), "-o", "out")
    assert done.returncode == 1
    assert b"failed: a.jsonl: record 2 has a field 'n'" in done.stderr
    for into in ("", " "):
        done = cli("batch", "a.jsonl", "--into", into, "-m", tiny_bundle("bow"), "-o", "two")
        assert done.returncode == 2 and b"--into: the name is empty" in done.stderr


def test_training_data_may_be_a_workbook_or_json(tmp_path: Path) -> None:
    from nlpkit.checking.rows import File
    from nlpkit.records import write, write_output
    from nlpkit.records.rows import read_rows

    rows = [
        {"texto": "adorei", "comenta\u0301rio": "bom"},
        {"texto": "odiei", "comenta\u0301rio": "ruim"},
    ]
    for format in ("xlsx", "json", "csv"):
        with write_output(tmp_path / f"a.{format}") as stream:
            write(rows, stream, format)
        read = read_rows(str(tmp_path / f"a.{format}"), text="texto", label="comentário")
        assert [(row.text, row.fields["label"]) for row in read] == [
            ("adorei", "bom"),
            ("odiei", "ruim"),
        ]
        file = File(str(tmp_path / f"a.{format}"), "train", "texto", "comentário")
        file.read(lambda texts: [1] * len(texts), [], "pt")
        assert file.labels == {"bom": 1, "ruim": 1}
