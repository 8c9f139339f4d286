"""Write a recipe that has every setting with its default and its help as a comment."""

from __future__ import annotations

from typing import Any

from nlpkit import catalog
from nlpkit.errors import UsageError
from nlpkit.settings.declaration import described, toml_value
from nlpkit.settings.recipe import Pretraining, Recipe
from nlpkit.settings.suited import tokenizer_defaults
from nlpkit.tasks import Columns, class_of


def recipe_text(task: str, arch: str | None, decoder: str | None = None) -> str:
    """Return the TOML of a recipe of `nlpkit train` with defaults.

    Without an architecture, it is that of a language model, whose network is a decoder.

    Raises:
        UsageError: the task, the architecture or the decoder does not exist, or they do not fit.
        MissingExtra: torch, which architectures import, is not installed.
    """
    chosen = class_of(task)
    if (decoder is not None) != chosen.WRITES:
        names = ", ".join(catalog.names("decoders"))
        raise UsageError(
            f"--task {task} writes texts: name a --decoder, one of {names}"
            if chosen.WRITES
            else f"--decoder {decoder}: {task} writes no texts; for one, give --task generate"
        )
    columns = chosen.columns if arch else Columns("text", "text")
    distinct = list(dict.fromkeys(columns))
    fields = f"field{'s' * (len(distinct) > 1)} {' and '.join(distinct)}"
    files = {name: [_source(name, columns)] for name in ("train", "dev")}
    data: dict[str, Any] = {**files, "languages": ["pt"]}
    parts = {"task": task, "architecture": arch, "decoder": decoder}
    network = " and ".join(name for name in (arch, decoder) if name)
    return _text(
        Recipe,
        f"# A recipe for nlpkit train: {task} by {network}. Rows need the {fields}.",
        f"{task}-{arch or decoder}",
        {part: name for part, name in parts.items() if name},
        {"data": data, "task": {} if arch else {"source": False}},
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
    if columns.text == columns.target:
        return f"{name}.txt"
    format = "conllu" if columns.text == "words" else "jsonl"
    return {"path": f"{name}.{format}", "text": columns.text, "label": columns.target}


def _text(
    kind: Any, first: str, name: str, parts: dict[str, str], given: dict[str, dict[str, Any]]
) -> str:
    shelves = {**kind.PARTS, **kind.WRITER}
    lines = [
        first,
        "# Every setting has its default here; a line that you do not change can be deleted.",
        f"name = {toml_value(name)}",
    ]
    for part, chosen in parts.items():
        module = catalog.load(shelves[part], chosen)
        settings = _settings(module.Config, given.get(part, {}))
        lines += ["", f"[{part}]", f"name = {toml_value(chosen)}", *settings]
    tokenizer = tokenizer_defaults({shelves[part]: name for part, name in parts.items()})
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
