"""Install bundles into the user's folder, verify them and remove them."""

from __future__ import annotations

import dataclasses
import json
import lzma
import os
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlpkit import zoo
from nlpkit.answers import difference
from nlpkit.errors import DeviceError, ModelError, UsageError, quoted
from nlpkit.runtime.bundle import read_bundle
from nlpkit.runtime.graphs import IDS, MASK, zeros
from nlpkit.runtime.manifest import NAME as MANIFEST
from nlpkit.runtime.model import Model

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError)
MOST_FILES = 100
MOST_BYTES = 1 << 32  # largest unpacked bundle, so that a zip cannot fill the disk
# Largest difference from a score in golden.jsonl, in the same precision and in others.
NEAR, NEARBY = 0.01, 0.05


def add(source: Path, *, replace: bool = False) -> Verified:
    """Install a bundle from a folder or a zip, if it passes `verify`; `replace` replaces another.

    Raises:
        ModelError: the bundle is damaged, has links or paths that lead outside it, or does not give
            the answers of its golden.jsonl.
        UsageError: `source` does not exist, or a model of that name is installed already.
    """
    shelf = zoo.user_folder() / "bundles"
    shelf.mkdir(parents=True, exist_ok=True)
    with _beside(shelf) as part:
        if source.is_dir():
            _copy(source, part)
        elif zipfile.is_zipfile(source):
            _unpack(source, part)
        elif source.exists():
            raise ModelError(f"{quoted(source)}: neither the folder of a bundle nor a zip of one")
        else:
            raise UsageError(f"{quoted(source)}: no such file or folder")
        name = read_bundle(part).manifest.name
        if not NAME.fullmatch(name):
            raise ModelError(
                f"{quoted(source)}: its name {name!r} is not a valid folder name; "
                "export it under another"
            )
        verified = _verified(part, name)
        target = shelf / name
        installed = {folder.name: folder for folder in zoo.bundle_folders()}
        if name in installed and not replace:
            raise UsageError(
                f"{name}: a model of that name is already in {quoted(installed[name])}; give "
                "--replace to replace it, or use the new one by its path: --model PATH"
            )
        if target.exists():
            old = shelf / f".{name}.old"
            shutil.rmtree(old, ignore_errors=True)
            target.replace(old)
            part.replace(target)
            shutil.rmtree(old, ignore_errors=True)
        else:
            part.replace(target)
    return dataclasses.replace(verified, path=target)


def remove(name: str) -> Path:
    """Remove a bundle that `add` installed, and return its folder.

    Raises:
        UsageError: no such bundle is installed in the user's folder.
    """
    target = zoo.user_folder() / "bundles" / name
    if not NAME.fullmatch(name) or not target.is_dir():
        names = sorted(path.parent.name for path in target.parent.glob("[!.]*/bundle.json"))
        listed = f"installed are: {', '.join(names)}" if names else "none is installed"
        raise UsageError(f"{quoted(name)}: no installed model of that name; {listed}")
    if target.is_symlink():
        target.unlink()
    else:
        shutil.rmtree(target)
    return target


@dataclass(frozen=True)
class Checked:
    """A verified precision, its number of golden texts and the largest difference of a score."""

    precision: str
    texts: int
    difference: float


@dataclass(frozen=True)
class Verified:
    """A verified bundle; `path` is the folder that it was installed to."""

    name: str
    checked: tuple[Checked, ...]
    path: Path | None = None


def verify(name: str) -> Verified:
    """Check the hashes of a bundle, and its answers in each precision against golden.jsonl.

    Raises:
        ModelError: a file or an answer differs; the message says which.
    """
    return _verified(zoo.find_bundle(name), name)


def _verified(folder: Path, name: str) -> Verified:
    """Verify the bundle in a folder as `verify` does; `name` is for messages."""
    bundle = read_bundle(folder)
    golden = _golden(bundle.checked("golden.jsonl").read_bytes(), folder)
    if bundle.manifest.tree["format"] == 1 and bundle.manifest.tokenizer_kind == "words":
        # Format 1 wrote the words of a document as one text, separated by spaces.
        golden = [(text.split(), expected) for text, expected in golden]
    checked = []
    for precision in bundle.manifest.precisions or ("auto",):
        try:
            model = zoo.open_bundle(folder, device="cpu", precision=precision)
        except DeviceError:
            continue
        _check_ids(model, folder)
        exact = precision == bundle.manifest.cpu_precision
        distance = _distance(model, golden, f"{name} in {precision}", NEAR if exact else NEARBY)
        checked.append(Checked(precision, len(golden), distance))
    return Verified(bundle.manifest.name, tuple(checked))


def _golden(content: bytes, folder: Path) -> list[tuple[Any, dict[str, Any]]]:
    """Parse golden.jsonl into pairs of a text and its answer as plain values."""
    try:
        rows = [json.loads(line) for line in content.decode().splitlines()]
        golden = [(row.pop("text"), row) for row in rows]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise ModelError(f"{quoted(folder / 'golden.jsonl')}: damaged ({problem})") from None
    if not golden or not all(isinstance(text, str) for text, _ in golden):
        raise ModelError(
            f"{quoted(folder / 'golden.jsonl')}: damaged (it must have texts with answers)"
        )
    return golden


