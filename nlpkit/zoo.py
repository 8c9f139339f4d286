"""Find bundles and recipes by name: a path, the user's data folder, the wheel, the checkout."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from nlpkit.errors import ModelError, near_match

PACKAGE = Path(__file__).parent
CHECKOUT = PACKAGE.parent
RULES = ("rules", "rules-en")  # models without a bundle: `nlpkit.runtime.rules`, whose import costs


def user_folder() -> Path:
    """Return where a person's own bundles are kept: $NLPKIT_HOME, else the XDG data folder."""
    if home := os.environ.get("NLPKIT_HOME"):
        return Path(home)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "nlpkit"


def bundle_folders() -> Iterator[Path]:
    """Yield every bundle's folder; where two have one name, only the first that is found."""
    seen = set()
    for shelf in (user_folder() / "bundles", PACKAGE / "_bundles", CHECKOUT / "export"):
        for manifest in sorted(shelf.glob("[!.]*/bundle.json")):  # a dot: an export that was killed
            if manifest.parent.name not in seen:
                seen.add(manifest.parent.name)
                yield manifest.parent


def find_bundle(name: str) -> Path:
    """Return the folder of a bundle given by path or by name.

    Raises:
        ModelError: there is none; the message lists those there are.
    """
    path = Path(name)
    if (path / "bundle.json").is_file():
        return path
    known = {folder.name: folder for folder in bundle_folders()}
    if name in known:
        return known[name]
    if name in RULES:
        raise ModelError(f"{name}: has rules where this needs the files of a network")
    if is_run(name):
        raise ModelError(
            f"{name}: a training run; 'nlpkit export {name} -o export/NAME' makes a model"
        )
    if path.exists():
        raise ModelError(f"{name}: not a bundle (it has no bundle.json); 'nlpkit export' makes one")
    there = [*known, *RULES]
    raise ModelError(f"no model {name!r}.{near_match(name, there)} There are: {', '.join(there)}")


def is_run(name: str) -> bool:
    """Tell whether a path is a training run rather than a bundle."""
    return (Path(name) / "recipe.toml").is_file() and not (Path(name) / "bundle.json").exists()


def recipe_folder() -> Path:
    """Return the folder of the recipes that made the bundled models."""
    shipped = PACKAGE / "_recipes"
    return shipped if shipped.is_dir() else CHECKOUT / "models"
