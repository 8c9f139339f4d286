"""ROUGE and seconds of extractive summaries: ours, the first sentences, and sumy's LexRank.

    pip install sumy
    python benchmarks/summaries.py --data ../shared/data [--split dev] [--rounds 5]
        [--encoder base]

The references are titles, which are no extracts: scores compare systems, and say little of how good
a summary is. sumy gets our splitter of sentences and words, so that it needs no data of NLTK; its
stemmer and stop words are its own. Every system reads the same texts in the same process. Seconds
are CPU time, medians of rounds in which the systems take turns, from texts to summaries. `split`
is the time of our splitter alone, which is a part of all others. With --encoder, one more system
has the embeddings of a bundle in place of tf-idf; it takes minutes a round.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import nlpkit
from nlpkit import metrics
from nlpkit.answers import Text
from nlpkit.language.words import splitter
from nlpkit.metrics.rouge import NAMES
from nlpkit.records.rows import read_records
from nlpkit.summarizing import extract
from nlpkit.summarizing.extract import Extractor
from nlpkit.summarizing.sentences import documents_in_sentences

SETS = (
    "news_essay_titles",
    "infomoney_headlines",
    "complaint_titles",
    "complaint_titles_2022",
    "review_titles",
)
COUNTS = (1, 3)  # sentences of a summary
System = Callable[[Sequence[str]], list[str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("NLPKIT_DATA"), required=False)
    parser.add_argument("--split", default="dev", choices=["train", "dev"])
    parser.add_argument("--most", type=int, default=1000, help="rows of each set")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--encoder", metavar="NAME", help="a bundle that embeds sentences")
    parser.add_argument("--writer", metavar="NAME", help="a bundle that writes titles")
    given = parser.parse_args()
    rows = {name: rows_of(given.data, name, given.split, given.most) for name in SETS}
    for count in COUNTS:
        systems = {
            "split": lambda texts: [str(len(each)) for each in documents_in_sentences(texts, "pt")],
            f"lead-{count}": partial(lead, count=count),
            "LexRank (sumy)": sumy(count),
            "nlpkit summarise": partial(ours, Extractor(sentences=count)),
        }
        if given.encoder:
            model = nlpkit.load(given.encoder, device="cpu", threads=1)
            systems[f"embeddings ({given.encoder})"] = partial(embedded, model, count)
        if given.writer and count == 1:
            model = nlpkit.load(given.writer, device="cpu", threads=1)
            systems[f"written ({given.writer})"] = partial(written, model)
        measure(count, rows, systems, given.rounds)


def rows_of(data: Path, name: str, split: str, most: int) -> list[tuple[str, str]]:
    """Return (text, title) of the first rows of a set."""
    path = str(data / "summ_pt" / name / f"{split}.jsonl.xz")
    return [(row["text"], row["summary"]) for row in read_records(path, "text")][:most]


def lead(texts: Sequence[str], count: int) -> list[str]:
    documents = documents_in_sentences(texts, "pt")
    return [" ".join(each.text for each in document[:count]) for document in documents]


def ours(extractor: Extractor, texts: Sequence[str]) -> list[str]:
    return [" ".join(sentences) for sentences in extractor(texts)]


def written(model: Any, texts: Sequence[str]) -> list[str]:
    """Return a title for each text; an empty one for a text without tokens."""
    return [answer.text if answer else "" for answer in model.predict(texts)]


def embedded(model: Any, count: int, texts: Sequence[str]) -> list[str]:
    """Return summaries as ours, with the cosines of embeddings."""
    summaries = []
    for document in documents_in_sentences(texts, "pt"):
        embedding_SD = model.embed([each.text for each in document]).astype(float)
        length_S = np.linalg.norm(embedding_SD, axis=1, keepdims=True)
        unit_SD = embedding_SD / np.where(length_S, length_S, 1)
        score_S = walk(np.maximum(unit_SD @ unit_SD.T, 0)) * extract.weights([document])
        best = sorted(np.argsort(-score_S, kind="stable")[:count].tolist())
        summaries.append(" ".join(document[index].text for index in best))
    return summaries


def walk(cosine_SS: np.ndarray) -> np.ndarray:
    """Return the centrality of sentences from all of their cosines."""
    np.fill_diagonal(cosine_SS, 0)
    degree_S = cosine_SS.sum(axis=1)
    step_SS = cosine_SS / np.where(degree_S, degree_S, 1)[:, None]
    score_S = np.ones(len(cosine_SS))
    for _ in range(extract.STEPS):
        score_S = extract.DAMPING + (1 - extract.DAMPING) * (score_S @ step_SS)
    return score_S


class Splitter:
    """Our splitter, as the tokenizer that sumy's parser takes."""

    def to_sentences(self, text: str) -> tuple[str, ...]:
        return tuple(each.text for each in documents_in_sentences([text], "pt")[0])

    def to_words(self, sentence: str) -> tuple[str, ...]:
        words = splitter("pt").split_all([sentence])[0]
        return tuple(word for word in words if any(map(str.isalnum, word)))


def sumy(count: int) -> System:
    """Return sumy's LexRank."""
    from sumy.nlp.stemmers import Stemmer
    from sumy.parsers.plaintext import PlaintextParser
    from sumy.summarizers.lex_rank import LexRankSummarizer
    from sumy.utils import get_stop_words

    summarizer = LexRankSummarizer(Stemmer("portuguese"))
    summarizer.stop_words = get_stop_words("portuguese")

    def system(texts: Sequence[str]) -> list[str]:
        documents = [PlaintextParser(text, Splitter()).document for text in texts]
        return [" ".join(map(str, summarizer(document, count))) for document in documents]

    return system


def measure(
    count: int,
    rows: dict[str, list[tuple[str, str]]],
    systems: dict[str, System],
    rounds: int,
) -> None:
    """Print the scores of each system on each set, their means, and the seconds for all texts."""
    seconds: dict[str, list[float]] = defaultdict(list)
    scores: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for system in systems.values():
        system([text for text, _ in rows[SETS[0]]])  # loads rules and words
    for _ in range(rounds):
        for name, system in systems.items():
            started = time.process_time()
            summaries = {each: system([text for text, _ in rows[each]]) for each in SETS}
            seconds[name].append(time.process_time() - started)
            if name not in scores and name != "split":
                for each in SETS:
                    golds = [Text(title) for _, title in rows[each]]
                    scores[name][each] = metrics.measure(
                        Text, golds, list(map(Text, summaries[each]))
                    )
    print(f"\n{count} sentence{'s' * (count > 1)}: ROUGE-1 / 2 / L\n")
    print("| set | rows | " + " | ".join(scores) + " |\n|---|--:|" + "--:|" * len(scores))
    for each in SETS:
        cells = [shown([by_set[each][rouge] for rouge in NAMES]) for by_set in scores.values()]
        print(f"| {each} | {len(rows[each])} | " + " | ".join(cells) + " |")
    means = [
        [statistics.mean(by_set[each][rouge] for each in SETS) for rouge in NAMES]
        for by_set in scores.values()
    ]
    total = sum(map(len, rows.values()))
    print(f"| mean | {total} | " + " | ".join(map(shown, means)) + " |\n")
    base = statistics.median(seconds["nlpkit summarise"])
    for name, times in seconds.items():
        middle = statistics.median(times)
        print(
            f"{name}: {middle:.3f} s of CPU, {total / middle:,.0f} texts/s, x {middle / base:.2f}"
        )


def shown(values: Sequence[float]) -> str:
    return " / ".join(f"{value:.3f}" for value in values)


if __name__ == "__main__":
    main()
