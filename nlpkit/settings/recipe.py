"""Read and check recipes, the TOML files that describe how a model is trained and exported.

Each section becomes a frozen dataclass. `[task]`, `[architecture]` and `[objective]` name a module
of the catalogue and hold its `Config`. One error reports every problem of a recipe.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from nlpkit import catalog
from nlpkit.errors import InputError, UsageError, near_match, quoted
from nlpkit.settings import declaration
from nlpkit.settings.overrides import override
from nlpkit.settings.parts import Part, read_part, read_parts
from nlpkit.settings.sections import (
    Corpus,
    Data,
    Distill,
    Export,
    Init,
    Preprocess,
    Pretrain,
    Start,
    Tokenizer,
    Train,
)
from nlpkit.settings.suited import suit_tokenizer

Complete = Callable[[dict[str, Any], Path], None]  # the recipe's values and its folder
AnyRecipe = TypeVar("AnyRecipe", bound="_Tree")


class _Tree:
    """The base of both kinds of recipe.

    PARTS are the sections that name one module of the catalogue, SHELVES those that name any
    number of them (section -> kind in the catalogue). SECTIONS are plain settings (section ->
    dataclass).
    """

    name: str
    PARTS: ClassVar[dict[str, str]]
    WRITER: ClassVar[dict[str, str]] = {}  # parts of networks that write texts
    SHELVES: ClassVar[dict[str, str]] = {}
    SECTIONS: ClassVar[dict[str, type]]

    @classmethod
    def settle(cls, parts: dict[str, Any], sections: dict[str, Any]) -> None:
        """Fill in the settings whose default depends on another section."""

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as plain values that can be written as TOML or JSON."""
        tree: dict[str, Any] = {"name": self.name}
        for kind in {**self.PARTS, **self.WRITER}:
            if part := getattr(self, kind):
                tree[kind] = {"name": part.name} | part.settings()
        for kind in self.SHELVES:
            tree[kind] = {part.name: part.settings() for part in getattr(self, kind)}
        for kind in self.SECTIONS:
            tree[kind] = dataclasses.asdict(getattr(self, kind))
        return tree


@dataclass(frozen=True, kw_only=True)
class Recipe(_Tree):
    """A recipe of `nlpkit train`. Its relative paths start at `folder`."""

    PARTS: ClassVar = {"task": "tasks", "architecture": "architectures"}
    WRITER: ClassVar = {"decoder": "decoders"}
    SHELVES: ClassVar = {"augment": "augmentations"}
    SECTIONS: ClassVar = {
        "data": Data,
        "preprocess": Preprocess,
        "tokenizer": Tokenizer,
        "init": Init,
        "distill": Distill,
        "train": Train,
        "export": Export,
    }

    name: str
    task: Part
    data: Data
    preprocess: Preprocess
    tokenizer: Tokenizer
    architecture: Part | None  # None for a language model, which has a decoder only
    decoder: Part | None
    init: Init
    distill: Distill
    augment: tuple[Part, ...]
    train: Train
    export: Export
    folder: Path

    @property
    def encoder(self) -> Part:
        """The architecture.

        Raises:
            UsageError: the recipe is of a language model, which has none.
        """
        if self.architecture is None:
            raise UsageError(f"{self.name}: needs [architecture]; a language model has none")
        return self.architecture

    @classmethod
    def settle(cls, parts: dict[str, Any], sections: dict[str, Any]) -> None:
        """Fill in the task's columns for each data file whose columns the recipe leaves out."""
        task: Part = parts["task"]
        columns = catalog.load("tasks", task.name).Task.columns
        columns = getattr(task.config, "columns", columns)
        data: Data = sections["data"]
        named: dict[str, Any] = {
            split: tuple(
                dataclasses.replace(
                    source,
                    text=source.text or columns.text,
                    label=source.label or columns.target,
                )
                for source in getattr(data, split)
            )
            for split in ("train", "dev", "seen")
        }
        sections["data"] = dataclasses.replace(data, **named)


@dataclass(frozen=True, kw_only=True)
class Pretraining(_Tree):
    """A recipe of `nlpkit pretrain`. Its relative paths start at `folder`."""

    PARTS: ClassVar = {"objective": "objectives", "architecture": "architectures"}
    SECTIONS: ClassVar = {
        "corpus": Corpus,
        "tokenizer": Tokenizer,
        "init": Start,
        "pretrain": Pretrain,
    }

    name: str
    objective: Part
    corpus: Corpus
    tokenizer: Tokenizer
    architecture: Part
    init: Start
    pretrain: Pretrain
    folder: Path


