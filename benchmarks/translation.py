"""Measure BLEU, chrF and copied numbers of baselines and of nlpkit's translators.

    python benchmarks/translation.py --train FILE ... --test FILE ... [--en-pt NAME] [--pt-en NAME]

Files hold rows with `en` and `pt` (.jsonl, .jsonl.xz). The systems, in both directions:
  copy        the source itself
  dictionary  word by word, by IBM model 1 learned from the training files, unknown words copied
              (benchmarks/translation_dictionary.py)
  a bundle    by `nlpkit.load(NAME).predict(sources)`
Scores are those of `nlpkit.metrics.translation`, whose signatures are printed below the tables.
"numbers" is the share of a source's numbers that the output has. Means weigh every file alike.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean

from translation_dictionary import learned, translated

import nlpkit
from nlpkit.answers import Text
from nlpkit.metrics.translation import copied, measure
from nlpkit.records.rows import read_records

SCORES = ("bleu", "chrf", "numbers")
Pairs = list[tuple[str, str]]
Translate = Callable[[list[str]], list[str]]
say = partial(print, file=sys.stderr, flush=True)


def main() -> None:
    given = arguments()
    train = [pair for path in given.train for pair in pairs(path)]
    tests = [(named(path), pairs(path)) for path in given.test]
    if empty := [name for name, rows in tests if not rows]:
        raise SystemExit(f"no rows in {', '.join(empty)}")
    say(f"training pairs: {len(train):,}")
    report, signatures = [], {}
    for direction, names in (("en-pt", given.en_pt), ("pt-en", given.pt_en)):
        turn = slice(None, None, 1 if direction == "en-pt" else -1)
        translators = systems([pair[turn] for pair in train], names)
        head = " | ".join(f"{name}: BLEU | chrF | numbers" for name in translators)
        print(f"\n| {direction} | rows | {head} |\n|---|--:|{'--:|' * 3 * len(translators)}")
        columns = {name: [] for name in translators}
        for test, rows in tests:
            for name, translate in translators.items():
                scores, signatures = score([pair[turn] for pair in rows], translate)
                columns[name].append(scores)
                report.append({"direction": direction, "test": test, "system": name} | scores)
            print_row(test, len(rows), [scores[-1] for scores in columns.values()])
        means = [
            {key: fmean(scores[key] for scores in column) for key in SCORES}
            for column in columns.values()
        ]
        print_row("mean", sum(len(rows) for _, rows in tests), means)
    print(f"\n{'; '.join(f'{key}: {value}' for key, value in signatures.items())}")
    if given.output:
        given.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--train", nargs="+", type=Path, default=[], metavar="FILE", help="for the dictionary"
    )
    parser.add_argument("--test", nargs="+", type=Path, required=True, metavar="FILE")
    parser.add_argument("--en-pt", nargs="+", default=[], metavar="NAME", help="bundles")
    parser.add_argument("--pt-en", nargs="+", default=[], metavar="NAME", help="bundles")
    parser.add_argument("--output", type=Path, metavar="FILE.json")
    return parser.parse_args()


def pairs(path: Path) -> Pairs:
    """Return the English and the Portuguese text of each row."""
    return [(str(row["en"]), str(row["pt"])) for row in read_records(str(path), "en")]


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.name.partition('.')[0]}"


def systems(train: Pairs, names: Sequence[str]) -> dict[str, Translate]:
    """Return the translators by name; the first text of a pair is the source."""
    known: dict[str, Translate] = {"copy": list}
    if train:
        dictionary = learned(*zip(*train, strict=True))
        say(f"dictionary of {len(dictionary):,} words")
        known["dictionary"] = lambda texts: [translated(text, dictionary) for text in texts]
    return known | {name: by_bundle(name) for name in names}


def by_bundle(name: str) -> Translate:
    model = nlpkit.load(name)
    return lambda texts: [answer.text if answer else "" for answer in model.predict(texts)]


def score(rows: Pairs, translate: Translate) -> tuple[dict[str, float], dict[str, str]]:
    """Return the scores, and the signatures of BLEU and chrF."""
    sources, golds = map(list, zip(*rows, strict=True))
    outputs = translate(sources)
    found = measure([Text(gold) for gold in golds], [Text(output) for output in outputs])
    scores = {"bleu": found["bleu"], "chrf": found["chrf"], "numbers": copied(sources, outputs)}
    return scores, {name: found[f"{name}_signature"] for name in ("bleu", "chrf")}


def print_row(name: str, count: int, systems: Sequence[dict[str, float]]) -> None:
    cells = [f"{each['bleu']:.1f} | {each['chrf']:.1f} | {each['numbers']:.3f}" for each in systems]
    print(f"| {name} | {count:,} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
