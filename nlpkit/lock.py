"""Lock an output folder, so that only one process works in it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
