"""Which files a batch reads, and what it calls what it makes of them."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nlpkit.errors import InputError, UsageError
from nlpkit.records import format_of
from nlpkit.records._input import EXTENSIONS, unpacked

MAGIC = "*?["


@dataclass(frozen=True)
class Item:
    """One input: where it lies, its format, and the name of its output in the batch's folder."""

    path: Path
    format: str
    output: str
    to: str

    @property
    def plain(self) -> bool:
        """Whether the output is `label<TAB>score<TAB>text`, without a header."""
        return self.format == "lines" and self.to == "tsv"


def expand(
    inputs: Sequence[str], *, folder: Path, source: str | None, to: str | None
) -> list[Item]:
    """Return what files, patterns and folders stand for, sorted within each.

    Of a folder those files count whose extension is that of a format; hidden ones and the batch's
    own folder do not.

    Raises:
        InputError: a name or pattern finds nothing.
        UsageError: stdin is named, or two inputs would have one output.
    """
    items: dict[str, Item] = {}
    for given in inputs:
        for path, name in _found(given, folder):
            item = _item(path, name, source, to)
            other = items.setdefault(item.output, item)
            if other is not item and other.path.resolve() != path.resolve():
                raise UsageError(
                    f"{other.path} and {path} would both become {item.output}; "
                    "name their folder, so that outputs keep its structure, or run two batches"
                )
    return list(items.values())


def _found(given: str, folder: Path) -> list[tuple[Path, PurePosixPath]]:
    """Return files and their names in the output."""
    path = Path(given)
    if given == "-":
        raise UsageError("a batch reads files; for standard input there is 'nlpkit predict'")
    if path.is_dir():
        own = folder.resolve()
        files = [file for file in sorted(path.rglob("*")) if _belongs(file, path, own)]
        if not files:
            raise InputError(f"{path}: no file in this folder has the extension of a known format")
        return [(file, PurePosixPath(file.relative_to(path).as_posix())) for file in files]
    if not path.exists() and any(sign in given for sign in MAGIC):
        files = [Path(name) for name in sorted(glob.glob(given, recursive=True))]  # noqa: PTH207
        files = [file for file in files if file.is_file()]
        if not files:
            raise InputError(f"{given}: no file is found by this pattern; check it, and quote it")
        return [(file, PurePosixPath(file.name)) for file in files]
    return [(path, PurePosixPath(path.name))]


def _belongs(file: Path, root: Path, own: Path) -> bool:
    inside = file.relative_to(root)
    hidden = any(part.startswith(".") for part in inside.parts)
    return not hidden and file.is_file() and _known(file) and own not in file.resolve().parents


def _known(path: Path) -> bool:
    return format_of(path) != "lines" or unpacked(path).suffix.lower() == ".txt"


def _item(path: Path, name: PurePosixPath, source: str | None, to: str | None) -> Item:
    format = source or format_of(path)
    written = to or ("tsv" if format == "lines" else format)
    bare = unpacked(name)
    extension = bare.suffix.lower().removeprefix(".")
    same = written == format and extension in (written, *EXTENSIONS.get(written, ()))
    output = bare if same else bare.with_suffix(f".{written}")
    return Item(path, format, str(output), written)
