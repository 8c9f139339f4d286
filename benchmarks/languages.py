"""Measure how well and how fast `--lang auto` tells Portuguese from English in short texts.

    pip install -c constraints.txt '.[lang]'
    python benchmarks/languages.py --data ../shared/data

The texts are those of the dev splits of sentiment_pt, sentiment_en and parallel/tatoeba, at most
PER_SET of each set in a bucket, drawn with a fixed seed. The language of a set counts as that of
its texts. Accuracies are given for Portuguese and for English. Speeds are texts a second of CPU
time, medians of rounds in which the ways take turns; starts and memory come from a process for
each way, from before the imports to the answers to two texts.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import nlpkit
from nlpkit.language.detect import LANGUAGES, detect, language_of
from nlpkit.records.rows import read_records

PER_SET = 100
LENGTHS = {"under 20": (1, 20), "20 to 39": (20, 40), "40 to 79": (40, 80), "80 to 159": (80, 160)}
SENTENCE = "first sentence"
ONE_WORD = "one word"
DOUBTFUL = ("Produto excelente", "Excellent product")  # texts that `--lang auto` asks lingua about
_LETTER = re.compile(r"[^\W\d_]")
Texts = dict[str, list[str]]  # by language
Way = Callable[[str], str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("NLPKIT_DATA"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--start", help=argparse.SUPPRESS)  # the child process of `starts`
    given = parser.parse_args()
    if given.start:
        print(json.dumps(start(given.start)))
        return
    buckets = sample(given.data)
    ways = {name: make() for name, make in WAYS.items()}
    for way in ways.values():
        _ = [way(text) for text in DOUBTFUL]  # loads the models
    accuracies(buckets, ways)
    speeds(buckets, ways, given.rounds)
    parallel([text for texts in buckets["40 to 79"].values() for text in texts], given.rounds)
    starts(given.rounds)


def builder(low: bool = False) -> Any:
    """Return a builder of lingua's detector for two languages."""
    from lingua import Language, LanguageDetectorBuilder

    made = LanguageDetectorBuilder.from_languages(Language.PORTUGUESE, Language.ENGLISH)
    return made.with_low_accuracy_mode() if low else made


def lingua(low: bool = False) -> Way:
    """Return lingua alone, whose answer None counts as Portuguese."""
    detector = builder(low).build()

    def way(text: str) -> str:
        best = detector.detect_language_of(text)
        return "pt" if best is None else str(best.iso_code_639_1.name).lower()

    return way


WAYS: dict[str, Callable[[], Way]] = {
    "function words": lambda: detect,
    "lingua": lingua,
    "lingua, low accuracy": partial(lingua, low=True),
    "`--lang auto`": partial(language_of, "auto"),
}


def sample(data: Path) -> dict[str, Texts]:
    """Return the texts of each bucket by language."""
    rng = random.Random(1)
    first = nlpkit.pipeline("tokenize --sentences")
    buckets: dict[str, Texts] = defaultdict(lambda: {lang: [] for lang in LANGUAGES})
    for lang, texts in sets(data):
        by_bucket = defaultdict(list)
        for text in rng.sample(texts, len(texts)):
            for bucket in buckets_of(text):
                by_bucket[bucket].append(text)
        split = [sentences for sentences in first(texts[: 4 * PER_SET]) if len(sentences) > 1]
        by_bucket[SENTENCE] = [sentences[0] for sentences in split if _LETTER.search(sentences[0])]
        for bucket, chosen in by_bucket.items():
            buckets[bucket][lang] += chosen[:PER_SET]
    return {name: buckets[name] for name in (ONE_WORD, *LENGTHS, SENTENCE)}


def sets(data: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the language and the texts of each set."""
    for lang in LANGUAGES:
        for path in sorted((data / f"sentiment_{lang}").glob("*/dev.jsonl.xz")):
            yield lang, [row["text"] for row in read_records(str(path), "text")]
        path = data / "parallel/tatoeba/dev.jsonl.xz"
        yield lang, [row[lang] for row in read_records(str(path), lang)]


def buckets_of(text: str) -> Iterator[str]:
    """Yield the buckets of a whole text: none if it has no letter, and so no language."""
    if not _LETTER.search(text):
        return
    if len(text.split()) == 1:
        yield ONE_WORD
    yield from (name for name, (low, high) in LENGTHS.items() if low <= len(text) < high)


def accuracies(buckets: dict[str, Texts], ways: dict[str, Way]) -> None:
    """Print the share of right answers, in Portuguese and in English."""
    print("| characters | texts, pt / en | " + " | ".join(ways) + " |")
    print("|---|--:|" + "--:|" * len(ways))
    for bucket, texts in buckets.items():
        cells = [" / ".join(f"{len(texts[lang]):,}" for lang in LANGUAGES)]
        for way in ways.values():
            shares = [
                statistics.mean(way(text) == lang for text in texts[lang]) for lang in LANGUAGES
            ]
            cells.append(" / ".join(f"{share:.3f}" for share in shares))
        print(f"| {bucket} | {' | '.join(cells)} |", flush=True)


def speeds(buckets: dict[str, Texts], ways: dict[str, Way], rounds: int) -> None:
    """Print the texts a second of CPU time."""
    print("\n| texts a second | " + " | ".join(ways) + " |")
    print("|---|" + "--:|" * len(ways))
    for bucket, by_lang in buckets.items():
        texts = [text for texts in by_lang.values() for text in texts]
        seconds = defaultdict(list)
        for _ in range(rounds):
            for name, way in ways.items():
                seconds[name].append(timed(partial(list, map(way, texts)))[1])
        cells = [f"{len(texts) / statistics.median(seconds[name]):,.0f}" for name in ways]
        print(f"| {bucket} | {' | '.join(cells)} |", flush=True)


def parallel(texts: Sequence[str], rounds: int) -> None:
    """Print lingua's speed for one text a call and for all in a call."""
    detector = builder().build()
    calls = {
        "one text a call": lambda: [detector.detect_language_of(text) for text in texts],
        "all in a call": lambda: detector.detect_languages_in_parallel_of(list(texts)),
    }
    assert len({tuple(map(str, call())) for call in calls.values()}) == 1, "answers differ"
    runs = defaultdict(list)
    for _ in range(rounds):
        for name, call in calls.items():
            runs[name].append(timed(call))
    print()
    for name, times in runs.items():
        wall, cpu = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"lingua, {name}: {len(texts) / wall:,.0f} texts/s, {len(texts) / cpu:,.0f} of CPU")


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds and the CPU seconds of some work."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def starts(rounds: int) -> None:
    """Print the CPU seconds until the first answers, and the memory that they take."""
    print("\n| | start, seconds of CPU | memory, MB |\n|---|--:|--:|")
    for name in WAYS:
        command = [sys.executable, __file__, "--start", name]
        runs = [json.loads(subprocess.check_output(command)) for _ in range(rounds)]
        seconds, megabytes = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"| {name} | {seconds:.2f} | {megabytes:.0f} |", flush=True)


def start(name: str) -> tuple[float, float]:
    """Return the CPU seconds and the MB that one way takes for its first answers."""
    memory, cpu = resident(), time.process_time()
    way = WAYS[name]()
    _ = [way(text) for text in DOUBTFUL]
    return time.process_time() - cpu, resident() - memory


def resident() -> float:
    """Return the resident memory of this process in MB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
