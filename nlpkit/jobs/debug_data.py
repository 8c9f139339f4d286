"""Check data files before training, and report errors, warnings and notes with their rows."""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlpkit import abilities, catalog, records, tasks, zoo
from nlpkit.checking.data import DEV, EXCLUDE, TEST, TRAIN, Data
from nlpkit.checking.findings import SEVERITIES, Finding
from nlpkit.checking.report import Report, summary_of
from nlpkit.checking.rows import File, Find, Measure
from nlpkit.errors import UsageError
from nlpkit.jobs.train import find_recipe, load_recipe
from nlpkit.settings.files import resolve
from nlpkit.settings.recipe import Recipe
from nlpkit.settings.sections import Source, Tokenizer
from nlpkit.text import encode

LANGUAGES = ("pt", "en", "any")
# Measured with the 16,000 pieces of the bundled models: 1.38 in Portuguese reviews and tweets, 1.37
# in English.
TOKENS_PER_WORD = 1.4
NAMES = {  # split -> words of a file name that mean it
    TRAIN: {"train", "training", "treino"},
    DEV: {"dev", "val", "valid", "validation", "validacao", "validação"},
    TEST: {"test", "teste"},
}


@dataclass(frozen=True)
class Check:
    """A check of the catalogue; `nlpkit.checks` documents the fields."""

    name: str
    check: Callable[[Data], Iterator[Finding]]
    find: Find | None
    order: float


def debug_data(
    names: Sequence[str],
    *,
    text: str | None = None,
    label: str | None = None,
    encoding: str | None = None,
    lang: str | None = None,
    model: str | None = None,
    window: int | None = None,
    show: int = 3,
) -> Report:
    """Check data files, or the files of one recipe, and return a report.

    Args:
        names: data files, or one recipe.
        text: the field of the text; None is the default of `nlpkit.records`.
        label: the field of the label; None is `label`.
        encoding: the encoding of text files; None is utf-8.
        lang: the language that texts should be in: pt, en or any.
        model: a bundle whose tokenizer counts the tokens; None estimates them.
        window: tokens of the window; None is the recipe's or the model's.
        show: most examples of each finding.

    Raises:
        InputError: a file cannot be read in its format and encoding.
        UsageError: an option is wrong, or two contradict each other.
        ModelError: the model does not exist.
    """
    if lang not in (None, *LANGUAGES):
        raise UsageError(f"--lang {lang}: not one of {', '.join(LANGUAGES)}")
    recipe = _recipe(names)
    if recipe is None:
        real = [os.path.realpath(name) for name in names]
        if twice := [n for n, path in zip(names, real, strict=True) if real.count(path) > 1]:
            raise UsageError(f"{twice[0]} is named twice; name each file once")
        files = [_file(name, text, label, encoding) for name in names]
        files.sort(key=lambda file: [*NAMES, file.split].index(file.split))
    elif text or label or encoding:
        raise UsageError("a recipe names its own columns and encodings; change them in the recipe")
    else:
        files = _recipe_files(recipe)
    records.check_inputs([file.path for file in files])
    measure, limit, unit = _measure(model, recipe)
    lang = lang or _language(recipe)
    checks = _checks()
    finds = tuple(dict.fromkeys(check.find for check in checks if check.find))
    for file in files:
        file.read(measure, () if file.split == EXCLUDE else finds, lang)
    data = Data(
        files=files,
        window=window or limit,
        unit=unit,
        lang=lang,
        training=recipe is not None,
        known=_known_labels(recipe),
    )
    findings = [one.shown(check.name, show) for check in checks for one in check.check(data)]
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    if recipe is not None:
        _count_used(files)
    return Report(files=tuple(map(summary_of, files)), findings=tuple(findings))


def _checks() -> list[Check]:
    """Return all checks, in the order of their findings."""
    checks = []
    for name in catalog.names("checks"):
        module = catalog.load("checks", name)
        checks.append(
            Check(
                name=name.replace("_", "-"),
                check=module.check,
                find=getattr(module, "find", None),
                order=getattr(module, "ORDER", math.inf),
            )
        )
    return sorted(checks, key=lambda check: (check.order, check.name))


