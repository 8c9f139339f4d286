"""Measure time and memory of `nlpkit vectorize`, and compare its output with scikit-learn's.

    python benchmarks/vectorize.py [--data DIR] [--documents 50000] [--others 20000]

It fits on some texts of the training splits of sentiment_pt, shuffled, and transforms others. Each
row of the table is a separate process; rows named `sklearn` call scikit-learn on the same files.
"""

from __future__ import annotations

import argparse
import json
import lzma
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NGRAMS = ("1", "1-2")
DIRECT = """
import json, sys
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
fit, other, high, out = sys.argv[1:]
def read(path):
    with open(path, encoding="utf-8", newline="\\n") as lines:
        return [line.removesuffix("\\n") for line in lines]
vectorizer = TfidfVectorizer(ngram_range=(1, int(high)))
whole = vectorizer.fit_transform(read(fit))
if other:
    sparse.save_npz(out, vectorizer.transform(read(other)))
    json.dump(list(vectorizer.get_feature_names_out()), open(out + ".json", "w"))
"""


def texts(data: Path, count: int) -> list[str]:
    """Return `count` texts without line breaks, or all if there are fewer."""
    collected = []
    for path in sorted(data.glob("sentiment_pt/*/train.jsonl.xz")):
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            collected += [" ".join(json.loads(line)["text"].split()) for line in lines]
    random.Random(0).shuffle(collected)
    return collected[:count]


def timed(*command: object) -> tuple[float, float, float]:
    """Run a command; return its wall time and CPU time in seconds, and its peak memory in MiB."""
    started = time.perf_counter()
    child = subprocess.Popen(list(map(str, command)))
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{command} failed")
    busy = usage.ru_utime + usage.ru_stime
    return time.perf_counter() - started, busy, usage.ru_maxrss / 1024


def compare(fit: Path, other: Path, ngrams: str, folder: Path) -> None:
    import numpy as np
    from scipy import sparse

    nlpkit = (sys.executable, "-m", "nlpkit", "vectorize")
    direct = (sys.executable, "-c", DIRECT, fit)
    model, ours, theirs = folder / "model.json", folder / "ours.npz", folder / "theirs.npz"
    rows = {
        "nlpkit --fit": timed(*nlpkit, "--ngrams", ngrams, "--fit", model, fit),
        "sklearn fit_transform": timed(*direct, "", ngrams[-1], ""),
        "nlpkit --with, to npz": timed(*nlpkit, "--with", model, other, "--output", ours),
        "nlpkit --with, to svmlight": timed(
            *nlpkit, "--with", model, other, "-o", folder / "o.svm"
        ),
        "sklearn fit_transform, transform, npz": timed(*direct, other, ngrams[-1], theirs),
    }
    for name, (seconds, busy, peak) in rows.items():
        print(
            f"| {ngrams} | {name} | {seconds:.1f} s | {busy:.1f} s | {peak:,.0f} MiB |", flush=True
        )
    actual, expected = sparse.load_npz(ours), sparse.load_npz(theirs)
    same = json.loads(model.read_text())["vocabulary"] == json.loads(
        Path(f"{theirs}.json").read_text()
    )
    bits = np.array_equal(actual.data, expected.data) and np.array_equal(
        actual.indices, expected.indices
    )
    print(
        f"{ngrams}: {actual.shape[0]:,} x {actual.shape[1]:,}, {actual.nnz:,} values; "
        f"same columns: {same}; same values to the last bit: {bits}; "
        f"model {model.stat().st_size / 1e6:.1f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    home = Path(os.environ.get("NLPKIT_DATA", Path(__file__).parents[2] / "shared/data"))
    parser.add_argument("--data", type=Path, default=home)
    parser.add_argument("--documents", type=int, default=50_000)
    parser.add_argument("--others", type=int, default=20_000)
    args = parser.parse_args()
    documents = texts(args.data, args.documents + args.others)
    with tempfile.TemporaryDirectory() as name:
        fit, other = Path(name, "fit.txt"), Path(name, "other.txt")
        fit.write_text("\n".join(documents[: args.documents]) + "\n", encoding="utf-8")
        other.write_text("\n".join(documents[args.documents :]) + "\n", encoding="utf-8")
        print(f"{args.documents:,} documents to fit, {len(documents) - args.documents:,} others")
        for ngrams in NGRAMS:
            compare(fit, other, ngrams, Path(name))


if __name__ == "__main__":
    main()
