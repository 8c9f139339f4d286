"""Tiny encoders of each model type, in folders as transformers writes them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from nlpkit import text
from nlpkit.architectures import bert
from nlpkit.runtime.batcher import padded_length
from nlpkit.training import checkpoint

TYPES = ("bert", "roberta", "xlm-roberta", "distilbert")
POSITIONS = 40
CORPUS = [
    f"O hotel nº {n} é ótimo, mas o café da manhã (R$ {n},50) não valeu… voltarei? Não! 😍👍"
    for n in range(40)
] + ["Péssimo atendimento: esperei 3 horas, ninguém veio. Água fria, coração partido 💔"] * 3
# Compared after nlpkit's own rule for invisible characters, which runs before any tokenizer.
NASTY = [
    "O hotel é ótimo!",
    "",
    " \t\n ",
    "   dois  espaços\n\nlinha\tcom tab ",
    "👍👍🏽 família 👩‍👩‍👧 💔",
    "ÁÉÍ Não NÃO não naïve",
    "日本語 и русский, مرحبا",
    "http://exemplo.com/a_b?c=1 @alguém #hashtag kkkkkk!!!",
    "palavra" * 40,
    "a" * 120,
    "ﬁm ½ ª º µ ™ \x00 \x07 \ufffd",
    "▁ Ġ ## ##a",
]


def wordpiece(corpus: Sequence[str] = CORPUS) -> Tokenizer:
    """Return a tokenizer like BERT's."""
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=False)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=250, special_tokens=special, show_progress=False)
    made.train_from_iterator(corpus, trainer)
    ids = [(name, made.token_to_id(name)) for name in ("[SEP]", "[CLS]")]
    made.post_processor = processors.BertProcessing(*ids)
    made.decoder = decoders.WordPiece()
    return made


def byte_level() -> Tokenizer:
    """Return a tokenizer like RoBERTa's: BPE over bytes, without an unknown token in its model."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(CORPUS, trainer)
    made.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    made.decoder = decoders.ByteLevel()
    return made


def unigram() -> Tokenizer:
    """Return a tokenizer like XLM-R's."""
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.UnigramTrainer(
        vocab_size=160, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    made.train_from_iterator(CORPUS, trainer)
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    made.decoder = decoders.Metaspace()
    return made


TOKENIZERS = {
    "bert": wordpiece,
    "roberta": byte_level,
    "xlm-roberta": unigram,
    "distilbert": wordpiece,
}


def model_of(kind: str, vocab_size: int, *, head: bool = False, untrained: bool = False) -> Any:
    """Return a random encoder of transformers, in which no weight is 0 or 1 unless `untrained`."""
    import transformers

    sizes: dict[str, Any] = {
        "hidden_size": 16,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "intermediate_size": 24,
    }
    if kind == "distilbert":
        sizes = {"dim": 16, "n_layers": 3, "n_heads": 2, "hidden_dim": 24}
    pad = 0 if kind == "bert" or kind == "distilbert" else 1
    skipped = 0 if pad == 0 else pad + 1
    config = transformers.AutoConfig.for_model(
        kind,
        vocab_size=vocab_size,
        max_position_embeddings=POSITIONS + skipped,
        pad_token_id=pad,
        **sizes,
    )
    maker = transformers.AutoModelForMaskedLM if head else transformers.AutoModel
    torch.manual_seed(1)
    model = maker.from_config(config).eval()
    for weight in () if untrained else model.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    return model


def write(folder: Path, kind: str, model: Any = None, tokenizer: Tokenizer | None = None) -> Any:
    """Write a folder as transformers does; return the model."""
    tokenizer = tokenizer or TOKENIZERS[kind]()
    model = model or model_of(kind, tokenizer.get_vocab_size())
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return model


def opened(run: Path) -> tuple[bert.Encoder, Any]:
    """Return the encoder and the tokenizer of an imported run."""
    tree = tomllib.loads((run / "recipe.toml").read_text(encoding="utf-8"))
    content = (run / "tokenizer.json").read_text(encoding="utf-8")
    tokenizer = text.load(tree["tokenizer"]["kind"], content)
    settings = {key: value for key, value in tree["architecture"].items() if key != "name"}
    length = padded_length(tree["tokenizer"]["window"])
    config = bert.Config(vocab_size=tokenizer.vocab_size, max_length=length, **settings)
    encoder = bert.Encoder(config).eval()
    tensors, _ = checkpoint.load_tensors(run / "model.safetensors")
    encoder.load_state_dict(checkpoint.part(tensors, "encoder"))
    return encoder, tokenizer


def change(folder: Path, name: str = "config.json", **settings: Any) -> None:
    """Change keys of a JSON file; ... removes one."""
    path = folder / name
    tree = json.loads(path.read_text(encoding="utf-8")) | settings
    left = {key: value for key, value in tree.items() if value is not ...}
    path.write_text(json.dumps(left), encoding="utf-8")
