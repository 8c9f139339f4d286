"""The sections of a recipe: frozen dataclasses whose fields have a default, help and bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nlpkit import catalog
from nlpkit.errors import UsageError, near_match
from nlpkit.settings.declaration import setting
from nlpkit.settings.links import CHAINED, links_of


@dataclass(frozen=True, kw_only=True)
class Source:
    """One data file (or a pattern such as `sets/*/dev.jsonl.xz`) and how to read it."""

    path: str
    text: str = setting("", "field of the document; left out: the task's usual one")
    label: str = setting("", "field of the right answer; left out: the task's usual one")
    encoding: str = "utf-8"
    every_label: str = setting("", "label of every row, where the file itself has none")
    style: str = setting("", "annotation style that the file follows (words tokenizers)")
    max_per_label: int = setting(0, "rows of each label at most, drawn by the seed; 0 is all", 0)
    missing_labels: float = setting(
        1.0, "weight of the labels that the file never gives: 1 as any other, 0 left out", 0, 1
    )
    weight: float = setting(1.0, "weight of each of the file's rows in the loss", 0, 1000)
    taught: bool = setting(True, "false: by its labels alone, which are surer than the teachers")
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
        "files to learn from: path or {path, text, label, max_per_label, weight, licence and more}",
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


@dataclass(frozen=True, kw_only=True)
class Preprocess:
    """[preprocess]: steps that every text goes through, in training and in serving."""

    steps: tuple[str, ...] = setting(
        (), 'steps as `nlpkit pipe` takes them: ["clean --for social"]'
    )

    def __post_init__(self) -> None:
        try:
            links = links_of(self.steps)
        except UsageError as problem:
            raise ValueError(str(problem)) from None
        for link in links:
            if link.gives not in CHAINED:
                raise ValueError(f"{link.name} makes {link.gives} here, which no tokenizer reads")
            if outside := sorted(link.outside()):
                raise ValueError(
                    f"{link.name} --{outside[0]} names something outside the model, which must "
                    "hold all that it needs"
                )


@dataclass(frozen=True, kw_only=True)
class Tokenizer:
    """[tokenizer]: how text becomes ids. All of it is stored in tokenizer.json."""

    kind: str = setting(
        "bpe", "bpe or unigram: subword pieces; char for the bow architecture, words for wordlstm"
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
        if not catalog.known("tokenizers", self.kind):
            there = catalog.names("tokenizers")
            near = near_match(self.kind, there)
            raise ValueError(f"kind = {self.kind!r}: not one of {', '.join(there)}.{near}")
        if self.overlap >= self.window:
            raise ValueError(f"overlap = {self.overlap} must be below window = {self.window}")


@dataclass(frozen=True, kw_only=True)
class Start:
    """[init] of a pretraining: start from another run (`pretrain --init RUN`)."""

    run: str = setting("", "folder of a run whose encoder and tokenizer to start from")


@dataclass(frozen=True, kw_only=True)
class Init(Start):
    """[init] of a training: start from a pretrained run (`train --init RUN`)."""

    layer_decay: float = setting(
        1.0, "each stage below the head learns at this share of the rate above it", 0, 1
    )
    unfreeze: bool = setting(
        False, "the head alone learns in the first epoch, then one stage more in each"
    )


@dataclass(frozen=True, kw_only=True)
class Distill:
    """[distill]: learn what teachers say of every text, labelled or not (Hinton et al. 2015)."""

    teachers: tuple[str, ...] = setting(
        (), "bundles, runs and files of answers (.jsonl) whose mean is taught"
    )
    mixing: float = setting(
        0.5, "share of the teachers in the loss; the labels have the rest", 0, 1
    )
    temperature: float = setting(
        2.0, "softens both sides; above 1 shows more than the top label", 0.1, 100
    )
    texts: tuple[Texts, ...] = setting((), "unlabelled files to learn from as well")

    def __post_init__(self) -> None:
        if self.texts and not self.teachers:
            raise ValueError("texts are of no use without teachers: name them, or leave both out")


@dataclass(frozen=True, kw_only=True)
class Train:
    """[train]: the loop. AdamW (Loshchilov & Hutter 2019) with warm-up and decay."""

    epochs: int = setting(
        0,
        "passes over the training data; 0 makes 5, or more where they would be under 700 steps",
        0,
        tune=[0, 2, 3, 5, 8, 10],
    )
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
        500,
        "steps without a better dev score before stopping, and two epochs at least; 0 never stops",
        0,
    )
    amp: Literal["auto", "bf16", "fp16", "off"] = setting(
        "auto", "half precision on a GPU; auto is bf16 where the GPU has it. CPU is always float32"
    )
    checkpoint_steps: int = setting(
        500, "steps between checkpoints, from which --resume continues", 1
    )
    threads: int = setting(0, "CPU threads; 0 uses $NLPKIT_THREADS, or every core", 0, 512)
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
    threads: int = setting(0, "CPU threads; 0 uses $NLPKIT_THREADS, or every core", 0, 512)
    seed: int = setting(1, "seed of weights, order, masks and dropout", 0, 2**31)
