"""The output of vectors: a file's format by its extension, and the stream to write to."""

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
    """Return the format of a file by its extension; svmlight if it has none.

    Raises:
        UsageError: no format has that extension.
    """
    extension = Path(path).suffix.lower().removeprefix(".")
    known = catalog.names("vector_formats")
    format = EXTENSIONS.get(extension, extension or "svmlight")
    if format not in known:
        formats = "|".join(known)
        raise UsageError(f"{path}: .{extension} is not a format of vectors; use --to {formats}")
    return format


@contextmanager
def open_output(path: str, *, binary: bool) -> Iterator[Any]:
    """Open a file, or stdout for `-`, as a text stream or a seekable byte stream.

    Raises:
        UsageError: the file cannot be written; the message says why.
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
    """Yield a temporary file; then copy it to a stream that cannot seek, such as a pipe."""
    with tempfile.TemporaryFile() as spool:
        yield spool
        spool.seek(0)
        shutil.copyfileobj(spool, stream.buffer)
