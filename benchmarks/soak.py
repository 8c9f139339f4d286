"""Soak test: pipe ten million lines through `nlpkit sentiment` and sample its memory.

Each line begins with its number, and each answer is compared with the line that is due: none may be
lost, doubled or out of order. The texts are halves of two real texts, so that new words keep coming
as in a corpus and few lines are duplicates.

    python benchmarks/soak.py --data ../shared/data --output runs/soak.json --svg docs/soak.svg
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from throughput import texts

EVERY = 1.0  # seconds between two samples of memory
BLOCK = 2_000  # lines written at once


def lines(some: list[str], count: int) -> Iterator[str]:
    """Yield numbered lines, each made of the halves of two texts."""
    rng = random.Random(13)
    for number in range(count):
        one, other = rng.choice(some), rng.choice(some)
        yield f"{number} {one[: len(one) // 2]} {other[len(other) // 2 :]}\n"


def feed(process: subprocess.Popen[bytes], some: list[str], count: int) -> None:
    assert process.stdin is not None
    block: list[str] = []
    for line in lines(some, count):
        block.append(line)
        if len(block) == BLOCK:
            process.stdin.write("".join(block).encode())
            block = []
    process.stdin.write("".join(block).encode())
    process.stdin.close()


def resident_now(process: int) -> float:
    """Return a process's resident memory in MB."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def soak(command: list[str], some: list[str], count: int) -> dict[str, object]:
    """Return the seconds, the peak memory in MB, and samples of (seconds, lines, MB).

    Raises:
        SystemExit: a line is lost, doubled or out of order, or the command failed.
    """
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    threading.Thread(target=feed, args=(process, some, count), daemon=True).start()
    start = looked = time.monotonic()
    seen: list[tuple[float, int, float]] = []
    due = 0
    for answer in process.stdout:
        _, _, text = answer.split(b"\t", 2)
        if int(text.split(b" ", 1)[0]) != due:
            raise SystemExit(f"expected line {due}, got {answer!r}")
        due += 1
        if due % 1_000 == 0 and (now := time.monotonic()) - looked > EVERY:
            looked = now
            seen.append((round(now - start, 1), due, round(resident_now(process.pid), 1)))
    seconds = time.monotonic() - start
    if process.wait() or due != count:
        raise SystemExit(
            f"only {due:,} of {count:,} lines were answered, exit code {process.returncode}"
        )
    peak = max((held for _, _, held in seen), default=0)
    return {"lines": count, "seconds": round(seconds, 1), "peak_mb": round(peak), "seen": seen}


def plot(report: dict[str, object], path: Path) -> None:
    """Draw memory over lines as SVG."""
    seen: list[tuple[float, int, float]] = report["seen"]  # type: ignore[assignment]
    count = int(str(report["lines"]))
    high = 300
    points = " ".join(
        f"{60 + 560 * done / count:.1f},{220 - 200 * memory / high:.1f}" for _, done, memory in seen
    )
    marks = "".join(
        f'<text x="52" y="{224 - 200 * value / high:.0f}" text-anchor="end">{value}</text>'
        f'<line x1="60" x2="620" y1="{220 - 200 * value / high:.0f}" '
        f'y2="{220 - 200 * value / high:.0f}" stroke="#ccc"/>'
        for value in range(0, high + 1, 100)
    )
    ticks = "".join(
        f'<text x="{60 + 560 * tenth / 10:.0f}" y="238" text-anchor="middle">'
        f"{count * tenth / 10 / 1e6:g}</text>"
        for tenth in range(0, 11, 2)
    )
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 262" font-family="sans-serif" '
        f'font-size="12" fill="#333"><rect width="640" height="262" fill="#fff"/>{marks}{ticks}'
        f'<polyline points="{points}" fill="none" stroke="#06c" stroke-width="1.5"/>'
        '<text x="340" y="256" text-anchor="middle">million lines</text>'
        '<text x="60" y="12">resident memory, MB</text></svg>\n',
        encoding="utf-8",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("NLPKIT_DATA", "../shared/data")
    )
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--model", default="sentiment")
    parser.add_argument("--python", default=sys.executable, help="the Python with nlpkit")
    parser.add_argument("--output", type=Path, metavar="FILE.json")
    parser.add_argument("--svg", type=Path, metavar="FILE.svg")
    args = parser.parse_args()
    some, _ = texts(args.data, 200_000)
    command = [args.python, "-m", "nlpkit", "sentiment", "--model", args.model]
    report = soak(command, some, args.lines)
    print({key: value for key, value in report.items() if key != "seen"})
    if args.output:
        args.output.write_text(json.dumps(report) + "\n", encoding="utf-8")
    if args.svg:
        plot(report, args.svg)


if __name__ == "__main__":
    main()