def _check_ids(model: Model, folder: Path) -> None:
    """Raise ModelError if the tokenizer has ids without a row in the network's embedding."""
    import numpy as np

    ids = model.tokenizer.random(np.random.default_rng(0), 1, 1)
    if ids.ndim > 2:  # words, whose hashes never exceed their tables
        return
    size = model.tokenizer.vocab_size
    for graph, signature in model.run.signatures.items():
        if IDS not in signature.inputs:
            continue
        axes = {axis for of in signature.inputs.values() for axis in of if isinstance(axis, str)}
        feeds = zeros(signature.inputs, dict.fromkeys(axes, 1))
        feeds[IDS][:] = size - 1
        if MASK in feeds:
            feeds[MASK][:] = True
        try:
            model.run(graph, feeds, tuple(signature.outputs))
        except ModelError:
            raise ModelError(
                f"{quoted(folder)}: its tokenizer has {size} pieces, more than the network's "
                "embedding"
            ) from None


def _distance(
    model: Model, golden: list[tuple[Any, dict[str, Any]]], where: str, near: float
) -> float:
    """Return the largest difference of a score from golden.jsonl.

    Raises:
        ModelError: an answer differs. In another precision than the golden answers', where nearly
            equal scores may choose another label, up to half of the answers may differ.
    """
    answers = model.predict([text for text, _ in golden])
    largest, differing = 0.0, 0
    for (text, expected), answer in zip(golden, answers, strict=True):
        predicted = answer.plain() if answer else {}
        distance = difference(expected, predicted)
        if distance == float("inf") and near > NEAR:
            differing += 1
            if 2 * differing <= len(golden):
                continue
        if not distance <= near:  # also true for NaN
            got, wanted = (
                json.dumps(each, ensure_ascii=False)[:200] for each in (predicted, expected)
            )
            shown = (text if isinstance(text, str) else " ".join(text))[:60]
            raise ModelError(f"{where}: predicted {got} for {shown!r}, expected {wanted}")
        largest = max(largest, distance)
    return round(largest, 4)


@contextmanager
def _beside(shelf: Path) -> Iterator[Path]:
    """Yield a temporary folder in `shelf`, and remove it at the end unless it was moved."""
    part = shelf / f".{os.urandom(4).hex()}.part"
    part.mkdir()
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _copy(source: Path, part: Path) -> None:
    """Copy the files of a bundle to `part`.

    Raises:
        ModelError: a file is a link, or `source` is not a bundle.
    """
    bundle = read_bundle(source)
    for name in (MANIFEST, *bundle.manifest.files):
        if (source / name).is_symlink():
            raise ModelError(
                f"{quoted(source / name)}: a link, which may lead outside the bundle; "
                "replace it by the file"
            )
        shutil.copyfile(source / name, part / name)


def _unpack(source: Path, part: Path) -> None:
    """Unpack a zip whose entries are plain files, all in one folder or at the top.

    Raises:
        ModelError: an entry is a link or leads outside the bundle, or the zip is damaged or larger
            than MOST_FILES and MOST_BYTES allow.
    """
    with zipfile.ZipFile(source) as archive:
        entries = [entry for entry in archive.infolist() if not _is_left_out(entry)]
        if len(entries) > MOST_FILES:
            raise ModelError(
                f"{quoted(source)}: holds {len(entries)} files; a bundle has {MOST_FILES} at most"
            )
        tops = {entry.filename.rpartition("/")[0] for entry in entries}
        if len(tops) > 1:
            raise ModelError(
                f"{quoted(source)}: holds several folders; zip the folder of one bundle"
            )
        left = MOST_BYTES
        for entry in entries:
            name = entry.filename.rpartition("/")[2]
            parts = entry.filename.split("/")
            linked = entry.external_attr >> 28 == 0xA
            if linked or not all(NAME.fullmatch(item) for item in parts):
                raise ModelError(
                    f"{quoted(source)}: has {entry.filename!r}, a link or outside the folder; "
                    "zip the bundle again"
                )
            left = _extract(archive, entry, part / name, left, source)


def _is_left_out(entry: zipfile.ZipInfo) -> bool:
    """Tell whether an entry is a folder, or one of the files that macOS adds to a zip."""
    *folders, name = entry.filename.split("/")
    return entry.is_dir() or "__MACOSX" in folders or name == ".DS_Store" or name.startswith("._")


def _extract(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, left: int, source: Path
) -> int:
    """Write an entry's bytes and return how many bytes are still allowed.

    The bytes are counted, because the size in the zip's directory may be false.
    """
    try:
        with archive.open(entry) as packed, target.open("wb") as out:
            while chunk := packed.read(1 << 20):
                left -= len(chunk)
                if left < 0:
                    raise ModelError(
                        f"{quoted(source)}: unpacks to more than {MOST_BYTES >> 30} GB; "
                        "a bundle is smaller"
                    )
                out.write(chunk)
    except DAMAGE as problem:
        raise ModelError(
            f"{quoted(source)}: damaged, or encrypted ({problem}); get the zip again"
        ) from None
    return left
