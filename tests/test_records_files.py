"""Files of records: format by name, compression, unreadable inputs, atomic outputs."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd

from nlpkit.errors import InputError, UsageError
from nlpkit.records import Source, check_inputs, format_of, open_input, read, write_output


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.txt", "lines"),
        ("-", "lines"),
        ("a", "lines"),
        ("a.csv.gz", "csv"),
        ("a.TSV", "tsv"),
        ("a.tab.xz", "tsv"),
        ("dir.csv/a.jsonl.bz2", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.gz", "lines"),
    ],
)
def test_format_follows_the_file_name(name: str, format: str) -> None:
    assert format_of(name) == format


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
    ".zst": lambda data: zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}),
}
NOISE = "".join(f"{n * n * 7919}\n" for n in range(20_000)).encode()


@pytest.mark.parametrize("suffix", PACKERS)
def test_compressed_files_are_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(PACKERS[suffix](NOISE))
    with open_input(path) as stream:
        assert sum(1 for _ in read(stream, "lines", Source("in"))) == 20_000


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("damage", ["cut", "flip", "plain"])
def test_damaged_compressed_files_are_refused(tmp_path: Path, suffix: str, damage: str) -> None:
    path, data = tmp_path / f"a.txt{suffix}", bytearray(PACKERS[suffix](NOISE))
    middle = len(data) // 2
    if damage == "flip":
        data[middle : middle + 40] = b"\xff" * 40
    path.write_bytes({"cut": bytes(data[:middle]), "flip": bytes(data), "plain": NOISE}[damage])
    with open_input(path) as stream, pytest.raises(InputError, match="damaged or cut short"):
        list(read(stream, "lines", Source("in", errors="replace")))


def refusal(path: Path) -> str:
    messages = []
    for attempt in (lambda: open_input(path).__enter__(), lambda: check_inputs(["-", path])):
        with pytest.raises(InputError) as caught:
            attempt()
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    return messages[0]


def test_unreadable_inputs_are_explained(tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_text("x")
    (tmp_path / "empty").touch()
    assert refusal(tmp_path / "review.csv").endswith("no such file. Did you mean 'reviews.csv'?")
    assert "no such file. Check the name" in refusal(tmp_path / "zzz")
    assert "there is no folder" in refusal(tmp_path / "no" / "a.txt")
    assert "there is no folder" in refusal(tmp_path / "empty" / "a.txt")
    assert "is a directory: name its files, for example" in refusal(tmp_path)
    check_inputs([tmp_path / "empty"])  # no error in a list of files, but nothing to open
    with pytest.raises(InputError, match="empty is empty: there is nothing to read"):
        open_input(tmp_path / "empty").__enter__()
    assert "cannot be opened" in refusal(tmp_path / ("x" * 999))
    assert "cannot be opened" in refusal(tmp_path / "a\0b")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do all")
def test_missing_permissions_are_reported(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o200)
    assert "permission denied" in refusal(secret)
    secret.chmod(0o400)
    with pytest.raises(UsageError, match="permission denied"), write_output(secret):
        pass


def test_stdin_stays_open_and_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\n")))
    with open_input("-") as stream:
        assert stream.read() == b"a\n"
    assert not sys.stdin.buffer.closed
    check_inputs(["-"])
    with pytest.raises(UsageError, match="named twice"):
        check_inputs(["-", "-"])


def test_output_appears_only_when_complete(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    with write_output(path) as stream:
        stream.write("é\n\ud800\n")
        assert not path.exists()
        (part,) = tmp_path.iterdir()
        assert part.name.startswith(".out.txt.")
        assert part.suffix == ".part"
    assert path.read_bytes() == "é\n\\ud800\n".encode()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_failed_output_keeps_the_old_file(tmp_path: Path, failure: type[BaseException]) -> None:
    path = tmp_path / "out.txt"
    path.write_text("before")
    with pytest.raises(failure), write_output(path) as stream:
        stream.write("after")
        raise failure
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_output_keeps_file_mode_and_symbolic_link(tmp_path: Path) -> None:
    path, link = tmp_path / "out.txt", tmp_path / "link"
    path.write_text("before")
    path.chmod(0o640)
    link.symlink_to(path)
    with write_output(link) as stream:
        stream.write("after")
    assert link.is_symlink()
    assert path.read_text() == "after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_output_to_a_device_does_not_replace_it() -> None:
    with write_output(os.devnull) as stream:
        stream.write("x")
    assert not Path(os.devnull).is_file()


def test_full_disk_is_reported(tmp_path: Path) -> None:
    said = pytest.raises(UsageError, match="No space left.*free some space")
    with said, write_output(tmp_path / "out"):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("no/out.txt", "mkdir -p"),
        (".", "is a directory"),
        ("a.gz", "pipe it to gzip"),
        ("x" * 999, "too long"),
        ("a\0b", "null byte"),
    ],
)
def test_unwritable_outputs_are_refused(tmp_path: Path, name: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected), write_output(tmp_path / name):
        pass


def test_output_to_stdout(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with write_output("-") as stream:
        stream.write("é\n")
    assert capfdbinary.readouterr().out == "é\n".encode()
