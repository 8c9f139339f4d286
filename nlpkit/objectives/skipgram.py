"""Skip-gram with negative sampling over pieces (Mikolov et al. 2013), by gensim.

It learns the embedding only, in minutes on a CPU where a language model takes hours. It needs the
extra `pretrain` and cannot resume: a killed run starts from the beginning.

Legend: V vocabulary, E width of embeddings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import nn

from nlpkit.errors import MissingExtra
from nlpkit.heads.pieces import embedding_of
from nlpkit.settings.declaration import setting
from nlpkit.training.corpus import Corpus

LINE = 5000  # most ids in a line of gensim's input, since gensim truncates long lines
LEARNED = "embed."  # name prefix of the learned weights; all others are still random


@dataclass(frozen=True, kw_only=True)
class Config:
    reach: int = setting(5, "most pieces to either side that are predicted", 1)
    negatives: int = setting(5, "negative samples for each predicted piece", 1)
    subsample: float = setting(1e-4, "pieces more frequent than this share are subsampled", 0, 1)
    epochs: int = setting(1, "passes over the corpus", 1)


def fit(
    config: Config,
    encoder: nn.Module,
    pieces: Sequence[str],
    corpus: Corpus,
    *,
    seed: int,
    threads: int,
) -> dict[str, float]:
    """Replace the encoder's embedding by learned vectors, scaled to its initial mean norm.

    Return {"pieces": the number of pieces that got a vector}. With several threads the result
    differs slightly from run to run.

    Raises:
        MissingExtra: gensim is not installed.
        UsageError: the encoder has no embedding with a row for each piece.
    """
    embed = embedding_of(encoder, pieces, "skipgram")
    try:
        from gensim.models import Word2Vec
    except ModuleNotFoundError as problem:
        raise MissingExtra("pretrain", str(problem.name)) from None
    with TemporaryDirectory(dir=corpus.folder, prefix=".skipgram-") as folder:
        path = Path(folder) / "ids.txt"
        _write(corpus, path)
        model = Word2Vec(
            corpus_file=str(path),
            vector_size=embed.embedding_dim,
            window=config.reach,
            negative=config.negatives,
            sample=config.subsample,
            epochs=config.epochs,
            sg=1,
            min_count=1,
            seed=seed,
            workers=threads,
        )
    ids = [int(key) for key in model.wv.index_to_key]
    learned_VE = torch.from_numpy(np.ascontiguousarray(model.wv.vectors))
    learned_VE = learned_VE - learned_VE.mean(0)
    norm = embed.weight.data.norm(dim=1).mean()
    with torch.no_grad():
        embed.weight[ids] = learned_VE * (norm / learned_VE.norm(dim=1).mean())
        embed.weight[0] = 0
    return {"pieces": float(len(ids))}


def _write(corpus: Corpus, path: Path) -> None:
    with path.open("w", encoding="ascii") as out:
        for ids in corpus.documents():
            for start in range(0, len(ids), LINE):
                out.write(" ".join(map(str, ids[start : start + LINE].tolist())) + "\n")
