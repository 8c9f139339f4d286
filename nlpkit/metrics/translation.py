"""BLEU and chrF of generated texts, by sacrebleu, and the share of numbers that a text keeps.

BLEU (Papineni et al. 2002) compares sequences of one to four words, chrF (Popović 2015) sequences
of one to six characters. Both run from 0 to 100. They are computed from the counts of all documents
together, so they are no means of documents' scores, and documents without four words in a row have
BLEU 0 even if they are right. The signatures (Post 2018) name the tokenisation, the smoothing and
the version; only scores with equal signatures can be compared. Texts are compared in NFC and
without invisible characters.

Legend: N documents, M models, R bootstrap resamples, S counts of a document.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nlpkit.answers import Text
from nlpkit.errors import MissingExtra
from nlpkit.metrics import interval
from nlpkit.text.unicode import visible

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric

FITS = Text
DRAWS = 1000
# A space between digits separates thousands only if it does not break the line: "em 2010 300 ...".
_NUMBER = re.compile(r"\d+(?:[.,'’\xa0\u2009\u202f]\d+)*")
_SEPARATOR = re.compile(r"\D")


def measure(golds: Sequence[Text], answers: Sequence[Text]) -> dict[str, Any]:
    """Return `bleu` and `chrf`, 0 to 100, and the 95% interval and signature of each.

    Intervals are bootstrap intervals over documents (Koehn 2004).

    Raises:
        MissingExtra: sacrebleu is not installed.
    """
    scores: dict[str, Any] = {}
    for name, metric in _metrics().items():
        counts_NS = _counts(metric, golds, answers)
        scores[name] = round(_score(metric, counts_NS.sum(axis=0)), 6)
        scores[f"{name}_interval"] = interval(_resampled(metric, counts_NS))
        scores[f"{name}_signature"] = str(metric.get_signature())
    return scores


def resampled(
    golds: Sequence[Text], answers_M: Sequence[Sequence[Text]], name: str
) -> np.ndarray | None:
    """Return score_MR, BLEU or chrF of M models over R resamples; None for another score."""
    if name not in ("bleu", "chrf"):
        return None
    metric = _metrics()[name]
    return np.stack([_resampled(metric, _counts(metric, golds, answers)) for answers in answers_M])


def copied(sources: Sequence[str], outputs: Sequence[str]) -> float:
    """Return the share of the sources' numbers that stand in the outputs, 1 if there are none.

    A number counts as often as it stands in its source. Separators of thousands and decimals are
    ignored, since languages differ in them: 1,234.5 equals 1.234,5, and 3.5 equals 35.
    """
    kept = total = 0
    for source, output in zip(sources, outputs, strict=True):
        wanted = _numbers(source)
        kept += (wanted & _numbers(output)).total()
        total += wanted.total()
    return kept / total if total else 1.0


def _numbers(text: str) -> Counter[str]:
    return Counter(_SEPARATOR.sub("", number) for number in _NUMBER.findall(visible(text)))


def _metrics() -> dict[str, Metric]:
    """Return sacrebleu's metrics with its default settings, by the names of their scores."""
    try:
        from sacrebleu import BLEU, CHRF
    except ModuleNotFoundError as problem:
        raise MissingExtra("train", str(problem.name)) from None
    # force: do not warn of texts that look tokenised; some data sets are.
    return {"bleu": BLEU(force=True), "chrf": CHRF()}


def _counts(metric: Metric, golds: Sequence[Text], answers: Sequence[Text]) -> np.ndarray:
    """Return counts_NS, the lengths and matches from which the score of any sample is computed.

    No document at all counts as one that is empty. sacrebleu's own bootstrap uses the same method,
    which has a private name and has been there since version 2.0; no public one returns counts.
    """
    texts = [visible(answer.text) for answer in answers] or [""]
    right = [visible(gold.text) for gold in golds] or [""]
    return np.array(metric._extract_corpus_statistics(texts, [right]), dtype=np.int64)


def _resampled(metric: Metric, counts_NS: np.ndarray) -> np.ndarray:
    """Return score_R over resamples of the documents; the seed is fixed."""
    n = len(counts_NS)
    rng = np.random.default_rng(0)
    shares_N = np.full(n, 1 / n)
    sums_RS = (rng.multinomial(n, shares_N) @ counts_NS for _ in range(DRAWS))
    return np.array([_score(metric, sums_S) for sums_S in sums_RS])


def _score(metric: Metric, sums_S: np.ndarray) -> float:
    return float(metric._compute_score_from_stats(sums_S.tolist()).score)
