"""A recipe: the TOML file from which a model is trained, exported and understood.

Sections are frozen dataclasses; `[task]` and `[architecture]` name a file of the catalogue
and hold that file's own `Config`. Every problem of a recipe is reported at once.
"""

from __future__ import annotations

import dataclasses
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from nlpkit import _fields, catalog
from nlpkit._fields import setting
from nlpkit.errors import InputError, UsageError, near_match


@dataclass(frozen=True, kw_only=True)
class Source:
    """One data file (or a pattern such as `sets/*/dev.jsonl.xz`) and how to read it."""

    path: str
    text: str = "text"
    label: str = "label"
    encoding: str = "utf-8"
    every_label: str = setting("", "label of every row, where the file itself has none")
    style: str = setting("", "annotation style that the file follows (words tokenizers)")
    max_per_label: int = setting(0, "rows of each label at most, drawn by the seed; 0 is all", 0)
    missing_labels: float = setting(
        1.0, "weight of the labels that the file never gives: 1 as any other, 0 left out", 0, 1
    )
    weight: float = setting(1.0, "weight of each of the file's rows in the loss", 0)
    licence: str = ""


@dataclass(frozen=True, kw_only=True)
class Texts:
    """One file of unlabelled text (or a pattern) and how to read it."""

    path: str
    text: str = "text"
    encoding: str = "utf-8"
    most: int = setting(0, "documents at most, the first of the file; 0 is all", 0)
    licence: str = ""


@dataclass(frozen=True, kw_only=True)
class Data:
    """[data]: which rows a model learns from. Paths: $NLPKIT_DATA, then the recipe's folder."""

    train: tuple[Source, ...] = setting(
        (),
        "files to learn from: path or {path, text, label, style, max_per_label, missing_labels, "
        "licence}",
    )
    dev: tuple[Source, ...] = setting((), "files to choose by (early stopping, temperature, gate)")
    seen: tuple[Source, ...] = setting(
        (), "what word vectors and the like were learned from before, for the model card"
    )
    exclude: tuple[str, ...] = setting((), "files whose texts must never be trained on (tests)")
    languages: tuple[str, ...] = setting(("pt",), "languages of the data, for the model card")
    choose_by: Literal["rows", "files"] = setting(
        "rows", "the dev score and temperature: of all rows, or every dev file as heavy as another"
    )


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """[corpus]: the unlabelled text that `nlpkit pretrain` learns from."""

    train: tuple[Texts, ...] = setting((), "files to learn from: path or {path, text, most, ...}")
    dev: tuple[Texts, ...] = setting((), "files to measure by")
    exclude: tuple[str, ...] = setting((), "files whose texts must never be seen (tests)")
    languages: tuple[str, ...] = setting(("pt",), "languages of the texts, for the model card")


@dataclass(frozen=True, kw_only=True)
class Preprocess:
    """[preprocess]: steps that every text goes through, in training and in serving."""

    steps: tuple[str, ...] = setting(
        (), 'steps as `nlpkit pipe` takes them: ["clean --for social"]'
    )

    def __post_init__(self) -> None:
        from nlpkit.chain import links_of

        try:
            links = links_of(self.steps)
        except UsageError as problem:
            raise ValueError(str(problem)) from None
        for link in links:
            if link.gives not in ("text", "tokens"):
                raise ValueError(f"{link.name} makes {link.gives} here, which no tokenizer reads")
            if outside := sorted(link.outside()):
                raise ValueError(
                    f"{link.name} --{outside[0]} names something outside the model, which must "
                    "hold all that it needs"
                )


@dataclass(frozen=True, kw_only=True)
class Tokenizer:
    """[tokenizer]: how text becomes ids. All of it is stored in tokenizer.json."""

    kind: Literal["bpe", "unigram", "char", "words"] = setting(
        "bpe", "subword pieces; characters for the bow architecture, words for wordlstm"
    )
    vocab_size: int = setting(
        12000,
        "pieces at most; of words, rows of the hashed table",
        4,
        10**7,
        tune=[4000, 8000, 12000, 16000, 24000],
    )
    letters: int = setting(24, "words: letters of each that are read", 2, 200)
    style: str = setting("", "words: the annotation style that answers follow")
    vectors: str = setting("", "words: a word2vec text file whose words get vectors of their own")
    lowercase: bool = setting(True, "fold case")
    strip_accents: bool = setting(False, "read 'péssimo' and 'pessimo' as one", tune=[False, True])
    social: bool = setting(True, "one token for a URL, an @user, a long laugh (kkkk, hahaha)")
    window: int = setting(
        256, "tokens the network reads at once; longer texts are read in windows", 1
    )
    overlap: int = setting(64, "tokens that neighbouring windows share", 0)

    def __post_init__(self) -> None:
        if self.overlap >= self.window:
            raise ValueError(f"overlap = {self.overlap} must be below window = {self.window}")


