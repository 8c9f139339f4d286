"""Write a recipe that has every setting with its default and its help as a comment."""

from __future__ import annotations

from typing import Any

from nlpkit import catalog
from nlpkit.settings.declaration import described, toml_value
from nlpkit.settings.recipe import Pretraining, Recipe
from nlpkit.settings.suited import tokenizer_defaults
from nlpkit.tasks import Columns, class_of


def recipe_text(task: str, arch: str) -> str:
    """Return the TOML of a recipe of `nlpkit train` with defaults.

    Raises:
        UsageError: the task or the architecture does not exist.
        MissingExtra: torch, which architectures import, is not installed.
    """
    columns = class_of(task).columns
    fields = f"{columns.text} and {columns.target}"
    files = {name: [_source(name, columns)] for name in ("train", "dev")}
    data: dict[str, Any] = {**files, "languages": ["pt"]}
    return _text(
        Recipe,
        f"# A recipe for nlpkit train: {task} by {arch}. Rows need the fields {fields}.",
        f"{task}-{arch}",
        {"task": task, "architecture": arch},
        {"data": data},
    )


def pretraining_text(objective: str, arch: str) -> str:
    """Return the TOML of a recipe of `nlpkit pretrain` with defaults.

    Raises:
        UsageError, MissingExtra: as `recipe_text`.
    """
    corpus = {"train": ["texts.txt"], "dev": ["held_out.txt"], "languages": ["pt"]}
    return _text(
        Pretraining,
        f"# A recipe for nlpkit pretrain: {objective} by {arch}. Texts need no labels.",
        f"pretrain-{objective}-{arch}",
        {"objective": objective, "architecture": arch},
        {"corpus": corpus},
    )


def _source(name: str, columns: Columns) -> str | dict[str, str]:
    """Return an example file of [data]: its path and, if not the default ones, its columns."""
    if columns == Columns():
        return f"{name}.jsonl"
    format = "conllu" if columns.text == "words" else "jsonl"
    return {"path": f"{name}.{format}", "text": columns.text, "label": columns.target}


def _text(
    kind: Any, first: str, name: str, parts: dict[str, str], given: dict[str, dict[str, Any]]
) -> str:
    lines = [
        first,
        "# Every setting has its default here; a line that you do not change can be deleted.",
        f"name = {toml_value(name)}",
    ]
    for part, chosen in parts.items():
        module = catalog.load(kind.PARTS[part], chosen)
        lines += ["", f"[{part}]", f"name = {toml_value(chosen)}", *_settings(module.Config, {})]
    tokenizer = tokenizer_defaults({kind.PARTS[part]: name for part, name in parts.items()})
    for section, config in kind.SECTIONS.items():
        values = tokenizer if section == "tokenizer" else given.get(section, {})
        lines += ["", f"[{section}]", *_settings(config, values)]
    for shelf, folder in kind.SHELVES.items():
        names = ", ".join(catalog.names(folder))
        lines += ["", f"[{shelf}]", f"# name = strength, of: {names}"]
    return "\n".join(lines) + "\n"


def _settings(config: type, values: dict[str, Any]) -> list[str]:
    lines = []
    for key, default, text in described(config):
        setting = f"{key} = {toml_value(values.get(key, default))}"
        lines.append(f"{setting:<34} # {text}")
    return lines
