"""Find the data files that a recipe names."""

from __future__ import annotations

import os
from pathlib import Path

from nlpkit.errors import InputError, quoted


def resolve(pattern: str, folder: Path) -> list[Path]:
    """Return the files that a path or glob pattern matches.

    Relative patterns are looked up under $NLPKIT_DATA, then in `folder`, the recipe's folder.

    Raises:
        InputError: no file matches.
    """
    root = os.environ.get("NLPKIT_DATA")
    for base in ([Path(root)] if root else []) + [folder]:
        path = base / pattern
        if path.exists():
            return [path]
        relative = path.relative_to(path.anchor)
        files = sorted(match for match in Path(path.anchor).glob(str(relative)) if match.is_file())
        if files:
            return files
    folders = (
        f"$NLPKIT_DATA ({root}) and {folder}" if root else f"{folder} ($NLPKIT_DATA is not set)"
    )
    raise InputError(f"{quoted(pattern)}: no such data file; looked in {folders}")
