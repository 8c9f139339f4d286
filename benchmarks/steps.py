"""Measure the steps' commands: cold start, a chain in a shell and in one process, memory over time.

    python benchmarks/steps.py FILE.txt          # a file of one text a line

Each figure is the median of several alternating runs; starts are ratios to `python -c pass`, which
cancels the machine's noise. Peak memory is that of the largest process, as the kernel counts it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NLPKIT = f"{sys.executable} -m nlpkit"
CHAIN = ["clean", "tokenize", "stopwords", "lemmatize"]
STARTS = {
    "nlpkit --help": f"{NLPKIT} --help",
    "import spacy": f"{sys.executable} -c 'import spacy'",
    "clean": f"{NLPKIT} clean",
    "tokenize": f"{NLPKIT} tokenize",
    "stopwords": f"{NLPKIT} stopwords",
    "stem": f"{NLPKIT} stem",
    "lemmatize": f"{NLPKIT} lemmatize",
    "lemmatize --engine lookup": f"{NLPKIT} lemmatize --engine lookup",
    "vectorize --method hash": f"{NLPKIT} vectorize --method hash",
}
SENTENCE = "A comida estava ótima, mas o serviço não."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--flood", type=int, default=2_000_000)
    given = parser.parse_args()
    starts(given.rounds)
    chains(given.file, max(given.rounds // 2, 1))
    flood(given.flood)


def starts(rounds: int) -> None:
    """Print the time of each command for one line."""
    bare = f"{sys.executable} -c pass"
    times: dict[str, list[float]] = {name: [] for name in ["python -c pass", *STARTS]}
    for _ in range(rounds):
        for name, command in {"python -c pass": bare, **STARTS}.items():
            times[name].append(run(f"echo '{SENTENCE}' | {command}")[0])
    base = statistics.median(times["python -c pass"])
    spacy = statistics.median(times["import spacy"])
    print("| start | seconds | x python -c pass | x import spacy |\n|---|--:|--:|--:|")
    for name, seconds in times.items():
        middle = statistics.median(seconds)
        print(f"| {name} | {middle:.3f} | {middle / base:.0f} | {middle / spacy:.2f} |", flush=True)


def chains(file: Path, rounds: int) -> None:
    """Print the time of the chain in a shell, in one process and with two workers."""
    lines = sum(1 for _ in file.open(encoding="utf-8"))
    words = sum(len(line.split()) for line in file.open(encoding="utf-8"))
    shell = f"{NLPKIT} {CHAIN[0]} {file} | " + " | ".join(f"{NLPKIT} {step}" for step in CHAIN[1:])
    pipe = f"{NLPKIT} pipe '{' | '.join(CHAIN)}' {file}"
    ways = {"shell": shell, "pipe": pipe, "pipe --workers 2": f"{pipe} --workers 2"}
    print(f"\n{lines:,} lines, {words:,} words\n")
    print("| chain | seconds | words/s | peak MB |\n|---|--:|--:|--:|")
    for name, command in ways.items():
        runs = [run(command) for _ in range(rounds)]
        seconds = statistics.median(run[0] for run in runs)
        peak = max(run[1] for run in runs)
        print(f"| {name} | {seconds:.1f} | {words / seconds:,.0f} | {peak:.0f} |", flush=True)


def flood(lines: int) -> None:
    """Print the speed of `clean` over many equal lines, and its memory while it runs."""
    command = f"yes '{SENTENCE}' | head -{lines} | {NLPKIT} clean"
    started = time.perf_counter()
    with subprocess.Popen(command, shell=True, stdout=subprocess.DEVNULL) as process:
        sizes = []
        while process.poll() is None:
            time.sleep(1)
            sizes.append(resident("nlpkit clean"))
    seconds = time.perf_counter() - started
    shown = ", ".join(f"{size:.0f}" for size in sizes[1 :: max(len(sizes) // 10, 1)] if size)
    print(f"\nclean, {lines:,} lines: {lines / seconds:,.0f} lines/s")
    print(f"resident MB over time: {shown}")


def resident(wanted: str) -> float:
    """Return the resident memory, in MB, of the Python process whose command line has a text."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if wanted.encode() in b" ".join(words) and words[0].startswith(sys.executable.encode()):
                pages = int((folder / "statm").read_text().split()[1])
                return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
        except OSError:
            continue
    return 0.0


def run(command: str) -> tuple[float, float]:
    """Run a shell command; return its seconds and the peak memory of its largest process in MB."""
    code = "import resource, subprocess, sys; subprocess.run(sys.argv[1], shell=True, check=True)"
    code += "; print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)"
    with tempfile.TemporaryFile() as out:
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", code, command], stdout=out, stderr=subprocess.PIPE, check=True
        )
        return time.perf_counter() - started, int(done.stderr.split()[-1]) / 1e3


if __name__ == "__main__":
    main()
