"""The sections of a recipe as frozen dataclasses; each field has a default, help and bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from nlpkit import catalog
from nlpkit.errors import UsageError, near_match
from nlpkit.settings.declaration import setting
from nlpkit.settings.links import CHAINED, links_of


@dataclass(frozen=True, kw_only=True)
class Source:
    """A labelled data file, or a pattern such as `sets/*/dev.jsonl.xz`, and how to read it."""

    path: str
    text: str = setting("", "field of the document; default: the task's")
    label: str = setting("", "field of the label or target; default: the task's")
    encoding: str = "utf-8"
    every_label: str = setting("", "label of every row, for a file without a label field")
    labels: Mapping[str, str] | None = setting(
        None, 'new names of labels, such as {neutro = "neutral"}; other labels stay'
    )
    style: str = setting("", "annotation style that the file follows (words tokenizers)")
    max_per_label: int = setting(0, "most rows of each label, drawn at random; 0 keeps all", 0)
    types: Mapping[str, str] | None = setting(
        None, 'new names of types of entities, such as {PESSOA = "PER"}; "" leaves a type out'
    )
    missing_labels: float | None = setting(
        None,
        "weight in the loss of labels that the file never uses; 0 ignores them. Default: 1, and 0 "
        "for types of entities",
        0,
        1,
    )
    weight: float = setting(1.0, "weight of each row of the file in the loss", 0, 1000)
    taught: bool = setting(True, "distil the teachers on these rows; false learns the labels only")
    licence: str = ""

    def __post_init__(self) -> None:
        if self.labels and self.types:
            raise ValueError("has both labels and types; entities have types")


@dataclass(frozen=True, kw_only=True)
class Texts:
    """A file of unlabelled text, or a pattern, and how to read it."""

    path: str
    text: str = "text"
    encoding: str = "utf-8"
    most: int = setting(0, "most documents to read, from the start of the file; 0 reads all", 0)
    licence: str = ""


@dataclass(frozen=True, kw_only=True)
class Data:
    """[data]: the labelled files. Paths start at $NLPKIT_DATA, then at the recipe's folder."""

    train: tuple[Source, ...] = setting(
        (),
        "training files: path or {path, text, label, max_per_label, weight, licence and more}",
    )
    dev: tuple[Source, ...] = setting(
        (), "development files: they decide early stopping, the temperature and the export gate"
    )
    seen: tuple[Source, ...] = setting(
        (), "files that pretrained word vectors were learned from, for the model card"
    )
    exclude: tuple[str, ...] = setting((), "files whose texts are kept out of training (test sets)")
    languages: tuple[str, ...] = setting(("pt",), "languages of the data, for the model card")
    choose_by: Literal["rows", "files"] = setting(
        "rows",
        "give each dev row, or each dev file, the same weight in the dev score and temperature",
    )


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """[corpus]: the unlabelled text that `nlpkit pretrain` learns from."""

    train: tuple[Texts, ...] = setting((), "training files: path or {path, text, most, ...}")
    dev: tuple[Texts, ...] = setting((), "files on which the loss is measured")
    exclude: tuple[str, ...] = setting((), "files whose texts are kept out of training (test sets)")


@dataclass(frozen=True, kw_only=True)
class Preprocess:
    """[preprocess]: steps that are applied to every text, in training and in prediction."""

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
                raise ValueError(
                    f"{link.name} gives {link.gives}; a tokenizer reads {' or '.join(CHAINED)}"
                )
            if outside := sorted(link.outside()):
                raise ValueError(
                    f"{link.name} --{outside[0]} needs a file or model that the bundle does not "
                    "hold; leave the option out"
                )


