"""Prune a tokenizer's vocabulary to the pieces that a corpus needs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nlpkit.errors import InputError, UsageError, quoted
from nlpkit.records import TEXT
from nlpkit.text import vocabulary

if TYPE_CHECKING:
    from nlpkit.text import Tokenizer

STRETCH = 1024  # texts that are tokenized at once


@dataclass(frozen=True)
class Pruning:
    """The vocabulary before and after pruning, and its effect on the corpus.

    `unknown_before` and `unknown` are shares of the corpus's tokens that are unknown, `longer` is
    the number of tokens as a share of the number before.
    """

    pieces_before: int
    pieces: int
    documents: int
    unknown_before: float
    unknown: float
    longer: float


class Corpus(NamedTuple):
    """Files with a column of text."""

    files: Sequence[str]
    text: str = TEXT
    encoding: str = "utf-8"


def check_files(files: Sequence[str]) -> None:
    """Raise UsageError if a file is a pipe, which cannot be read twice."""
    for file in files:
        if file == "-" or (Path(file).exists() and not Path(file).is_file()):
            raise UsageError(
                f"--keep-vocabulary {quoted(file)}: is read twice, so it must be a file"
            )


def prune(
    tree: Mapping[str, Any], corpus: Corpus, min_count: int, specials: int
) -> tuple[list[int], Pruning]:
    """Return the ids to keep, and their effect on the texts of a corpus, which is read twice.

    Args:
        tree: the tokenizer.json.
        corpus: the texts.
        min_count: least occurrences of a piece that is not removed.
        specials: the number of special pieces, which have the first ids.

    Raises:
        InputError: a file cannot be read, or all have no text.
    """
    full = _tokenizer(tree)
    counts, documents = _counts(full, corpus)
    if not documents:
        raise InputError(
            f"--keep-vocabulary {' '.join(map(quoted, corpus.files))}: has no text; "
            "name other files"
        )
    wanted = {id for id, count in counts.items() if count >= min_count}
    wanted |= vocabulary.basic(tree) | set(range(specials))
    kept = sorted(vocabulary.with_parts(tree, wanted))
    pruned = _tokenizer(vocabulary.renumbered(tree, kept, specials))
    after, _ = _counts(pruned, corpus)
    total = max(counts.total(), 1)
    return kept, Pruning(
        pieces_before=full.vocab_size,
        pieces=pruned.vocab_size,
        documents=documents,
        unknown_before=counts[full.unk] / total,
        unknown=after[pruned.unk] / max(after.total(), 1),
        longer=after.total() / total,
    )


def _counts(tokenizer: Tokenizer, corpus: Corpus) -> tuple[Counter[int], int]:
    """Return how often each id occurs in the corpus, and the number of their texts."""
    import numpy as np

    from nlpkit.text import encode

    counts_V = np.zeros(tokenizer.vocab_size, np.int64)
    documents = 0
    for texts in _stretches(_texts(corpus)):
        documents += len(texts)
        ids_S = encode(tokenizer, texts).ids_S
        counts_V += np.bincount(ids_S, minlength=len(counts_V))
    return Counter({int(id): int(counts_V[id]) for id in np.flatnonzero(counts_V)}), documents


def _stretches(texts: Iterator[Any]) -> Iterator[list[Any]]:
    while stretch := list(islice(texts, STRETCH)):
        yield stretch


def _texts(corpus: Corpus) -> Iterator[Any]:
    """Yield the texts of files, or their lists of words, one at a time."""
    from nlpkit.records.rows import is_blank, read_records
    from nlpkit.records.source import column_named

    for file in corpus.files:
        for record in read_records(file, corpus.text, corpus.encoding):
            value = record[column_named(corpus.text, record) or corpus.text]
            if isinstance(value, str | list) and value and not is_blank(value):
                yield value if isinstance(value, str) else [str(word) for word in value]


def _tokenizer(tree: Mapping[str, Any]) -> Tokenizer:
    from nlpkit import text

    kind = vocabulary.KINDS[tree["model"]["type"]]
    return text.load(kind, json.dumps(tree, ensure_ascii=False))
