"""Train the taggers' initial word vectors: fastText's skip-gram over raw text.

    python benchmarks/vectors.py pt vectors/pt.vec     # then train with [tokenizer] vectors
    python benchmarks/vectors.py en vectors/en.vec

It needs the package fasttext-wheel (or fasttext) and $NLPKIT_DATA. One thread makes the vectors
reproducible.
"""

from __future__ import annotations

import argparse
import lzma
import os
import re
import tempfile
from pathlib import Path

from nlpkit.text.tokenizers.words import normal

TOKEN = re.compile(r"\w+(?:-\w+)*|[^\w\s]")
PER_SET = 16_000_000  # most characters of a set, so that no genre dominates
SETS = {
    "pt": "raw_pt/{fakebr_news,news_misc,headlines,essays_br,essays_uol,blog_akita,"
    "camara_debates2019,cpi_pandemia,discursos_dilma,camara_sessoes,tweets_misc,tweets_eleicoes2018,"
    "tweets_covidpol,reclameaqui,whatsapp,hate_comments,recipes,ementas_tjal,msdocs_visualstudio}",
    # CETENFolha is left out: Bosque is part of it, and mac_morpho is from the same newspaper.
    "en": "raw_en/{imdb_unsup,eltec_eng}",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("language", choices=SETS)
    parser.add_argument("output", type=Path)
    parser.add_argument("--words", type=int, default=25_000)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as text:
        for folder in folders(SETS[given.language]):
            copy(folder, text)
        text.flush()
        write(learn(text.name, given.width, given.epochs), given.words, given.output)


def folders(pattern: str) -> list[Path]:
    """Return the folders that a pattern `kind/{one,other}` names under $NLPKIT_DATA."""
    kind, names = pattern.removesuffix("}").split("/{")
    return [Path(os.environ["NLPKIT_DATA"]) / kind / name for name in names.split(",")]


def copy(folder: Path, text: object) -> None:
    """Write the tokens of a set's training texts, up to PER_SET characters."""
    written = 0
    for path in sorted(folder.glob("train*.txt.xz")):
        for line in lzma.open(path, "rt", encoding="utf-8"):
            if written > PER_SET:
                return
            tokens = normal(" ".join(TOKEN.findall(line)))
            written += len(tokens)
            print(tokens, file=text)


def learn(path: str, width: int, epochs: int) -> object:
    """Return the fastText model: skip-gram with negative sampling (Mikolov et al. 2013)."""
    import fasttext

    return fasttext.train_unsupervised(
        path, model="skipgram", dim=width, epoch=epochs, minCount=4, ws=3, minn=0, maxn=0,
        neg=8, lr=0.08, thread=1,
    )  # fmt: skip


def write(model: object, most: int, output: Path) -> None:
    """Write the `most` most frequent words and their vectors in word2vec's text format."""
    words = [word for word in model.words if word != "</s>"][:most]
    rows = [" ".join(f"{x:.4f}" for x in model.get_word_vector(word)) for word in words]
    head = f"{len(words)} {model.get_dimension()}\n"
    lines = [f"{word} {row}\n" for word, row in zip(words, rows, strict=True)]
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(head + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
