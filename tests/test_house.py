"""The structure of the code: no import cycles, no foreign private names, no long files."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from conftest import ROOT

LONGEST = 300  # lines
FOLDERS = ("nlpkit", "tests", "benchmarks", "docs")
# Too heavy to load when a filter starts.
HEAVY = {"torch", "spacy", "pandas", "sklearn", "ray", "onnx", "optuna", "lingua"}
# Packages that may import torch at the top: the inference path does not import them.
TORCH = {
    "attention",
    "architectures",
    "decoders",
    "heads",
    "objectives",
    "training",
    "tuning",
    "exporting",
    "recurrent",
}
SPACY = "spacy_components"  # spaCy imports it, by an entry point of the package


def rooms() -> ModuleType:
    """Return the module docs/rooms.py, which reads the imports and draws them."""
    spec = importlib.util.spec_from_file_location("rooms", ROOT / "docs/rooms.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HOUSE = rooms()


def files() -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("graph", ["module_graph", "room_graph"])
def test_no_import_cycles(graph: str) -> None:
    found = HOUSE.circle(getattr(HOUSE, graph)())
    assert not found, " -> ".join(found)


def test_cycle_detection_works() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}
    assert sorted(HOUSE.circle(graph)) == ["b", "c"]


def private(path: Path) -> Iterator[str]:
    """Yield the underscore names that a file imports from another folder."""
    own = ".".join(path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nlpkit"):
            for alias in node.names:
                parts = f"{node.module}.{alias.name}".split(".")
                for place, part in enumerate(parts):
                    if part.startswith("_") and not part.endswith("__"):
                        owner = ".".join(parts[:place])
                        if own not in (owner, owner.rpartition(".")[0]):
                            yield f"{path}: {'.'.join(parts)}"


def test_private_names_stay_in_their_folder() -> None:
    found = [name for path in files() for name in private(path)]
    assert not found, "\n".join(found)


def test_no_file_is_too_long() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files()}
    assert not {path: n for path, n in lines.items() if n > LONGEST}
    assert len(lines) > 200


def test_inference_modules_import_nothing_heavy_at_the_top() -> None:
    found = []
    for name, path in HOUSE.modules().items():
        if HOUSE.room_of(name) in {*TORCH, SPACY}:
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [f"{path}: {n}" for n in names if n.partition(".")[0] in HEAVY]
    assert not found, "\n".join(found)


def test_only_spacy_imports_the_components() -> None:
    assert not [room for room, others in HOUSE.room_graph().items() if SPACY in others]


def test_rooms_svg_is_up_to_date() -> None:
    graph = HOUSE.room_graph()
    assert HOUSE.SVG.read_text(encoding="utf-8") == HOUSE.draw(graph), "run: python docs/rooms.py"
    architecture = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    missing = [
        room for room in graph if not room.startswith("__") and f"`{room}" not in architecture
    ]
    assert not missing, f"docs/architecture.md says nothing of {missing}"