@dataclass(frozen=True, kw_only=True)
class Tokenizer:
    """[tokenizer]: how text becomes ids. tokenizer.json stores every setting."""

    kind: str = setting(
        "bpe",
        "bpe, unigram or wordpiece: subword pieces; char for the bow architecture, words for "
        "wordlstm",
    )
    vocab_size: int = setting(
        12000,
        "most pieces in the vocabulary; for words, rows of the hashed table",
        4,
        10**7,
        tune=[4000, 8000, 12000, 16000, 24000],
    )
    letters: int = setting(24, "words: most letters of a word that are read", 2, 200)
    style: str = setting("", "words: annotation style of the answers")
    vectors: str = setting("", "words: word2vec text file; its words get rows of their own")
    lowercase: bool = setting(True, "ignore case")
    strip_accents: bool = setting(False, "ignore accents: péssimo = pessimo", tune=[False, True])
    social: bool = setting(True, "read a URL, an @user or a long laugh (kkkk) as one token")
    simple_words: bool = setting(
        False,
        "split texts into runs of letters and single marks first, so that tokens keep to "
        "words; words: in place of the rules of nlpkit tokenize",
    )
    window: int = setting(
        256, "tokens that the network reads at once; longer texts are cut into windows", 1
    )
    overlap: int = setting(64, "tokens that neighbouring windows share", 0)

    def __post_init__(self) -> None:
        if not catalog.known("tokenizers", self.kind):
            kinds = catalog.names("tokenizers")
            near = near_match(self.kind, kinds)
            raise ValueError(f"kind = {self.kind!r}: not one of {', '.join(kinds)}.{near}")
        if self.overlap >= self.window:
            raise ValueError(f"overlap = {self.overlap} must be below window = {self.window}")


@dataclass(frozen=True, kw_only=True)
class Start:
    """[init] of `nlpkit pretrain`: start from another run (`--init RUN`)."""

    run: str = setting("", "run or bundle whose tokenizer and weights to start from")


@dataclass(frozen=True, kw_only=True)
class Init(Start):
    """[init] of `nlpkit train`: start from a pretrained run (`--init RUN`).

    Discriminative rates and gradual unfreezing are from ULMFiT (Howard & Ruder 2018).
    """

    labels: tuple[str, ...] = setting(
        (), 'own labels and those of the source, if they differ: ["bom=positive", "ruim=negative"]'
    )
    rate: float = setting(
        1.0, "learning rate of the encoder's top stage, as a share of train.lr, the head's", 0, 10
    )
    layer_decay: float = setting(
        1.0, "learning rate of each encoder stage, as a share of that of the stage above it", 0, 1
    )
    freeze: int = setting(
        0, "lowest encoder stages, of which the embedding is the first, that are not trained", 0
    )
    unfreeze: bool = setting(
        False, "train the head alone in the first epoch, then one more stage in each epoch"
    )


@dataclass(frozen=True, kw_only=True)
class Distill:
    """[distill]: learn the label distributions of teacher models (Hinton et al. 2015)."""

    teachers: tuple[str, ...] = setting(
        (), "bundles, runs and files of answers (.jsonl); the model learns their mean"
    )
    mixing: float = setting(
        0.5, "weight of the teachers in the loss; the labels have the rest", 0, 1
    )
    temperature: float = setting(
        2.0, "divides both models' logits; above 1, lesser labels weigh more", 0.1, 100
    )
    texts: tuple[Texts, ...] = setting((), "unlabelled files on which the teachers are imitated")

    def __post_init__(self) -> None:
        if self.texts and not self.teachers:
            raise ValueError("texts need teachers: name some, or leave texts out")


