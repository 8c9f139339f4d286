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
import shutil
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
TASKS = ("copy", "reverse", "first")
LADDER = ("rnn", "lstm", "lstm-dot", "lstm-general", "lstm-additive", "transformer")
KINDS, WINDOWS = ("dot", "general", "additive"), (0, 8)
TRACED = ("rnn", "lstm", "lstm-dot")  # on first, whose letter is the farthest
TIMED = (8, 96)  # letters
BATCH, ROUNDS, STEPS = 32, 5, 4

EARLY = 180  # steps of the second gradient that is drawn
LONGEST = {"copy": 8, "reverse": 8, "first": 32}  # letters of a training sequence

Settings = tuple[str, ...]
Row = dict[str, Any]
Scores = Mapping[str, Mapping[str, Row]]  # by task and network
Costs = Mapping[int, Mapping[str, float]]  # CPU seconds a step by letters and network


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
        subprocess.run([*write, "--output", str(options.output / task)], check=True)
    rows = {
        task: {name: scored(options.output, task, name) for name in names(task)} for task in TASKS
    }
    costs = timed(options.output)
    print(ladder(rows, costs))
    print(kinds(rows, costs))
    for name, picture in pictures(options.output, rows).items():
        path = (options.svg or options.output) / f"attention-{name}.svg"
        path.write_text(picture, encoding="utf-8")


def names(task: str) -> tuple[str, ...]:
    """Return the networks that are trained on a task."""
    return LADDER if task == "first" else tuple(variants())


def scored(output: Path, task: str, name: str) -> Row:
    """Train a network and score it by length, or return what an earlier run of the script found."""
    folder = output / task / name
    stored = folder / "lengths.json"
    if not stored.exists():
        shutil.rmtree(folder, ignore_errors=True)  # of a script that was killed
        recipe, settings = variants()[name]
        command = ["train", str(output / task / f"{recipe}.toml"), "-o", str(folder), "--quiet"]
        command += [part for setting in settings for part in ("--set", setting)]
        command += ["--trace", "gradients"] if name in TRACED and task == "first" else []
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


def ladder(rows: Scores, costs: Costs) -> str:
    """Return the tables of the lesson: the cost of each network, and its exact match by length."""
    lines = [["network", "parameters", "CPU time of a step", *(f"CPU s, {task}" for task in TASKS)]]
    for name in LADDER:
        cost = costs[TIMED[0]][name] / costs[TIMED[0]]["lstm"]
        seconds = [f"{rows[task][name]['cpu_seconds']:.0f}" for task in TASKS]
        parameters = f"{rows['copy'][name]['parameters']:,}"
        lines.append([name, parameters, f"{cost:.2f}", *seconds])
    tables = [markdown(lines)]
    for task in TASKS:
        lengths = list(rows[task]["lstm"]["exact_match"])
        lines = [[task, *(f"{length} letters" for length in lengths)]]
        for name in LADDER:
            by_length = rows[task][name]["exact_match"]
            lines.append([name, *(f"{by_length[length]:.2f}" for length in lengths)])
        tables.append(markdown(lines))
    return "\n".join(tables)


def kinds(rows: Scores, costs: Costs) -> str:
    """Return the table of attention kinds of the transformer."""
    tasks = [task for task in TASKS if len(names(task)) > len(LADDER)]
    lengths = list(rows["copy"]["lstm"]["exact_match"])[1:4]
    head = [f"{task} {length}" for task in tasks for length in lengths]
    times = [f"a step, {letters} letters" for letters in TIMED]
    lines = [["attention", "window", "parameters", *times, *head]]
    for window in WINDOWS:
        for kind in KINDS:
            name = variant(kind, window)
            each = [rows[task][name] for task in tasks]
            cost = [f"{costs[n][name] / costs[n]['transformer']:.2f}" for n in TIMED]
            scores = [f"{row['exact_match'][length]:.2f}" for row in each for length in lengths]
            parameters = f"{each[0]['parameters']:,}"
            lines.append([kind, str(window or "all"), parameters, *cost, *scores])
    return markdown(lines)


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table whose first line is its head."""
    rule = ["---", *["---:"] * (len(lines[0]) - 1)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [lines[0], rule, *lines[1:]])


def pictures(output: Path, rows: Scores) -> dict[str, str]:
    """Return the SVGs by name: exact match by length for each task, and the gradients."""
    drawn = {}
    for task in TASKS:
        longest = LONGEST[task]
        drawn[task] = curves(
            [
                Curve(
                    name, [(int(n), score) for n, score in rows[task][name]["exact_match"].items()]
                )
                for name in LADDER
            ],
            title=f"{task}: exact match by length",
            across=f"letters; trained on 1 to {longest}",
            up=f"{task}: exact match",
        )
    drawn["gradients"] = curves(
        [curve for name in TRACED for curve in gradients(output / "first" / name, name)],
        title="Norm of the gradient by distance, before training and after some steps",
        across="distance in letters from the end of the source",
        up="norm of the gradient of the first written letter's loss",
        log=True,
    )
    return drawn


def gradients(folder: Path, name: str) -> list[Curve]:
    """Return the curves of a run's first trace, and of the one after EARLY steps."""
    lines = (folder / "gradients.jsonl").read_text(encoding="utf-8").splitlines()
    traces = {trace["step"]: trace["norms"] for trace in map(json.loads, lines)}
    return [Curve(f"{name}, step {step}", list(enumerate(traces[step]))) for step in (0, EARLY)]


if __name__ == "__main__":
    main()
