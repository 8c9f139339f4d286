"""Summarise documents by their most central sentences (LexRank: Erkan & Radev 2004).

A sentence is a vector of tf-idf weights over the sentences of its document. It is central if it is
similar to others that are central: the scores are the stationary distribution of a walk between
sentences in proportion to their cosines, continuous LexRank. The matrix of cosines is X Xᵀ, where X
has a row for each sentence, so a step of the walk is two products with X, which is sparse: the
cosines are never stored, and memory grows with the words of a document, not with the square of its
sentences.

Early sentences count more, very short and long ones less. A sentence that is much like a chosen one
is left out. The constants were chosen by ROUGE on train splits (benchmarks/README.md).

Legend: S sentences of all documents, K terms in them, P distinct pairs of sentence and term,
C columns: distinct pairs of document and term.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nlpkit.language.detect import Lang
from nlpkit.summarizing.sentences import Sentence, documents_in_sentences

DAMPING = 0.15  # share of the walk that jumps to any sentence
STEPS = 30  # of the walk: a fixed number, so that a document's scores are the same in any company
PRIOR = 4.0  # the first sentence counts 1 + PRIOR times, the second 1 + PRIOR / 2 times
SHORT, LONG = 6, 25  # a sentence of fewer or more words counts less, in proportion
FRAGMENT = 0.1  # weight of headings and list items
SAME = 0.5  # cosine from which a sentence repeats a chosen one
ISOLATED = 1e-9  # sum of the cosines of a sentence that is like no other


@dataclass(frozen=True, kw_only=True)
class Extractor:
    """A callable from texts to their most central sentences.

    `sentences` is the most sentences of a summary. `ratio`, if it is given, is their share instead,
    from 0 to 1, and at least one sentence is chosen.
    """

    lang: Lang = "pt"
    sentences: int = 3
    ratio: float | None = None

    def __call__(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the sentences of each text's summary, in the order of the text."""
        documents = documents_in_sentences(texts, self.lang)
        chosen = choose(documents, [self._count(len(document)) for document in documents])
        return [
            [document[index].text for index in indices]
            for document, indices in zip(documents, chosen, strict=True)
        ]

    def _count(self, sentences: int) -> int:
        """Return the most sentences of a summary of a document of so many sentences."""
        return self.sentences if self.ratio is None else max(round(self.ratio * sentences), 1)


def choose(documents: Sequence[Sequence[Sentence]], counts: Sequence[int]) -> list[list[int]]:
    """Return the indices of the best sentences of each document, at most its count, in order.

    Fewer are chosen where the others repeat them. A document that has no more is chosen whole.
    """
    chosen = [list(range(len(document))) for document in documents]
    rows = [row for row, indices in enumerate(chosen) if len(indices) > counts[row]]
    long = [documents[row] for row in rows]
    graph = Graph(long)
    score_S = centrality(graph) * weights(long)
    for row, (first, end) in zip(rows, pairwise(graph.starts), strict=True):
        ranked = first + np.argsort(-score_S[first:end], kind="stable")
        best = _distinct(graph, ranked.tolist(), counts[row])
        chosen[row] = sorted(sentence - first for sentence in best)
    return chosen


class Graph:
    """The sentences of some documents as sparse vectors of unit length, X.

    Pair p has the sentence `sentence_P[p]`, the column `column_P[p]` and the weight `weight_P[p]`.
    Pairs are sorted by sentence. Documents share no columns. `starts` has the first sentence of
    each document, and the number of sentences at the end.
    """

    def __init__(self, documents: Sequence[Sequence[Sentence]]) -> None:
        sentence_K: list[int] = []
        column_K: list[int] = []
        self.starts, self.columns = [0], 0
        for document in documents:
            ids: dict[str, int] = {}
            for row, sentence in enumerate(document, self.starts[-1]):
                sentence_K += [row] * len(sentence.terms)
                column_K += [
                    self.columns + ids.setdefault(term, len(ids)) for term in sentence.terms
                ]
            self.starts.append(self.starts[-1] + len(document))
            self.columns += len(ids)
        self.sentences = self.starts[-1]
        pair_K = np.array(sentence_K, np.int64) * self.columns + np.array(column_K, np.int64)
        pair_P, count_P = np.unique(pair_K, return_counts=True)
        self.sentence_P, self.column_P = np.divmod(pair_P, max(self.columns, 1))
        self.weight_P = self._normalised(count_P)
        self.bounds = np.searchsorted(self.sentence_P, np.arange(self.sentences + 1)).tolist()

    def _normalised(self, count_P: np.ndarray) -> np.ndarray:
        """Return tf-idf weights, scaled so that each sentence has length 1."""
        sizes = np.diff(self.starts)
        size_P = np.repeat(sizes, sizes)[self.sentence_P]
        among_C = np.bincount(self.column_P, minlength=self.columns)
        weight_P = count_P * (np.log((1 + size_P) / (1 + among_C[self.column_P])) + 1)
        length_S = np.sqrt(np.bincount(self.sentence_P, weight_P**2, self.sentences))
        return np.asarray(weight_P / length_S[self.sentence_P])

    def spread(self, value_S: np.ndarray) -> np.ndarray:
        """Return the sum of each sentence's cosines with the others, times their values."""
        sum_C = np.bincount(self.column_P, self.weight_P * value_S[self.sentence_P], self.columns)
        sum_S = np.bincount(self.sentence_P, self.weight_P * sum_C[self.column_P], self.sentences)
        return np.asarray(sum_S - value_S)

    def vector(self, sentence: int) -> Iterator[tuple[int, float]]:
        """Return the columns of a sentence and their weights."""
        pairs = slice(self.bounds[sentence], self.bounds[sentence + 1])
        return zip(self.column_P[pairs].tolist(), self.weight_P[pairs].tolist(), strict=True)


def centrality(graph: Graph) -> np.ndarray:
    """Return the centrality of each sentence: 1 is the mean of a document, if none is isolated."""
    degree_S = graph.spread(np.ones(graph.sentences))
    share_S = np.divide(1, degree_S, where=degree_S > ISOLATED, out=np.zeros(graph.sentences))
    score_S = np.ones(graph.sentences)
    for _ in range(STEPS):
        score_S = DAMPING + (1 - DAMPING) * graph.spread(score_S * share_S)
    return score_S


def weights(documents: Sequence[Sequence[Sentence]]) -> np.ndarray:
    """Return the weight of each sentence by its position, its length and its form."""
    return np.array(
        [
            (1 + PRIOR / position)
            * min(words / SHORT, 1, LONG / words)
            * (FRAGMENT if sentence.fragment else 1)
            for document in documents
            for position, sentence in enumerate(document, 1)
            for words in [sentence.text.count(" ") + 1]
        ]
    )


def _distinct(graph: Graph, ranked: Sequence[int], count: int) -> list[int]:
    """Return the first `count` sentences that are unlike those before them.

    Lists of the chosen sentences by term take the place of cosines between all pairs.
    """
    chosen: list[int] = []
    having: dict[int, list[tuple[int, float]]] = defaultdict(list)  # by column
    for sentence in ranked:
        if len(chosen) == count:
            break
        vector = list(graph.vector(sentence))
        cosines: dict[int, float] = defaultdict(float)
        for column, weight in vector:
            for other, of_other in having.get(column, ()):
                cosines[other] += weight * of_other
        if max(cosines.values(), default=0.0) < SAME:
            for column, weight in vector:
                having[column].append((sentence, weight))
            chosen.append(sentence)
    return chosen
