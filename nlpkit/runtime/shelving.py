"""Write a bundle: beside its folder first, opened and asked there, then renamed into place."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nlpkit.errors import UsageError, quoted
from nlpkit.runtime.bundle import read_bundle
from nlpkit.runtime.golden import golden_lines
from nlpkit.runtime.manifest import NAME as MANIFEST
from nlpkit.runtime.model import Model


def check_output(folder: Path) -> None:
    """Check that a folder may become a bundle: it is new, or a bundle without other files.

    Raises:
        UsageError: it is something else.
        ModelError: other files lie beside the bundle's.
    """
    if (
        folder.name in ("", "..")
        or folder.is_symlink()
        or (folder.exists() and not folder.is_dir())
    ):
        raise UsageError(f"{quoted(folder)}: name a folder to write, such as export/mine")
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if names and MANIFEST not in names:
        raise UsageError(f"{quoted(folder)} is not empty and not a bundle; choose another --output")
    if names:
        read_bundle(folder)


def write_bundle(
    folder: Path,
    files: Mapping[str, bytes],
    manifest: dict[str, Any],
    open_model: Callable[[Path], Model],
) -> None:
    """Write a bundle with golden.jsonl, its answers to golden texts, and complete its manifest.

    `open_model` opens the model of a bundle's folder.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        part.chmod(0o755)
        _put(part, files, manifest)
        golden = golden_lines(open_model(part)).encode()
        _put(part, {**files, "golden.jsonl": golden}, manifest)
        open_model(part)
        old = part.with_name(part.name + ".old")
        if folder.exists():
            os.replace(folder, old)
        os.replace(part, folder)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _put(part: Path, files: Mapping[str, bytes], manifest: dict[str, Any]) -> None:
    for name, content in files.items():
        (part / name).write_bytes(content)
    manifest["files"] = {
        name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
    (part / MANIFEST).write_text(text, encoding="utf-8")
