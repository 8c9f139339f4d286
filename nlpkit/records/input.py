"""Open what a person named, or say in one line what is the matter with it."""

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
EXTENSIONS = {"tsv": ("tab",), "jsonl": ("ndjson",)}  # beside the format's own name
READ_ONLY = {"xlsx": ("xls", "xlsb", "xlsm", "ods")}  # extensions that are read, not written
SIBLINGS = 10_000  # names looked at for a near match: a huge folder must not stall an error


def format_of(path: str | os.PathLike[str]) -> str:
    """Return the format a file's name promises; unknown extensions, and `-`, are lines."""
    extension = unpacked(Path(path)).suffix.lower().removeprefix(".")
    if catalog.known("formats", extension):
        return extension
    others = (*EXTENSIONS.items(), *READ_ONLY.items())
    return next((form for form, also in others if extension in also), "lines")


def extension_for(path: PurePath, format: str) -> str:
    """Return the extension of an output beside an input: the input's own if it says the format.

    An extension that is only read, such as .ods, gives that of the format.
    """
    read_only = path.suffix.lower().removeprefix(".") in READ_ONLY.get(format, ())
    return f".{format}" if read_only or format_of(path) != format else path.suffix


def unpacked(path: AnyPath) -> AnyPath:
    """Return a name without the extension of its compression."""
    return path.with_suffix("") if path.suffix.lower() in COMPRESSION else path


@contextmanager
def open_input(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file, decompressed by its extension, or stdin for `-` (which stays open).

    Raises:
        InputError: it is missing, a folder, empty, or may not be read.
        UsageError: this Python was built without the module that decompresses it.
    """
    if os.fspath(path) == "-":
        yield _stdin()
        return
    _check(Path(path))
    if Path(path).is_file() and not Path(path).stat().st_size:  # also a file of /proc
        raise InputError(f"{quoted(path)} is empty: there is nothing to read")
    with _open(Path(path)) as stream:
        yield stream


def check_inputs(paths: Iterable[str | os.PathLike[str]]) -> None:
    """Check all inputs before work begins, so that a long job does not die on its last file.

    Raises:
        InputError: one of them is missing, a folder, or may not be read.
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
            f"{quoted(path)}: permission denied; check the rights of its folder"
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
    """Return whether a path is an empty file. Pipes, and files of /proc, have size 0 too."""
    try:
        about = Path(path).stat()
        if about.st_size or not stat.S_ISREG(about.st_mode):
            return False
        with open(path, "rb") as stream:
            return not stream.read(1)
    except (OSError, ValueError):
        return False


def missing(path: Path) -> str:
    """Say that there is no such file, with the near match."""
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
    """Return standard input as a stream of our own over its descriptor.

    A thread may be blocked in a read when the program ends, and Python aborts when it then finds
    its own sys.stdin locked.

    Raises:
        UsageError: there is no standard input.
    """
    try:
        return open(sys.stdin.fileno(), "rb", closefd=False)
    except (AttributeError, OSError, ValueError):  # closed (<&-), or replaced by an object
        if sys.stdin is not None and hasattr(sys.stdin, "buffer"):
            return sys.stdin.buffer
        raise UsageError("standard input is closed; name a file, or pipe text in") from None
