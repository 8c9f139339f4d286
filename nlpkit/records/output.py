"""Write files atomically: the old file stays until the new one is complete."""

from __future__ import annotations

import errno
import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from nlpkit.errors import NoSpace, UsageError
from nlpkit.records.input import COMPRESSION, READ_ONLY

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def write_output(path: str | os.PathLike[str]) -> Iterator[TextIO]:
    r"""Yield a UTF-8 text stream with "\n" line ends, for a file or for stdout (`-`).

    The file appears only if the block succeeds; an exception leaves an existing file unchanged. A
    lone surrogate, which UTF-8 cannot hold, is written as `\udXXX`.

    Raises:
        UsageError: the folder is missing, or the file is not writable.
        NoSpace: the disk is full.
    """
    if os.fspath(path) == "-":
        yield _stdout()
        sys.stdout.flush()
        return
    try:
        target = Path(path)
        _check(target)
        # Write devices and pipes in place: never rename a file over /dev/null.
        special = target.exists() and not target.is_file()
        if not special:
            target = Path(os.path.realpath(target))  # keep symbolic links
        part = target if special else _beside(target)
        stream = _open(part, "w" if special else "x")
    except (OSError, ValueError) as err:  # ValueError: a NUL in the name
        why = getattr(err, "strerror", None) or err
        if getattr(err, "errno", None) in FULL:
            raise NoSpace(f"cannot write {path}: {why}; free some space") from err
        raise UsageError(f"cannot write {path}: {why}; name another file") from err
    with stream if special else _complete(stream, part, target):
        yield stream


def _beside(target: Path) -> Path:
    # In the same folder, because rename is atomic only within a file system.
    return target.with_name(f".{target.name}.{os.urandom(4).hex()}.part")


@contextmanager
def _complete(stream: TextIO, part: Path, target: Path) -> Iterator[None]:
    try:
        yield
        stream.flush()
        os.fsync(stream.fileno())
        stream.close()
        if target.exists():
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        os.replace(part, target)
    except BaseException as err:  # also for Ctrl-C, so that no part file remains
        with suppress(OSError):
            stream.close()
        part.unlink(missing_ok=True)
        if isinstance(err, OSError) and err.errno in FULL:
            raise NoSpace(f"cannot write {target}: {err.strerror}; free some space") from err
        raise


def _stdout() -> TextIO:
    out = sys.stdout
    if out is None:
        raise UsageError("standard output is closed; name a file with --output")
    if isinstance(out, io.TextIOWrapper):  # a caller may have replaced it by a StringIO
        out.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
    return out


def _check(path: Path) -> None:
    if path.suffix.lower() in COMPRESSION:
        raise UsageError(
            f"cannot write {path}: output is not compressed; write to - and pipe it to gzip"
        )
    if (extension := path.suffix.lower().removeprefix(".")) in READ_ONLY["xlsx"]:
        raise UsageError(
            f"cannot write {path}: .{extension} is an input format only; name it .xlsx or .csv"
        )
    if path.is_dir():
        raise UsageError(f"cannot write {path}: it is a directory; name a file in it")
    if not path.parent.is_dir():
        raise UsageError(
            f"cannot write {path}: there is no folder {path.parent}; mkdir -p {path.parent}"
        )
    # Rename needs write permission on the folder only, so it would replace a protected file.
    if path.exists() and not os.access(path, os.W_OK):
        raise UsageError(f"cannot write {path}: permission denied; name another file")


def _open(path: Path, mode: str) -> TextIO:
    raw = open(path, mode + "b")
    return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", newline="\n")
