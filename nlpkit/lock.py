"""One process at a time in a folder."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nlpkit.errors import UsageError, quoted


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Make a folder, and keep other processes of this machine from working in it.

    Raises:
        UsageError: it cannot be made, or another process is at it.
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
                f"{quoted(folder)}: another nlpkit is at work in this folder"
            ) from None
        yield
