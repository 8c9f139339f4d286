"""split: every row in one file, in order, copies together, labels alike, sizes as asked."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from nlpkit import records
from nlpkit.errors import InputError, UsageError
from nlpkit.jobs.debug_data import debug_data
from nlpkit.jobs.split import Rows, assign, split
from nlpkit.records.rows import fingerprint

Cli = Callable[..., subprocess.CompletedProcess[bytes]]
PARTS = ("train", "dev", "test")


def rows_of(path: str | Path) -> list[dict[str, Any]]:
    with records.open_input(path) as stream:
        return list(records.read(stream, records.format_of(path), records.Source(str(path))))


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    with records.write_output(path) as stream:
        records.write(rows, stream, records.format_of(path))
    return str(path)


def sample(count: int) -> list[dict[str, str]]:
    labels = ["bom", "ruim", "ruim", "neutro"]
    return [
        {"n": str(i), "text": f"pedido número {i}", "label": labels[i % 4]} for i in range(count)
    ]


texts = st.one_of(st.sampled_from(["bom", "Bom!", "BOM @ana", "ruim", ""]), st.text(max_size=6))
labels = st.sampled_from(["a", "b", "c", ""])


@settings(max_examples=100)
@given(
    rows=st.lists(st.tuples(texts, labels), min_size=1, max_size=60),
    dev=st.sampled_from(["10%", "25%", "3"]),
    test=st.sampled_from([None, "10%", "2"]),
    seed=st.integers(0, 3),
)
def test_any_rows(
    rows: list[tuple[str, str]],
    dev: str,
    test: str | None,
    seed: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("split")
    path = folder / "a.jsonl"
    path.write_text(
        "".join(
            json.dumps({"n": number, "text": text, "label": label}) + "\n"
            for number, (text, label) in enumerate(rows)
        )
    )
    try:
        report = split(str(path), dev=dev, test=test, seed=seed)
    except (UsageError, InputError):
        assert [each.name for each in folder.iterdir()] == ["a.jsonl"]
        return
    parts = [rows_of(part.path) for part in report.parts]
    numbers = [[row["n"] for row in part] for part in parts]
    assert all(part == sorted(part) for part in numbers)
    assert sorted(chain(*numbers)) == list(range(len(rows)))
    keys = [{fingerprint(row["text"]) for row in part if row["text"].strip()} for part in parts]
    assert sum(map(len, keys)) == len(set().union(*keys))
    largest = max(
        Counter(
            fingerprint(text) if text.strip() else i for i, (text, _) in enumerate(rows)
        ).values()
    )
    for part, said in zip(report.parts[1:], (dev, test), strict=False):
        share = float(said[:-1]) / 100 * len(rows) if said and said[-1] == "%" else float(said or 0)
        assert abs(part.rows - share) <= max(largest - 1, 0) + 0.5
        assert part.rows == sum(part.labels.values())
    again = split(str(path), dev=dev, test=test, seed=seed, force=True)
    assert again == report and [rows_of(part.path) for part in again.parts] == parts


def test_without_copies_sizes_are_exact_and_labels_within_a_row() -> None:
    labels = [0] * 413 + [1] * 97 + [2] * 31 + [3] * 8
    rows = Rows(groups=range(549), labels=labels, names="abcd")
    sizes = [439, 55, 55]
    for seed in range(5):
        parts = assign(rows, sizes, seed)
        assert [parts.count(part) for part in range(3)] == sizes
        counts = Counter(zip(parts, labels, strict=True))
        for part, size in enumerate(sizes):
            for label in range(4):
                assert abs(counts[part, label] - labels.count(label) * size / 549) < 2
    assert assign(rows, sizes, 1) != assign(rows, sizes, 2)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.txt", "a.parquet"])
def test_each_format_keeps_its_fields_and_debug_data_finds_no_leak(
    name: str, tmp_path: Path
) -> None:
    rows: list[dict[str, Any]] = [*sample(40), {"n": "40", "text": "Pedido 3!", "label": "bom"}]
    if name == "a.txt":
        rows = [{"text": row["text"]} for row in rows]
    path = write(tmp_path / name, rows)
    report = split(path, dev="20%", test="4")
    paths = [part.path for part in report.parts]
    assert [Path(path).name for path in paths] == [name.replace(".", f".{p}.") for p in PARTS]
    read = [rows_of(path) for path in paths]
    assert [len(part) for part in read] == [29, 8, 4]
    assert sorted(map(str, chain(*read))) == sorted(map(str, rows))
    assert not [f for f in debug_data(paths).findings if f.check == "leaks"]
    assert (report.label is None) == (name == "a.txt") == bool(report.notes)


DIALECTS = [
    b"text,label\n%b",
    b"text;label\n%b",
    b"\xef\xbb\xbftext;label\r\n%b",
    b"\xef\xbb\xbftext\tlabel\r\n%b",
    b"text|label|label\r\n%b",
]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_parts_of_csv_have_its_dialect(dialect: bytes, tmp_path: Path) -> None:
    header = dialect.removesuffix(b"%b")
    end = b"\r\n" if b"\r" in header else b"\n"
    delimiter = next(sign for sign in (b";", b"\t", b"|", b",") if sign in header)
    row = b"pedido %d" + delimiter.join([b"", b"bom, muito"] + [b"x"] * (header.count(b"|") > 1))
    if delimiter == b",":
        row = row.replace(b"bom, muito", b'"bom, muito"')
    rows = [row % number + end for number in range(20)]
    (tmp_path / "a.csv").write_bytes(header + b"".join(rows))
    report = split(str(tmp_path / "a.csv"), dev="4", test="4")
    parts = [Path(part.path).read_bytes() for part in report.parts]
    assert all(part.startswith(header) for part in parts)
    written = [part.removeprefix(header).split(end) for part in parts]
    assert sorted(line + end for lines in written for line in lines if line) == sorted(rows)


def test_parts_of_json_are_json_and_those_of_workbooks_workbooks(tmp_path: Path) -> None:
    rows = [{"text": f"pedido {n}", "label": "ab"[n % 2], "n": n, "x": [n]} for n in range(20)]
    (tmp_path / "a.json").write_text(json.dumps(rows, indent=2))
    report = split(str(tmp_path / "a.json"), dev="25%")
    parts = [json.loads(Path(part.path).read_text()) for part in report.parts]
    assert [len(part) for part in parts] == [15, 5]
    assert sorted(chain(*parts), key=lambda row: row["n"]) == rows
    for row in rows:
        del row["x"]
    path = Path(write(tmp_path / "a.xlsx", rows))
    report = split(str(path), dev="25%")
    read = [rows_of(part.path) for part in report.parts]
    assert [len(part) for part in read] == [15, 5]
    assert {row["n"].value for row in chain(*read)} == set(range(20))  # still numbers
    path.rename(tmp_path / "b.ods")  # the reader goes by the content; .ods is not written
    assert split(str(tmp_path / "b.ods"), dev="25%").parts[1].path == str(tmp_path / "b.dev.xlsx")


def test_the_label_may_have_a_decomposed_name(tmp_path: Path) -> None:
    rows = [{"text": f"pedido {n}", "ro\u0301tulo": "ab"[n % 2]} for n in range(20)]
    report = split(write(tmp_path / "a.csv", rows), dev="4", label="r\u00f3tulo")
    assert [part.labels["a"] for part in report.parts] == [8, 2]


def test_names(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", sample(20))
    report = split(str(tmp_path / "train.csv"), test="10%")
    assert [Path(part.path).name for part in report.parts] == ["train.train.csv", "train.test.csv"]
    said = debug_data([part.path for part in report.parts])
    assert [file.split for file in said.files] == ["train", "test"]
    (tmp_path / "out").mkdir()
    (tmp_path / "linhas").write_text("text,label\n" + "".join(f"{n},a\n" for n in range(10)))
    report = split(str(tmp_path / "linhas"), dev="2", format="csv", output=str(tmp_path / "out"))
    assert [Path(part.path) for part in report.parts] == [
        tmp_path / "out/linhas.train.csv",
        tmp_path / "out/linhas.dev.csv",
    ]


def test_a_rare_label_is_a_note(tmp_path: Path) -> None:
    rows = [*sample(40), {"n": "40", "text": "só este", "label": "raro"}]
    report = split(write(tmp_path / "a.csv", rows), dev="10%", test="10%")
    assert report.parts[0].labels["raro"] == 1
    assert any("'raro' (1)" in note for note in report.notes)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "no size is given"),
        ({"dev": "x"}, "--dev x: not a size"),
        ({"dev": "0.1"}, "not a size"),
        ({"dev": "1%"}, "0 of 20 rows"),
        ({"dev": "50%", "test": "10"}, "leaves 0 of 20 rows to train on"),
        ({"dev": "2", "label": "labl"}, "no column 'labl'. Did you mean 'label'?"),
        ({"dev": "2", "column": "txt"}, "no column 'txt'. Did you mean 'text'?"),
        ({"dev": "2", "output": "nowhere"}, "there is no folder"),
    ],
)
def test_errors_leave_no_file(options: dict[str, str], said: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", sample(20))
    with pytest.raises((UsageError, InputError), match=said.replace("?", r"\?")):
        split(path, **options)
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]


def test_a_part_that_copies_leave_empty_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [{"text": "igual", "label": "a"}] * 10)
    with pytest.raises(InputError, match="no rows remain for dev"):
        split(path, dev="2")


def test_files_are_replaced_only_by_force(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", sample(20))
    (tmp_path / "a.dev.csv").write_text("mine")
    with pytest.raises(UsageError, match="exists; --force replaces it"):
        split(path, dev="2")
    assert (tmp_path / "a.dev.csv").read_text() == "mine"
    assert not (tmp_path / "a.train.csv").exists()
    split(path, dev="2", force=True)
    assert len(rows_of(tmp_path / "a.dev.csv")) == 2


def test_the_command(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path / "a.csv", sample(40))
    done = cli("split", "a.csv", "--dev", "10%", "--test", "10%", COLUMNS="80")
    assert done.returncode == 0 and done.stderr == b""
    lines = [line.split() for line in done.stdout.decode().splitlines()]
    assert ["label", *PARTS] in lines and ["ruim", "16", "2", "2"] in lines
    assert ["rows", "32", "4", "4"] in lines
    done = cli("split", "a.csv", "--dev", "4", "--to", "json", "--force")
    assert [part["rows"] for part in json.loads(done.stdout)["parts"]] == [36, 4]
    assert cli("split", "-", "--dev", "4", stdin=b"a\n").returncode == 2
    done = cli("split", "a.csv", "--dev", "4")
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1
