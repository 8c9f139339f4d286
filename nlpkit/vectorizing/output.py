"""Where vectors are written: the format that a file's name promises, and a stream for it."""

from __future__ import annotations

import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import fstat
from pathlib import Path
from typing import Any, TextIO

from nlpkit import catalog, records
from nlpkit.errors import UsageError

EXTENSIONS = {"svm": "svmlight", "libsvm": "svmlight", "ndjson": "jsonl"}


def format_of(path: str) -> str:
    """Return the format that a file's extension promises; without one it is svmlight.

    Raises:
        UsageError: the extension promises something else.
    """
    extension = Path(path).suffix.lower().removeprefix(".")
    known = catalog.names("vector_formats")
    format = EXTENSIONS.get(extension, extension or "svmlight")
    if format not in known:
        raise UsageError(f"{path}: .{extension} is no format of vectors; --to {'|'.join(known)}")
    return format


@contextmanager
def open_output(path: str, *, binary: bool) -> Iterator[Any]:
    """Open a file, or stdout for `-`: for text, or for bytes that can be sought in.

    Raises:
        UsageError: it cannot be written; the message says why.
    """
    with records.write_output(path) as stream:
        if not binary:
            yield stream
        elif path != "-" and stat.S_ISREG(fstat(stream.fileno()).st_mode):
            yield stream.buffer
        else:
            with _copied(stream) as spool:
                yield spool


@contextmanager
def _copied(stream: TextIO) -> Iterator[Any]:
    """Yield a temporary file, and copy it to a stream that cannot seek (a pipe)."""
    with tempfile.TemporaryFile() as spool:
        yield spool
        spool.seek(0)
        shutil.copyfileobj(spool, stream.buffer)
