"""Lock an output folder, so that only one process works in it, or a file that several rewrite."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from nlpkit.errors import UsageError, quoted


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Create a folder and lock it against other processes of this machine (flock).

    Raises:
        UsageError: the folder cannot be created, or another process holds its lock.
    """
    if not folder.name:
        raise UsageError("--output: name a folder, such as runs/mine")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as problem:
        raise UsageError(f"{quoted(folder)}: {problem.strerror}; choose another --output") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(
                f"{quoted(folder)}: in use by another nlpkit process; wait for it, or choose "
                "another --output"
            ) from None
        yield


@contextmanager
def held_file(path: Path, *, create: bool = False) -> Iterator[BinaryIO]:
    """Open a file that processes rewrite in turns; wait until no other process holds it (flock).

    The holder may replace the file by a rename: the next one then opens the new file. A created
    file is empty and for its owner only.

    Raises:
        OSError: the file cannot be opened for reading and writing.
    """
    flags = os.O_RDWR | (os.O_CREAT if create else 0)
    while True:
        with open(os.open(path, flags, 0o600), "rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            if _is_still(path, stream):
                yield stream
                return


def _is_still(path: Path, stream: BinaryIO) -> bool:
    """Tell whether a path is still that of an open file."""
    with suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(stream.fileno()))
    return False