@dataclass(frozen=True, kw_only=True)
class Train:
    """[train]: the training loop. AdamW (Loshchilov & Hutter 2019) with warm-up and decay."""

    epochs: int = setting(
        0,
        "passes over the training data; 0 chooses 5, or more to reach 700 steps",
        0,
        tune=[0, 2, 3, 5, 8, 10],
    )
    batch_size: int = setting(64, "documents in a step (on each process)", 1, tune=[32, 64, 128])
    batch_tokens: int = setting(
        0, "tokens in a step, padding included, in place of batch_size; 0 counts documents", 0
    )
    steps: int = setting(0, "steps of the whole run, in place of epochs; 0 counts epochs", 0)
    eval_steps: int = setting(0, "steps between evaluations on dev; 0 evaluates every epoch", 0)
    lr: float = setting(2e-3, "peak learning rate", 0, tune=(3e-4, 1e-2, "log"))
    schedule: Literal["linear", "cosine", "constant"] = setting("linear", "decay after warm-up")
    warmup: float = setting(0.06, "share of all steps in which the rate rises to its peak", 0, 1)
    weight_decay: float = setting(
        0.01, "weight decay of matrices; none on biases and norms", 0, tune=[0.0, 0.01, 0.05]
    )
    clip: float = setting(1.0, "largest gradient norm; 0 does not clip", 0)
    label_smoothing: float = setting(
        0.0, "share of the target spread over the other labels", 0, 1, tune=[0.0, 0.05, 0.1]
    )
    class_weights: Literal["none", "balanced", "sqrt"] = setting(
        "none",
        "weight of labels in the loss: none, 1/frequency, or its square root",
        tune=["none", "sqrt"],
    )
    shift_labels: bool = setting(
        False, "after training, shift each label's logit to maximise the score on dev"
    )
    patience: int = setting(
        500,
        "stop after this many steps, and two epochs, without a better dev score; 0 never stops",
        0,
    )
    amp: Literal["auto", "fast", "bf16", "fp16", "off"] = setting(
        "auto",
        "precision of matrix products: auto is bf16 on a GPU that has it, float32 on a CPU; fast "
        "is bf16 on a CPU with AVX512-BF16 too, where it trains wide networks 1.5 times faster",
    )
    checkpoint_steps: int = setting(500, "steps between checkpoints, which --resume continues", 1)
    threads: int = setting(0, "CPU threads; 0 uses $NLPKIT_THREADS, or every core", 0, 512)
    seed: int = setting(1, "seed of weights, order and dropout", 0, 2**31)


@dataclass(frozen=True, kw_only=True)
class Export:
    """[export]: the precisions to write, and the gate's limits: beyond one, nothing is written."""

    precisions: tuple[Literal["fp32", "int8", "int4", "fp16"], ...] = setting(
        ("fp32", "int8", "fp16"),
        "precisions to write: int8 makes small bundles, int4 smaller ones of wide networks",
    )
    max_logit_diff: float = setting(
        1e-4, "fp32: largest difference of a logit between torch and ONNX Runtime, any shape"
    )
    max_logit_diff_fp16: float = setting(0.05, "fp16: the same limit")
    max_padding_diff: float = setting(
        1e-5, "largest change of a logit by padding or by other rows of the batch"
    )
    max_padding_diff_fp16: float = setting(0.02, "fp16: the same limit")
    min_agreement: float = setting(
        0.99, "smallest share of dev documents whose label is the same as in torch"
    )
    max_score_drop: float = setting(0.005, "largest loss on dev, as a share of the best score")
    samples: str = setting(
        "", "models that write: file of texts, a line each, of which the card shows twenty answered"
    )
    limits: str = setting("", "known errors of the model, with examples, for its card (Markdown)")


@dataclass(frozen=True, kw_only=True)
class Pretrain:
    """[pretrain]: the training loop of `nlpkit pretrain`. Its lengths are in optimizer steps."""

    steps: int = setting(20000, "optimizer steps", 1)
    batch_tokens: int = setting(8192, "tokens per step and process, padding included", 64)
    lr: float = setting(1e-3, "peak learning rate", 0)
    schedule: Literal["linear", "cosine", "constant"] = setting("cosine", "decay after warm-up")
    warmup: float = setting(0.02, "share of all steps in which the rate rises to its peak", 0, 1)
    weight_decay: float = setting(0.01, "weight decay of matrices; none on biases and norms", 0)
    clip: float = setting(1.0, "largest gradient norm; 0 does not clip", 0)
    amp: Literal["auto", "bf16", "fp16", "off"] = setting(
        "auto", "precision on a GPU; auto is bf16 where the GPU has it. A CPU uses float32"
    )
    eval_steps: int = setting(1000, "steps between evaluations on the dev texts", 1)
    checkpoint_steps: int = setting(500, "steps between checkpoints", 1)
    threads: int = setting(0, "CPU threads; 0 uses $NLPKIT_THREADS, or every core", 0, 512)
    seed: int = setting(1, "seed of weights, order, masks and dropout", 0, 2**31)