def _recipe(names: Sequence[str]) -> Recipe | None:
    """Return the recipe that `names` names, as `nlpkit train` does; None for data files."""
    recipes = [name for name in names if find_recipe(name).suffix == ".toml"]
    if not recipes:
        return None
    if len(names) > 1:
        raise UsageError(f"{recipes[0]} is a recipe, which names its own files; check it alone")
    return load_recipe(recipes[0], [])


def _file(name: str, text: str | None, label: str | None, encoding: str | None) -> File:
    words = re.split(r"[\W\d_]+", Path(name).name.lower())[::-1]  # train.dev.csv is of train.csv
    return File(
        path=name,
        split=next((split for w in words for split, known in NAMES.items() if w in known), name),
        text=text,
        label=label or "label",
        encoding=encoding or "utf-8",
        needs_label=label is not None,
    )


def _recipe_files(recipe: Recipe) -> list[File]:
    """Return the files of a recipe: train, then dev, then exclude.

    Training drops a train text that is in dev, and any text that is in exclude. A file that a
    split reads in two ways (a treebank's words and tokens) is checked once.
    """
    # `nlpkit.training.data` reads this field of excluded files for every task.
    excluded = tuple(
        Source(path=path, text=records.TEXT, label="label") for path in recipe.data.exclude
    )
    task = tasks.class_of(recipe.task.name)
    reads = task.label_of if isinstance(task, abilities.Labelled) else None
    sections = {TRAIN: recipe.data.train, DEV: recipe.data.dev, EXCLUDE: excluded}
    files = {
        (split, path, source.label, source.every_label): File(
            path=str(path),
            split=split,
            text=source.text,
            label=source.label,
            every_label=source.every_label,
            labels_as=source.labels,
            label_of=reads,
            encoding=source.encoding,
            needs_label=split != EXCLUDE,
            max_per_label=source.max_per_label,
        )
        for split, sources in sections.items()
        for source in sources
        for path in resolve(source.path, recipe.folder)
    }
    return list(files.values())


def _measure(model: str | None, recipe: Recipe | None) -> tuple[Measure, int, str]:
    """Return a function that counts tokens, the window in tokens, and how they are counted."""
    if model is not None:
        loaded = zoo.load(model, device="cpu")

        def count(texts: Sequence[str]) -> list[int]:
            prepared = texts if loaded.steps is None else loaded.steps.texts(texts)
            lengths: list[int] = encode(loaded.tokenizer, prepared).lengths_N.tolist()
            return lengths

        return count, loaded.windows.size, f"as {loaded.name} counts them"
    tokenizer = recipe.tokenizer if recipe else Tokenizer()
    if tokenizer.kind == "char":
        return lambda texts: list(map(len, texts)), tokenizer.window, "each a character"
    if tokenizer.kind == "words":
        return lambda texts: [len(t.split()) for t in texts], tokenizer.window, "each a word"
    rate, unit = TOKENS_PER_WORD, f"estimated as {TOKENS_PER_WORD} a word; --model counts them"
    return lambda texts: [round(len(t.split()) * rate) for t in texts], tokenizer.window, unit


def _language(recipe: Recipe | None) -> str:
    """Return the language of a recipe's data; "any" if it has several or none."""
    languages = recipe.data.languages if recipe else ()
    return languages[0] if len(languages) == 1 and languages[0] in LANGUAGES else "any"


def _known_labels(recipe: Recipe | None) -> Sequence[str]:
    module = catalog.load("tasks", recipe.task.name) if recipe else None
    labels: Sequence[str] = getattr(module, "LABELS", ())
    return labels


def _count_used(files: Sequence[File]) -> None:
    """Set `used` of each file: the rows that `nlpkit.training.data.load` would use."""
    taken: set[bytes | None] = {None}  # None is the key of rows without text
    for split in (EXCLUDE, DEV, TRAIN):
        of_split = [file for file in files if file.split == split]
        for file in of_split if split != EXCLUDE else ():
            first = {row.key: row for row in reversed(file.rows) if row.key not in taken}
            counts = Counter(row.label for row in first.values())
            most = file.max_per_label or len(first)
            file.used = sum(min(count, most) for count in counts.values())
        taken |= {row.key for file in of_split for row in file.rows}
