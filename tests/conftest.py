"""Shared fixtures: a small labelled corpus, and runs and bundles trained on it."""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sharing import made_once, shared_folder

# Before a test file imports ONNX Runtime, which may be before it imports nlpkit.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# No test depends on the clock: an example may take as long as a busy machine needs.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# One thread for each process; torch reads this when it is imported. pytest runs a process on each
# core, and the threads of small networks mostly wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
gc.set_threshold(100_000)  # as the command line does; collections slow down the export to ONNX

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a background job of a script
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parents[1]
# A package that adds two tasks by entry points. Child processes find it by environment().
PLUGIN = Path(__file__).parent / "plugin"
if str(PLUGIN) not in sys.path:
    sys.path.insert(0, str(PLUGIN))
PATIENCE = 600  # seconds until a wait counts as a hang; no test measures time with it
Made = Callable[[str], Path]
Cli = Callable[..., subprocess.CompletedProcess[bytes]]

WORDS = {
    "positive": ["ótimo", "adorei", "lindo", "perfeito", "maravilhoso", "recomendo"],
    "negative": ["péssimo", "odiei", "horrível", "quebrado", "atrasado", "decepção"],
    "neutral": ["entrega", "quinta-feira", "portaria", "reunião", "página", "número"],
}
FILLERS = ["o produto", "a loja", "meu pedido", "este filme", "o hotel", "a comida", "o livro"]


# Short, empty, longer than a window, without known words.
TEXTS = ["o hotel lindo 1", "", "a loja péssimo 2", "reunião " * 40, "👍", "x" * 5000]


def wait_until(holds: Callable[[], object]) -> None:
    """Poll until a condition holds; fail after PATIENCE seconds."""
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, "it does not come"
        time.sleep(0.01)


def grows_evenly(work: Callable[[int], object], size: int) -> bool:
    """Return whether CPU time grows about linearly with the size.

    Eight times the size takes 8 times as long for linear work and 64 times for quadratic work; the
    limit is 32. Takes the minimum CPU time of three runs, and at least 5 ms.
    """

    def seconds(size: int) -> float:
        before = time.process_time()
        work(size)
        return time.process_time() - before

    short, long = (min(seconds(much) for _ in range(3)) for much in (size, 8 * size))
    return long < 32 * max(short, 0.005)


def children_of(parent: int) -> list[int]:
    """Return the child processes of all threads of a process; skip the test without /proc.

    A process is the child of the thread that started it.
    """
    told = [*Path(f"/proc/{parent}/task").glob("*/children")]
    if not told:
        pytest.skip("needs /proc/PID/task/TID/children")
    return [int(child) for file in told for child in file.read_text().split()]


def has_ended(process: int) -> bool:
    """Return whether a process has exited or is a zombie."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return True
    return status.rpartition(")")[2].split()[0] in "ZX"


def corpus(rows: int, seed: int) -> list[dict[str, str]]:
    """Return rows whose label follows from one word, so that any network can learn them."""
    rng = random.Random(seed)
    made = []
    for number in range(rows):
        label = rng.choice(list(WORDS))
        words = [rng.choice(WORDS[label]), str(number)]
        words += rng.sample(FILLERS, rng.choice([0, 1, 2]))
        rng.shuffle(words)
        made.append({"text": " ".join(words), "label": label})
    return made


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


NOUNS = {"gato": "Masc", "casa": "Fem", "livro": "Masc", "porta": "Fem", "menino": "Masc"}
VERBS = {"comprava": "comprar", "achava": "achar", "levava": "levar", "corria": "correr"}


def sentences(rows: int, seed: int) -> list[dict[str, Any]]:
    """Return tagged sentences whose lemmas follow from endings; "gatos" is "gato"."""
    rng = random.Random(seed)
    made = []
    for number in range(rows):
        noun = rng.choice(list(NOUNS))
        article = "o" if NOUNS[noun] == "Masc" else "a"
        plural = "s" * rng.randint(0, 1)
        verb = rng.choice(list(VERBS))
        words = [article + plural, noun + plural, verb, str(number), "."]
        lemmas = ["o", noun, VERBS[verb], str(number), "."]
        upos = ["DET", "NOUN", "VERB", "NUM", "PUNCT"]
        made.append({"words": words, "lemmas": lemmas, "upos": upos})
    return made


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train.jsonl, dev.jsonl and test.jsonl."""

    def make(folder: Path) -> None:
        folder.mkdir()
        for name, rows, seed in (("train", 400, 1), ("dev", 90, 2), ("test", 90, 3)):
            write_jsonl(folder / f"{name}.jsonl", corpus(rows, seed))

    return made_once(shared_folder(tmp_path_factory) / "data", make)


