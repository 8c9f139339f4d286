"""Open input files and standard input, with one-line errors."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from pathlib import Path, PurePath
from typing import BinaryIO, TypeVar, cast

from nlpkit import catalog
from nlpkit.errors import InputError, NoFile, UsageError, near_match, quoted

AnyPath = TypeVar("AnyPath", bound=PurePath)
COMPRESSION = {".gz": "gzip", ".xz": "lzma", ".bz2": "bz2", ".zst": "backports.zstd"}
EXTENSIONS = {"tsv": ("tab",), "jsonl": ("ndjson",)}  # besides the name of the format
READ_ONLY = {"xlsx": ("xls", "xlsb", "xlsm", "ods")}  # extensions of inputs only
SIBLINGS = 10_000  # names searched for the closest match; a huge folder must not delay an error


def format_of(path: str | os.PathLike[str]) -> str:
    """Return the format by the extension of a file; `lines` for other extensions and for `-`."""
    extension = unpacked(Path(path)).suffix.lower().removeprefix(".")
    if catalog.known("formats", extension):
        return extension
    others = (*EXTENSIONS.items(), *READ_ONLY.items())
    return next((form for form, also in others if extension in also), "lines")


def extension_for(path: PurePath, format: str) -> str:
    """Return the extension for an output: that of the input if it belongs to the format.

    An input-only extension, such as .ods, is replaced by that of the format.
    """
    read_only = path.suffix.lower().removeprefix(".") in READ_ONLY.get(format, ())
    return f".{format}" if read_only or format_of(path) != format else path.suffix


def unpacked(path: AnyPath) -> AnyPath:
    """Return the path without a compression extension, such as .gz."""
    return path.with_suffix("") if path.suffix.lower() in COMPRESSION else path


@contextmanager
def open_input(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file and decompress it by its extension; `-` is stdin, which stays open.

    Raises:
        InputError: the file is missing, a folder, empty, or not readable.
        UsageError: this Python lacks the module that decompresses it.
    """
    if os.fspath(path) == "-":
        yield _stdin()
        return
    _check(Path(path))
    if Path(path).is_file() and not Path(path).stat().st_size:  # not true of files in /proc
        raise InputError(f"{quoted(path)} is empty: there is nothing to read")
    with _open(Path(path)) as stream:
        yield stream


def check_inputs(paths: Iterable[str | os.PathLike[str]]) -> None:
    """Check all inputs at the start, so that a long job does not fail on its last file.

    Raises:
        InputError: a file is missing, a folder, or not readable.
        UsageError: stdin is named twice.
    """
    names = [os.fspath(path) for path in paths]
    if names.count("-") > 1:
        raise UsageError("- (stdin) is named twice, but can be read only once; name it once")
    for name in names:
        if name != "-":
            _check(Path(name))


def _open(path: Path) -> BinaryIO:
    module = COMPRESSION.get(path.suffix.lower(), "io")
    try:
        return cast(BinaryIO, import_module(module).open(path, "rb"))
    except ImportError as err:
        raise UsageError(
            f"{quoted(path)}: this Python has no {module}; decompress the file first"
        ) from err
    except OSError as err:
        raise InputError(
            f"{quoted(path)}: cannot be opened: {err.strerror or err}; check it"
        ) from err


def _check(path: Path) -> None:
    try:
        about = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise NoFile(missing(path), str(path)) from None
    except PermissionError:
        raise InputError(
            f"{quoted(path)}: permission denied; check the permissions of its folder"
        ) from None
    except (OSError, ValueError) as err:  # ValueError: a NUL in the name
        if getattr(err, "errno", None) == errno.ENAMETOOLONG:  # probably a text
            message = (
                f"{quoted(str(path)[:60])}...: cannot be opened: no file name can be this long"
            )
            raise NoFile(message, str(path)) from None
        raise InputError(f"{quoted(path)}: cannot be opened: {err}; check the name") from None
    if stat.S_ISDIR(about.st_mode):
        raise InputError(
            f"{quoted(path)} is a directory: name its files, for example {quoted(path)}/*.txt"
        )
    if not os.access(path, os.R_OK):
        raise InputError(f"{quoted(path)}: permission denied; chmod +r it, or run as its owner")


def is_empty(path: str | os.PathLike[str]) -> bool:
    """Return whether a path is an empty regular file.

    Pipes and files in /proc also have size 0, but may hold data.
    """
    try:
        about = Path(path).stat()
        if about.st_size or not stat.S_ISREG(about.st_mode):
            return False
        with open(path, "rb") as stream:
            return not stream.read(1)
    except (OSError, ValueError):
        return False


def missing(path: Path) -> str:
    """Return the error message for a missing file, with the closest name in its folder."""
    if not path.parent.is_dir():
        return f"{quoted(path)}: there is no folder {quoted(path.parent)}; check the path"
    try:
        with os.scandir(path.parent) as entries:
            siblings = [entry.name for entry in islice(entries, SIBLINGS)]
    except OSError:
        siblings = []
    near = near_match(path.name, siblings)
    return f"{quoted(path)}: no such file.{near or ' Check the name, or use - for stdin'}"


def _stdin() -> BinaryIO:
    """Return a new stream over the descriptor of standard input.

    Python aborts at exit if a thread is blocked in a read of `sys.stdin`; of this stream it may be.

    Raises:
        UsageError: there is no standard input.
    """
    try:
        return open(sys.stdin.fileno(), "rb", closefd=False)
    except (AttributeError, OSError, ValueError):  # closed (<&-), or replaced
        if sys.stdin is not None and hasattr(sys.stdin, "buffer"):
            return sys.stdin.buffer
        raise UsageError("standard input is closed; name a file, or pipe text in") from None