@dataclass(frozen=True, kw_only=True)
class Init:
    """[init]: start from a pretrained run (`train --init RUN`) rather than from chance."""

    run: str = setting("", "folder of a run whose encoder and tokenizer to start from")
    layer_decay: float = setting(
        1.0, "each stage below the head learns at this share of the rate above it", 0, 1
    )
    unfreeze: bool = setting(
        False, "the head alone learns in the first epoch, then one stage more in each"
    )


@dataclass(frozen=True, kw_only=True)
class Distill:
    """[distill]: learn what teachers say of every text, labelled or not (Hinton et al. 2015)."""

    teachers: tuple[str, ...] = setting((), "bundles or runs whose mean opinion is taught")
    mixing: float = setting(
        0.5, "share of the teachers in the loss; the labels have the rest", 0, 1
    )
    temperature: float = setting(
        2.0, "softens both sides; above 1 shows more than the top label", 0.1
    )
    texts: tuple[Texts, ...] = setting((), "unlabelled files to learn from as well")


@dataclass(frozen=True, kw_only=True)
class Train:
    """[train]: the loop. AdamW (Loshchilov & Hutter 2019) with warm-up and decay."""

    epochs: int = setting(5, "passes over the training data at most", 1, tune=(2, 10))
    batch_size: int = setting(64, "documents in a step (on each process)", 1, tune=[32, 64, 128])
    lr: float = setting(1e-3, "peak learning rate", 0, tune=(3e-4, 1e-2, "log"))
    schedule: Literal["linear", "cosine", "constant"] = setting("linear", "decay after warm-up")
    warmup: float = setting(0.06, "share of all steps in which the rate rises to its peak", 0, 1)
    weight_decay: float = setting(
        0.01, "L2 pull on matrices; biases and norms are left free", 0, tune=[0.0, 0.01, 0.05]
    )
    clip: float = setting(1.0, "largest gradient norm; 0 does not clip", 0)
    label_smoothing: float = setting(
        0.0, "share of the target spread over the other labels", 0, 1, tune=[0.0, 0.05, 0.1]
    )
    class_weights: Literal["none", "balanced", "sqrt"] = setting(
        "none",
        "weigh rare labels up: by 1/frequency, or by its square root",
        tune=["none", "sqrt"],
    )
    shift_labels: bool = setting(
        False, "at the end, shift each label's logit to where dev's score is best"
    )
    patience: int = setting(
        2, "epochs without a better dev macro-F1 before stopping; 0 never stops", 0
    )
    amp: Literal["auto", "bf16", "fp16", "off"] = setting(
        "auto", "half precision on a GPU; auto is bf16 where the GPU has it. CPU is always float32"
    )
    checkpoint_steps: int = setting(
        500, "steps between checkpoints, from which --resume continues", 1
    )
    threads: int = setting(0, "CPU threads; 0 uses every core", 0, 512)
    seed: int = setting(1, "seed of weights, order and dropout", 0, 2**31)


@dataclass(frozen=True, kw_only=True)
class Export:
    """[export]: the gate's limits. Beyond any of them nothing is written."""

    precisions: tuple[Literal["fp32", "int8", "fp16"], ...] = setting(
        ("fp32", "int8", "fp16"), "model files to write; int8 alone makes the smallest bundle"
    )
    max_logit_diff: float = setting(1e-4, "fp32: largest |torch - ONNX Runtime| over all shapes")
    max_logit_diff_fp16: float = setting(0.05, "fp16: the same")
    max_padding_diff: float = setting(1e-5, "largest change of a logit by padding or batch-mates")
    max_padding_diff_fp16: float = setting(0.02, "fp16: the same")
    min_agreement: float = setting(0.99, "share of dev documents that keep torch's label")
    max_score_drop: float = setting(0.005, "macro-F1 (the task's score) it may lose on dev")
    limits: str = setting("", "what the model gets wrong, with examples, for its card (Markdown)")