def tiny_tree(arch: str, **train: Any) -> dict[str, Any]:
    """Return the tree of a recipe that trains in about a second."""
    sizes: dict[str, dict[str, Any]] = {
        "atnet": {"embedding": 16, "filters": 16, "length_scale": True},
        "bert": {"width": 16, "layers": 1, "heads": 2, "feedforward": 32},
        "bow": {"buckets": 4096},
        "hybrid": {"width": 16, "layers": 1, "heads": 2, "feedforward": 32},
        "lstm": {"embedding": 16, "hidden": 16},
        "transformer": {"width": 16, "layers": 1, "heads": 2, "feedforward": 32},
        "wordlstm": {"embedding": 16, "filters": 8, "hidden": 16, "layers": 1},
    }
    tokenizer: dict[str, Any] = {"vocab_size": 300, "window": 16, "overlap": 4}
    if arch == "bow":
        tokenizer |= {"kind": "char", "vocab_size": 100, "window": 80}
    if arch == "wordlstm":
        tokenizer |= {"kind": "words", "vocab_size": 2000, "letters": 12}
    return {
        "name": f"tiny-{arch}",
        "task": {"name": "sentiment", "hidden": 0, "dropout": 0.1},
        "architecture": {"name": arch} | sizes.get(arch, {}),
        "data": {"train": ["train.jsonl"], "dev": ["dev.jsonl"]},
        "tokenizer": tokenizer,
        "train": {"epochs": 4, "batch_size": 16, "lr": 0.02, "threads": 1, "patience": 0} | train,
        "export": {"min_agreement": 0.9, "max_score_drop": 0.05},
    }


def tiny_recipe(arch: str, data: Path, **train: Any) -> Any:
    from nlpkit.settings import recipe

    return recipe.from_dict(tiny_tree(arch, **train), folder=data, where="test")


@pytest.fixture(scope="session")
def tiny_run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return a function that returns the run of an architecture, trained once for all tests."""
    from nlpkit.training import run

    shelf = shared_folder(tmp_path_factory) / "runs"
    shelf.mkdir(exist_ok=True)

    def get(arch: str) -> Path:
        def make(folder: Path) -> None:
            recipe = tiny_recipe(arch, data)
            run.train(recipe, folder, device="cpu", resume=False, listener=lambda event: None)

        return made_once(shelf / f"tiny-{arch}", make)

    return get


@pytest.fixture(scope="session")
def tiny_bundle(tiny_run: Made, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return a function that returns the bundle of an architecture, exported once for all tests."""
    shelf = shared_folder(tmp_path_factory) / "export"
    shelf.mkdir(exist_ok=True)

    def get(arch: str) -> Path:
        def make(folder: Path) -> None:
            from nlpkit.jobs.export import export

            export(str(tiny_run(arch)), folder, overrides=[], listener=lambda report: None)

        return made_once(shelf / f"tiny-{arch}", make)

    return get


@pytest.fixture
def cli(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Return a function that runs the command line in a subprocess, in `tmp_path`."""

    def run(
        *args: str | Path, stdin: bytes = b"", **env: str
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "nlpkit", *map(str, args)],
            input=stdin,
            capture_output=True,
            cwd=tmp_path,
            env=environment() | env,
            timeout=PATIENCE,
            check=False,
        )

    return run


@pytest.fixture
def quick_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Return a function like `cli` that runs in this process, where torch is imported already."""
    from typer.testing import CliRunner

    from nlpkit.cli.app import app

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])  # for processes that it starts

    def run(*args: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        done = CliRunner().invoke(app, [*map(str, args)], input=stdin)
        return subprocess.CompletedProcess(
            args, done.exit_code, done.stdout_bytes, done.stderr_bytes
        )

    return run


@pytest.fixture(scope="session")
def model(tiny_bundle: Made) -> Any:
    import nlpkit

    return nlpkit.load(str(tiny_bundle("atnet")), device="cpu")


@pytest.fixture
def sentiment(cli: Cli, tiny_bundle: Made) -> Cli:
    def run(*args: object, **options: object) -> subprocess.CompletedProcess[bytes]:
        return cli("sentiment", "--model", tiny_bundle("atnet"), *args, **options)

    return run


def environment() -> dict[str, str]:
    """Return this process's environment, less what hides that output is not flushed or that ONNX
    Runtime reports home, and a width that xdist gives its workers."""
    gone = ("PYTHONUNBUFFERED", "COLUMNS", "ORT_DISABLE_TELEMETRY")
    kept = {key: value for key, value in os.environ.items() if key not in gone}
    return kept | {"PYTHONPATH": f"{ROOT}{os.pathsep}{PLUGIN}", "OMP_NUM_THREADS": "1"}


def add_plugin(
    folder: Path, monkeypatch: pytest.MonkeyPatch, groups: dict[str, dict[str, str]]
) -> None:
    """Put a package with entry points on the path; `groups` maps group -> name -> source."""
    about = folder / "plugin-1.0.dist-info"
    about.mkdir(parents=True)
    lines = []
    for group, things in groups.items():
        lines.append(f"[{group}]")
        for name, source in things.items():
            (folder / f"{name}.py").write_text(source, encoding="utf-8")
            lines.append(f"{name} = {name}")
    (about / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
