"""Why attention and gates matter: the toy tasks of examples/sequences, by network and by length.

Trains every network of the lesson (docs/attention.md) on copy and reverse, scores it on sequences
of each tested length, and times its steps; then the transformer with each kind of attention, over
all tokens and in a window. Prints Markdown tables, and draws exact match by length, and the
gradient by distance, as SVG. Finished trainings are kept in --output, so a killed script can be run
again:

    python benchmarks/attention.py --output runs/attention --svg docs

Steps are timed in one process with one thread: rounds in which all networks take turns, CPU seconds
and not the clock's, the median of the rounds relative to that of `lstm` or `transformer`.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from nlpkit.jobs import evaluate
from nlpkit.svg import Curve, curves

ROOT = Path(__file__).parents[1]
TASKS = ("copy", "reverse")
LADDER = ("rnn", "lstm", "lstm-dot", "lstm-general", "lstm-additive", "transformer")
KINDS, WINDOWS = ("dot", "general", "additive"), (0, 8)
TRACED = ("rnn", "lstm", "lstm-dot")  # on copy, whose first letter is the farthest
TIMED = (8, 96)  # letters
BATCH, ROUNDS, STEPS = 32, 5, 4

Settings = tuple[str, ...]
Row = dict[str, Any]


def variants() -> dict[str, tuple[str, Settings]]:
    """Return the recipe and the settings of each network, by name."""
    made: dict[str, tuple[str, Settings]] = {name: (name, ()) for name in LADDER}
    for kind in KINDS:
        for window in WINDOWS:
            parts = ("architecture", "decoder")
            settings = [f"{part}.attention={kind}" for part in parts]
            settings += [f"{part}.near={window}" for part in parts]
            made[variant(kind, window)] = ("transformer", tuple(settings))
    return made


def variant(kind: str, window: int) -> str:
    """Return the name of a transformer; that of the recipe is the plain one."""
    plain = kind == "dot" and not window
    return "transformer" if plain else f"transformer-{kind}" + (f"-{window}" if window else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, default=Path("runs/attention"))
    parser.add_argument("--svg", type=Path, help="folder of the pictures; --output if left out")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for task in TASKS:
        write = [sys.executable, str(ROOT / "examples/sequences/write.py"), task]
        subprocess.run(write, cwd=options.output, check=True)
    rows = {task: [scored(options.output, task, name) for name in variants()] for task in TASKS}
    costs = timed(options.output)
    print(ladder(rows, costs))
    print(kinds(rows, costs))
    for name, picture in pictures(options.output, rows).items():
        ((options.svg or options.output) / f"attention-{name}.svg").write_text(picture, "utf-8")


def scored(output: Path, task: str, name: str) -> Row:
    """Train a network and score it by length, or return what an earlier run of the script found."""
    folder = output / task / name
    stored = folder / "lengths.json"
    if not stored.exists():
        recipe, settings = variants()[name]
        command = ["train", str(output / task / f"{recipe}.toml"), "-o", str(folder), "--quiet"]
        command += [part for setting in settings for part in ("--set", setting)]
        command += ["--resume"] if folder.exists() else []
        command += ["--trace", "gradients"] if name in TRACED and task == "copy" else []
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "nlpkit", *command], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        stored.write_text(json.dumps({"cpu_seconds": round(cpu, 1), **by_length(folder)}))
    row: Row = json.loads(stored.read_text())
    return row


def by_length(folder: Path) -> Row:
    """Return exact match and chrF of a run on the test file of each length, and its parameters."""
    model = evaluate.open_model(str(folder), device="cpu", precision="auto")
    files = sorted(folder.parent.glob("test-*.jsonl"), key=lambda path: len_of(path))
    exact, chrf = {}, {}
    for path in files:
        scores = evaluate.evaluate(model, [str(path)]).scores
        exact[len_of(path)], chrf[len_of(path)] = scores["exact_match"], scores["chrf"]
    summary = json.loads((folder / "run.json").read_text())
    return {"parameters": summary["parameters"], "exact_match": exact, "chrf": chrf}


def len_of(path: Path) -> int:
    """Return the length that a test file has in its name."""
    return int(path.stem.partition("-")[2])


def timed(output: Path) -> dict[int, dict[str, float]]:
    """Return CPU seconds a training step by number of letters and name."""
    stored = output / "costs.json"
    if not stored.exists():
        costs = {}
        for letters in TIMED:
            steps = {name: stepper(output, name, letters) for name in variants()}
            rounds: dict[str, list[float]] = {name: [] for name in steps}
            for number in range(ROUNDS + 1):
                for name, step in steps.items():
                    before = time.process_time()
                    for _ in range(STEPS):
                        step()
                    if number:  # the first warms up
                        rounds[name].append((time.process_time() - before) / STEPS)
            costs[letters] = {name: median(seconds) for name, seconds in rounds.items()}
        stored.write_text(json.dumps(costs, indent=1))
    return {int(letters): each for letters, each in json.loads(stored.read_text()).items()}


def stepper(output: Path, name: str, letters: int) -> Callable[[], None]:
    """Return a function that trains a new network for one step on BATCH copied sequences."""
    import torch

    from nlpkit import tasks, text
    from nlpkit.answers import Text
    from nlpkit.runtime.batcher import pad
    from nlpkit.settings import recipe as recipes
    from nlpkit.training import network
    from nlpkit.training.descent import Descent

    torch.set_num_threads(1)
    recipe_name, settings = variants()[name]
    folder = output / "copy"
    overrides = [*settings, f"tokenizer.window={letters}", f"task.longest={letters}"]
    recipe = recipes.load(folder / f"{recipe_name}.toml", overrides)
    content = (folder / name / "tokenizer.json").read_text(encoding="utf-8")
    tokenizer = text.load(recipe.tokenizer.kind, content)
    task = tasks.class_of(recipe.task.name).from_rows([], recipe.task.config)
    net = network.build(recipe, task, tokenizer).train()
    descent = Descent(net, net.encoder or net.head, recipe.train, torch.device("cpu"))
    texts = ["abcdefgh" * (letters // 8)] * BATCH
    ids = tokenizer.encode(texts).each()
    feeds = pad(ids, list(range(BATCH)), letters).feeds()
    reads = tasks.Reads([(0, letters)] * BATCH)
    targets = task.targets([Text(each) for each in texts], reads, tokenizer)
    inputs = {key: torch.from_numpy(array) for key, array in feeds.items()}
    forced = {key: torch.from_numpy(array) for key, array in targets.items()}

    def step() -> None:
        outputs = net(**inputs, targets=forced)
        descent.step(task.loss(outputs, forced, 0.0).mean())

    return step


def ladder(rows: Mapping[str, Sequence[Row]], costs: Mapping[int, Mapping[str, float]]) -> str:
    """Return the table of the lesson: exact match by network, task and length; and the cost."""
    lengths = list(rows["copy"][0]["exact_match"])
    head = [f"{task} {length}" for task in TASKS for length in lengths]
    lines = [["network", "parameters", "a step", "CPU s", *head]]
    for place, name in enumerate(variants()):
        if name in LADDER:
            each = [rows[task][place] for task in TASKS]
            cost = costs[TIMED[0]][name] / costs[TIMED[0]]["lstm"]
            cpu = max(row["cpu_seconds"] for row in each)
            cells = [name, f"{each[0]['parameters']:,}", f"{cost:.1f}", f"{cpu:.0f}"]
            scores = [f"{row['exact_match'][length]:.2f}" for row in each for length in lengths]
            lines.append([*cells, *scores])
    return markdown(lines)


def kinds(rows: Mapping[str, Sequence[Row]], costs: Mapping[int, Mapping[str, float]]) -> str:
    """Return the table of attention kinds of the transformer."""
    lengths = list(rows["copy"][0]["exact_match"])[1:4]
    head = [f"{task} {length}" for task in TASKS for length in lengths]
    times = [f"a step, {letters} letters" for letters in TIMED]
    lines = [["attention", "window", "parameters", *times, *head]]
    names = list(variants())
    for window in WINDOWS:
        for kind in KINDS:
            name = variant(kind, window)
            each = [rows[task][names.index(name)] for task in TASKS]
            cost = [f"{costs[n][name] / costs[n]['transformer']:.2f}" for n in TIMED]
            scores = [f"{row['exact_match'][length]:.2f}" for row in each for length in lengths]
            parameters = f"{each[0]['parameters']:,}"
            lines.append([kind, str(window or "all"), parameters, *cost, *scores])
    return markdown(lines)


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table whose first line is its head."""
    rule = ["---", *["---:"] * (len(lines[0]) - 1)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [lines[0], rule, *lines[1:]])


def pictures(output: Path, rows: Mapping[str, Sequence[Row]]) -> dict[str, str]:
    """Return the SVGs by name: exact match by length for each task, and the gradients."""
    made = {}
    for task in TASKS:
        scores = {name: rows[task][place]["exact_match"] for place, name in enumerate(LADDER)}
        made[task] = curves(
            [
                Curve(name, [(int(length), score) for length, score in by_length.items()])
                for name, by_length in scores.items()
            ],
            title=f"{task}: exact match by length",
            across="letters; trained on 1 to 8",
            up=f"{task}: exact match",
        )
    drawn = []
    for name in TRACED:
        lines = (output / "copy" / name / "gradients.jsonl").read_text().splitlines()
        for trace in (json.loads(lines[0]), json.loads(lines[len(lines) // 2])):
            drawn.append(Curve(f"{name}, step {trace['step']:,}", list(enumerate(trace["norms"]))))
    made["gradients"] = curves(
        drawn,
        title="Norm of the gradient by distance",
        across="distance in letters from the end of the source",
        up="gradient of the first written letter's loss",
        log=True,
    )
    return made


if __name__ == "__main__":
    main()