@dataclass(frozen=True, kw_only=True)
class Pretrain:
    """[pretrain]: the loop of `nlpkit pretrain`, counted in steps."""

    steps: int = setting(20000, "optimizer steps", 1)
    batch_tokens: int = setting(8192, "tokens in a step (on each process), padding included", 64)
    lr: float = setting(1e-3, "peak learning rate", 0)
    schedule: Literal["linear", "cosine", "constant"] = setting("cosine", "decay after warm-up")
    warmup: float = setting(0.02, "share of all steps in which the rate rises to its peak", 0, 1)
    weight_decay: float = setting(0.01, "L2 pull on matrices; biases and norms are left free", 0)
    clip: float = setting(1.0, "largest gradient norm; 0 does not clip", 0)
    amp: Literal["auto", "bf16", "fp16", "off"] = setting(
        "auto", "half precision on a GPU; auto is bf16 where the GPU has it. CPU is always float32"
    )
    eval_steps: int = setting(1000, "steps between two looks at the dev texts", 1)
    checkpoint_steps: int = setting(500, "steps between checkpoints", 1)
    threads: int = setting(0, "CPU threads; 0 uses every core", 0, 512)
    seed: int = setting(1, "seed of weights, order, masks and dropout", 0, 2**31)


@dataclass(frozen=True)
class Part:
    """A thing of the catalogue by name, with its own settings."""

    name: str
    config: Any

    def settings(self) -> dict[str, Any]:
        """Return the settings that a recipe gives, as plain values."""
        values = dataclasses.asdict(self.config)
        return {key: values[key] for key, *_ in _fields.described(type(self.config))}


Made = TypeVar("Made", bound="_Tree")


class _Tree:
    """What both kinds of recipe do: their parts and sections as plain values.

    PARTS name one file of the catalogue each, SHELVES any number of files, SECTIONS none.
    """

    name: str
    PARTS: ClassVar[dict[str, str]]
    SHELVES: ClassVar[dict[str, str]] = {}
    SECTIONS: ClassVar[dict[str, type]]

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as plain values, as TOML and JSON hold them."""
        tree: dict[str, Any] = {"name": self.name}
        for kind in self.PARTS:
            part = getattr(self, kind)
            tree[kind] = {"name": part.name} | part.settings()
        for kind in self.SHELVES:
            tree[kind] = {part.name: part.settings() for part in getattr(self, kind)}
        for kind in self.SECTIONS:
            tree[kind] = dataclasses.asdict(getattr(self, kind))
        return tree


@dataclass(frozen=True, kw_only=True)
class Recipe(_Tree):
    """A whole recipe of `nlpkit train`. `folder` is where its relative paths start."""

    PARTS: ClassVar = {"task": "tasks", "architecture": "architectures"}
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
    architecture: Part
    init: Init
    distill: Distill
    augment: tuple[Part, ...]
    train: Train
    export: Export
    folder: Path


@dataclass(frozen=True, kw_only=True)
class Pretraining(_Tree):
    """A whole recipe of `nlpkit pretrain`."""

    PARTS: ClassVar = {"objective": "objectives", "architecture": "architectures"}
    SECTIONS: ClassVar = {
        "corpus": Corpus,
        "tokenizer": Tokenizer,
        "init": Init,
        "pretrain": Pretrain,
    }

    name: str
    objective: Part
    corpus: Corpus
    tokenizer: Tokenizer
    architecture: Part
    init: Init
    pretrain: Pretrain
    folder: Path


def load(path: Path, overrides: Iterable[str] = ()) -> Recipe:
    """Read a recipe file of `nlpkit train` and apply `section.key=value` overrides.

    Raises:
        InputError: the file is missing or is not TOML.
        UsageError: keys or values are wrong; the message lists all of them.
    """
    tree, folder = _read(path)
    if "objective" in tree:
        raise UsageError(f"{path}: a recipe of 'nlpkit pretrain', not of 'nlpkit train'")
    return from_dict(tree, folder=folder, where=str(path), overrides=overrides)


def load_pretraining(path: Path, overrides: Iterable[str] = ()) -> Pretraining:
    """Read a recipe file of `nlpkit pretrain`. Raises as `load`."""
    tree, folder = _read(path)
    if "task" in tree:
        raise UsageError(f"{path}: a recipe of 'nlpkit train', not of 'nlpkit pretrain'")
    return _build(Pretraining, tree, folder, str(path), overrides)


def from_dict(
    tree: dict[str, Any], *, folder: Path, where: str, overrides: Iterable[str] = ()
) -> Recipe:
    """Check plain values and build the recipe.

    Raises:
        UsageError: as for `load`.
    """
    return _build(Recipe, tree, folder, where, overrides)


def _read(path: Path) -> tuple[dict[str, Any], Path]:
    """Return the file's values and the folder where its relative paths start."""
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such recipe; 'nlpkit init recipe --arch atnet > {path}' writes one"
        ) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(f"{path}: cannot be read as a recipe: {problem}") from None
    except tomllib.TOMLDecodeError as problem:
        raise InputError(f"{path}: not valid TOML: {problem}") from None
    tree.setdefault("name", path.parent.name if path.stem == "recipe" else path.stem)
    return tree, Path(str(tree.pop("folder", path.parent)))