def load(path: Path, overrides: Iterable[str] = (), complete: Complete | None = None) -> Recipe:
    """Read a recipe of `nlpkit train` and apply `section.key=value` overrides.

    `complete` fills in settings that the recipe leaves out.

    Raises:
        InputError: the file is missing or is not TOML.
        UsageError: a key or value is wrong; the message lists every problem.
    """
    tree, folder = _read(path)
    if "objective" in tree:
        raise UsageError(
            f"{quoted(path)}: this recipe is for 'nlpkit pretrain', not for 'nlpkit train'"
        )
    return from_dict(tree, folder=folder, where=str(path), overrides=overrides, complete=complete)


def load_pretraining(path: Path, overrides: Iterable[str] = ()) -> Pretraining:
    """Read a recipe of `nlpkit pretrain` and apply `section.key=value` overrides.

    Raises:
        InputError, UsageError: as `load`.
    """
    tree, folder = _read(path)
    if "task" in tree:
        raise UsageError(
            f"{quoted(path)}: this recipe is for 'nlpkit train', not for 'nlpkit pretrain'"
        )
    return _build(Pretraining, tree, folder, str(path), overrides)


def from_dict(
    tree: dict[str, Any],
    *,
    folder: Path,
    where: str,
    overrides: Iterable[str] = (),
    complete: Complete | None = None,
) -> Recipe:
    """Build a recipe of `nlpkit train` from plain values; `where` names it in messages.

    `complete` fills in settings that are left out.

    Raises:
        UsageError: a key or value is wrong; the message lists every problem.
    """
    return _build(Recipe, tree, folder, where, overrides, complete)


def _read(path: Path) -> tuple[dict[str, Any], Path]:
    """Return a recipe's values, and the folder at which its relative paths start."""
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{quoted(path)}: no such recipe; 'nlpkit init recipe --arch atnet > {quoted(path)}' "
            "writes one, with --objective mlm for 'nlpkit pretrain'"
        ) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(f"{quoted(path)}: cannot be read as a recipe: {problem}") from None
    except tomllib.TOMLDecodeError as problem:
        raise InputError(f"{quoted(path)}: not valid TOML: {problem}") from None
    folder_name = path.resolve().parent.name
    tree.setdefault("name", folder_name if path.stem == "recipe" else path.stem)
    return tree, Path(str(tree.pop("folder", path.parent)))


def _build(
    kind: type[AnyRecipe],
    tree: dict[str, Any],
    folder: Path,
    where: str,
    overrides: Iterable[str],
    complete: Complete | None = None,
) -> AnyRecipe:
    problems: list[str] = []
    for item in overrides:
        override(tree, item, problems)
    # A model to start from gives what the task leaves open, and the architecture the rest. Without
    # one the architecture decides, which may read one kind of tokenizer only.
    (first, goals), (last, networks) = kind.PARTS.items()
    if complete and not problems:
        if tree.get("init"):
            suit_tokenizer(tree, goals, tree.get(first), start=True)
        complete(tree, folder)
    suit_tokenizer(tree, networks, tree.get(last))
    suit_tokenizer(tree, goals, tree.get(first))
    if kind.WRITER.keys() & tree.keys() and last not in tree:
        tree[first] = {"source": False} | dict(tree.get(first, {}))
    known = ["name", *kind.PARTS, *kind.WRITER, *kind.SHELVES, *kind.SECTIONS]
    problems += [f"unknown section {key!r}.{near_match(key, known)}" for key in tree.keys() - known]
    parts = {
        name: read_part(tree.get(name), name, shelf, problems)
        if name in tree or not _may_lack(name, kind, tree)
        else None
        for name, shelf in {**kind.PARTS, **kind.WRITER}.items()
    }
    shelves = {
        name: read_parts(tree.get(name, {}), name, shelf, problems)
        for name, shelf in kind.SHELVES.items()
    }
    sections = {
        key: declaration.build(cls, tree.get(key, {}), key, problems)
        for key, cls in kind.SECTIONS.items()
    }
    if not re.fullmatch(r"[\w][\w.-]*", str(tree.get("name", ""))):
        problems.append(f"name = {tree.get('name')!r}: must be letters, digits, '.', '_' and '-'")
    if problems:
        raise UsageError(f"{where}: " + "\n  ".join(problems))
    kind.settle(parts, sections)
    recipe_class: Any = kind  # type checkers do not know its fields
    recipe: AnyRecipe = recipe_class(
        name=str(tree["name"]), folder=folder, **parts, **shelves, **sections
    )
    return recipe


def _may_lack(name: str, kind: type[_Tree], tree: Mapping[str, Any]) -> bool:
    """Tell whether a recipe may lack a part: a decoder, or the encoder where there is a decoder."""
    return name in kind.WRITER or (name != "task" and bool(kind.WRITER.keys() & tree.keys()))
