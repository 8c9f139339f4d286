"""How much faster a training step on the CPU is when freed memory is kept.

Times steps of language models by their decoder, one thread, in processes that keep freed memory
(nlpkit/training/memory.py) and in those that do not, in turns; prints the median CPU seconds of a
step, their ratio, and the memory at its peak.

    python benchmarks/training_memory.py
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

ROUNDS, STEPS, WARM = 3, 6, 2
VOCABULARY, ROWS, LENGTH = 8000, 16, 128


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("decoders", nargs="*", default=["transformer", "lstm"])
    parser.add_argument("--one", choices=("kept", "returned"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.decoders[0], options.one == "kept")))
        return
    for decoder in options.decoders:
        found: dict[str, list[dict[str, float]]] = {"returned": [], "kept": []}
        for _ in range(ROUNDS):
            for way, rows in found.items():
                command = [sys.executable, __file__, decoder, "--one", way]
                rows.append(json.loads(subprocess.check_output(command)))
        seconds = {way: median(row["seconds"] for row in rows) for way, rows in found.items()}
        peak = {way: median(row["gigabytes"] for row in rows) for way, rows in found.items()}
        print(
            f"{decoder}: {seconds['returned']:.3f} s a step, {seconds['kept']:.3f} s when kept, "
            f"{seconds['returned'] / seconds['kept']:.2f} times as fast; "
            f"{peak['returned']:.2f} GB and {peak['kept']:.2f} GB"
        )


def measure(decoder: str, kept: bool) -> dict[str, float]:
    """Return the median CPU seconds of a step, and the process's memory at its peak."""
    import torch

    from nlpkit.training.memory import keep_freed_memory

    torch.set_num_threads(1)
    if kept:
        keep_freed_memory()
    step, seconds = stepper(decoder), []
    for number in range(WARM + STEPS):
        before = time.process_time()
        step()
        if number >= WARM:
            seconds.append(time.process_time() - before)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {"seconds": median(seconds), "gigabytes": peak}


def stepper(decoder: str) -> Callable[[], None]:
    """Return a function that trains a language model for a step, always on the same tokens."""
    import torch

    from nlpkit import tasks
    from nlpkit.settings import recipe as recipes
    from nlpkit.training import examples, network, word_vectors
    from nlpkit.training.descent import Descent

    tree = {"name": decoder, "task": {"name": "generate", "source": False}}
    tree |= {"tokenizer": {"vocab_size": VOCABULARY, "window": LENGTH}}
    tree |= {"decoder": {"name": decoder, "dropout": 0.0}, "train": {"amp": "fast"}}
    recipe = recipes.from_dict(tree, folder=Path(), where=decoder)
    letters = random.Random(0)
    words = ["".join(letters.choices("aeioulmnrst", k=6)) for _ in range(10 * VOCABULARY)]
    tokenizer = examples.learn(recipe, words, True, word_vectors.read(recipe))
    task = tasks.class_of("generate").from_rows([], recipe.task.config)
    net = network.build(recipe, task, tokenizer).train()
    descent = Descent(net, net.head, recipe.train, torch.device("cpu"))
    ids = torch.randint(3, tokenizer.vocab_size, (ROWS, LENGTH))
    forward = descent.forward(net)

    def step() -> None:
        outputs = forward(ids, torch.ones_like(ids, dtype=torch.bool), targets={})
        descent.step(task.loss(outputs, {}, 0.0).mean())

    return step


if __name__ == "__main__":
    main()
