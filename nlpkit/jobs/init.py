"""A full recipe with every setting and what it means, ready to edit."""

from __future__ import annotations

from typing import Any

from nlpkit import catalog, recipe
from nlpkit._fields import described, toml_value


def recipe_text(task: str, arch: str) -> str:
    """Return the TOML of a recipe with defaults.

    Raises:
        UsageError: there is no such task or architecture.
        MissingExtra: torch, which architectures are written in, is not installed.
    """
    network = catalog.load("architectures", arch)
    examples = {
        "train": ["train.jsonl"],
        "dev": ["dev.jsonl"],
        "languages": ["pt"],
    }
    sections: list[tuple[str, dict[str, Any], type]] = [
        ("task", {"name": task}, catalog.load("tasks", task).Config),
        ("architecture", {"name": arch}, network.Config),
        ("data", examples, recipe.Data),
        ("preprocess", {}, recipe.Preprocess),
        ("tokenizer", getattr(network, "TOKENIZER", {}), recipe.Tokenizer),
        ("train", {}, recipe.Train),
        ("export", {}, recipe.Export),
    ]
    columns = catalog.load("tasks", task).Task.columns
    lines = [
        f"# A recipe for nlpkit train: {task} by {arch}. Every setting has its default here;",
        "# a line that you do not change can be deleted. "
        f"Rows need the fields {' and '.join(columns)}.",
        f"name = {toml_value(f'{task}-{arch}')}",
    ]
    for name, given, config in sections:
        lines += ["", f"[{name}]"]
        if "name" in given:
            lines.append(f"name = {toml_value(given['name'])}")
        for key, default, text in described(config):
            setting = f"{key} = {toml_value(given.get(key, default))}"
            lines.append(f"{setting:<34} # {text}")
    return "\n".join(lines) + "\n"
