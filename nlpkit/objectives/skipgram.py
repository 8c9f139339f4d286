"""Skip-gram with negative sampling over pieces (Mikolov et al. 2013), by gensim.

It learns the embedding only, in minutes on a CPU where a language model takes hours. Needs the
extra `pretrain`. It is not resumed: a killed run begins anew.

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

LINE = 5000  # gensim cuts longer sentences off
LEARNED = "embed."  # the weights that a training starts from; the others are still chance


@dataclass(frozen=True, kw_only=True)
class Config:
    reach: int = setting(5, "pieces to either side that are guessed, at most", 1)
    negatives: int = setting(5, "random pieces that each is told from", 1)
    subsample: float = setting(1e-4, "pieces more frequent than this share are thinned out", 0, 1)
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
    """Put the learned vectors into the encoder's embedding, scaled as its own were.

    With several threads the result differs a little from run to run.

    Raises:
        MissingExtra: gensim is not installed.
        UsageError: the encoder keeps no vector for each piece.
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
    places = [int(key) for key in model.wv.index_to_key]
    learned_VE = torch.from_numpy(np.ascontiguousarray(model.wv.vectors))
    learned_VE = learned_VE - learned_VE.mean(0)
    usual = embed.weight.data.norm(dim=1).mean()
    with torch.no_grad():
        embed.weight[places] = learned_VE * (usual / learned_VE.norm(dim=1).mean())
        embed.weight[0] = 0
    return {"pieces": float(len(places))}


def _write(corpus: Corpus, path: Path) -> None:
    with path.open("w", encoding="ascii") as out:
        for ids in corpus.documents():
            for start in range(0, len(ids), LINE):
                out.write(" ".join(map(str, ids[start : start + LINE].tolist())) + "\n")