def _build(
    kind: type[Made], tree: dict[str, Any], folder: Path, where: str, overrides: Iterable[str]
) -> Made:
    problems: list[str] = []
    for item in overrides:
        _override(tree, item, problems)
    known = ["name", *kind.PARTS, *kind.SHELVES, *kind.SECTIONS]
    problems += [f"unknown section {key!r}.{near_match(key, known)}" for key in tree.keys() - known]
    parts = {
        name: _part(tree.get(name), name, shelf, problems) for name, shelf in kind.PARTS.items()
    }
    shelves = {
        name: _shelf(tree.get(name, {}), name, shelf, problems)
        for name, shelf in kind.SHELVES.items()
    }
    sections = {
        key: _fields.build(cls, tree.get(key, {}), key, problems)
        for key, cls in kind.SECTIONS.items()
    }
    if not re.fullmatch(r"[\w][\w.-]*", str(tree.get("name", ""))):
        problems.append(f"name = {tree.get('name')!r}: must be letters, digits, '.', '_' and '-'")
    if problems:
        raise UsageError(f"{where}: " + "\n  ".join(problems))
    made: Any = kind
    built: Made = made(name=str(tree["name"]), folder=folder, **parts, **shelves, **sections)
    return built


def _override(tree: dict[str, Any], item: str, problems: list[str]) -> None:
    key, equals, text = item.partition("=")
    section, dot, name = key.strip().partition(".")
    if not (equals and dot and name):
        problems.append(f"--set {item!r} is not of the form section.key=value")
        return
    target = tree.setdefault(section, {})
    if isinstance(target, dict):
        target[name] = _value(text)
    else:
        problems.append(f"--set {item!r}: {section!r} is not a section")


def _value(text: str) -> Any:
    """Read a value as TOML would; a bare word is a string."""
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text


def _part(table: Any, kind: str, shelf: str, problems: list[str]) -> Part | None:
    if not isinstance(table, Mapping) or not isinstance(table.get("name"), str):
        there = ", ".join(catalog.names(shelf))
        problems.append(f"[{kind}] needs a name; there are: {there}")
        return None
    settings = {key: value for key, value in table.items() if key != "name"}
    try:
        config = catalog.load(shelf, table["name"]).Config
    except UsageError as problem:
        problems.append(f"[{kind}] {problem}")
        return None
    return Part(table["name"], _fields.build(config, settings, kind, problems))


def _shelf(table: Any, kind: str, shelf: str, problems: list[str]) -> tuple[Part | None, ...]:
    """Read `name = {settings}` for each; a number alone is the strength."""
    if not isinstance(table, Mapping):
        problems.append(f"[{kind}] must be a table, not {table!r}")
        return ()
    return tuple(
        _part(
            {"name": name, **(value if isinstance(value, Mapping) else {"strength": value})},
            f"{kind}.{name}",
            shelf,
            problems,
        )
        for name, value in table.items()
    )


def resolve(pattern: str, folder: Path) -> list[Path]:
    """Return the files of a path or glob: under $NLPKIT_DATA, else beside the recipe.

    Raises:
        InputError: nothing is there.
    """
    root = os.environ.get("NLPKIT_DATA")
    for base in ([Path(root)] if root else []) + [folder]:
        path = base / pattern
        if path.exists():
            return [path]
        relative = path.relative_to(path.anchor)
        found = sorted(match for match in Path(path.anchor).glob(str(relative)) if match.is_file())
        if found:
            return found
    looked = (
        f"$NLPKIT_DATA ({root}) and {folder}" if root else f"{folder} ($NLPKIT_DATA is not set)"
    )
    raise InputError(f"{pattern}: no such data file; looked in {looked}")
