"""Join a fast model and a better one in a cascade, whose threshold is chosen on dev files."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlpkit import abilities, metrics, zoo
from nlpkit.cascade import Rule
from nlpkit.errors import UsageError, quoted
from nlpkit.jobs.evaluate import read_labelled
from nlpkit.jobs.judging import Judged
from nlpkit.runtime.bundle import read_bundle
from nlpkit.runtime.manifest import FORMAT
from nlpkit.runtime.shelving import check_output, write_bundle
from nlpkit.version import __version__

if TYPE_CHECKING:
    from nlpkit.runtime.model import Model

SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)  # points of the curve
WEIGHTS = (0.5, 0.67, 0.8, 1.0)  # of the better model, tried on dev
TIMED = 512  # documents whose answers are timed


@dataclass(frozen=True)
class Point:
    """A share of documents that the better model is asked about; the cascade's score and speed."""

    share: float
    threshold: float
    score: float
    docs_per_second: float


@dataclass(frozen=True)
class Built:
    """A cascade: its rule, the chosen point, and the curve of all points tried."""

    rule: Rule
    point: Point
    curve: tuple[Point, ...]
    folder: Path


def build(
    fast_name: str,
    best_name: str,
    files: Sequence[str],
    folder: Path,
    *,
    share: float | None = None,
    budget: float | None = None,
    text: str | None = None,
    label: str | None = None,
    encoding: str = "utf-8",
    names: Mapping[str, str] | None = None,
) -> Built:
    """Write the bundle of a cascade, and return its rule and its curve.

    Args:
        fast_name: the bundle that reads every document.
        best_name: the bundle that is asked about some.
        files: labelled dev files, on which weight, threshold and temperature are chosen.
        folder: the bundle to write.
        share: of the documents that the better model is asked about; 0.2 without a budget.
        budget: documents a second to reach, by the speeds measured here.
        text, label: the columns of the dev files, if they are not the task's own.
        encoding: of the dev files.
        names: new names of labels.

    Raises:
        ModelError: a model is missing or damaged.
        UsageError: the models do not fit, one of them is a cascade or lies in `folder`, or no
            share reaches the budget.
        InputError: a dev file cannot be read.
    """
    check_output(folder)
    for number in (share, budget):
        if number is not None and math.isnan(number):
            raise UsageError("--share and --budget must be numbers")
    parts = [_stored_name(name, folder) for name in (fast_name, best_name)]
    fast, best = (zoo.load(part, device="cpu") for part in parts)
    if set(_labels(fast)) != set(_labels(best)) or not _labels(fast):
        raise UsageError(f"{fast.name} and {best.name} must be classifiers of the same labels")
    labelled = [
        read_labelled(fast.task, file, text=text, label=label, encoding=encoding, names=names)
        for file in files
    ]
    judged = Judged(fast, best, labelled)
    seconds = [_seconds(model, judged.documents) for model in (fast, best)]
    if budget is not None:
        share = _share_of(budget, seconds)
    share = 0.2 if share is None else share
    threshold = judged.threshold(share)
    weight = max(WEIGHTS, key=lambda each: judged.score(Rule(threshold, each)))
    rule = Rule(threshold, weight, judged.temperature(Rule(threshold, weight)))
    curve = []
    for each in sorted({*SHARES, share}):
        limit = judged.threshold(each)
        tried = judged.score(Rule(limit, weight, rule.temperature))
        speed = 1 / (seconds[0] + each * seconds[1])
        curve.append(Point(each, limit, round(tried, 4), round(speed, 1)))
    point = next(point for point in curve if point.share == share)
    _write(folder, parts, rule, point, curve, judged)
    return Built(rule, point, tuple(curve), folder)


def curve_of(name: str) -> tuple[list[Point], float] | None:
    """Return the curve of a cascade's bundle and its share; None for another model.

    Raises:
        ModelError: the bundle does not exist or is damaged.
    """
    rule = None if name in zoo.RULES else read_bundle(zoo.find_bundle(name)).manifest.cascade
    return None if rule is None else ([Point(**each) for each in rule["curve"]], rule["share"])


def _stored_name(name: str, folder: Path) -> str:
    """Return how a cascade names a part: by name if it is installed, else by its absolute path.

    Raises:
        UsageError: the part is a cascade, or would be replaced by the new bundle.
    """
    found = zoo.find_bundle(name)
    if folder.resolve() == found.resolve() or folder.name == name:
        raise UsageError(
            f"--output {quoted(folder)}: would take the place of {quoted(name)}, which the cascade "
            "needs; choose another name"
        )
    if read_bundle(found).manifest.cascade is not None:
        raise UsageError(f"{quoted(name)}: is a cascade itself; join models with weights")
    return name if found != Path(name) else str(found.resolve())


def _labels(model: Model) -> Sequence[str]:
    return model.task.labels if isinstance(model.task, abilities.Distillable) else ()


def _seconds(model: Model, documents: Sequence[Any]) -> float:
    """Return the seconds that a model takes for a document, of TIMED spread over all."""
    step = max(len(documents) // TIMED, 1)
    timed = documents[::step][:TIMED]
    started = time.perf_counter()
    model.predict(timed)
    return max(time.perf_counter() - started, 1e-9) / len(timed)


def _share_of(budget: float, seconds: Sequence[float]) -> float:
    """Return the share of documents for the better model at which both reach a speed.

    Raises:
        UsageError: the fast model alone does not reach it.
    """
    share = (1 / budget - seconds[0]) / seconds[1]
    if share < 0:
        raise UsageError(
            f"--budget {budget:g}: the fast model alone answers {1 / seconds[0]:,.0f} documents a "
            "second here; lower the budget"
        )
    return round(min(share, 1.0), 4)


def _write(
    folder: Path,
    parts: Sequence[str],
    rule: Rule,
    point: Point,
    curve: Sequence[Point],
    judged: Judged,
) -> None:
    """Write the bundle of a cascade."""
    fast, best = (read_bundle(zoo.find_bundle(part)).manifest for part in parts)
    kind = judged.fast.task.answers
    dev = metrics.measure(kind, judged.golds, judged.answers(rule))
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "name": folder.name,
        "version": "1",
        "task": dict(fast.task),
        "architecture": {"name": "cascade"},
        "parameters": fast.parameters + best.parameters,
        "labels": list(fast.labels),
        "languages": list(fast.languages),
        "steps": [],
        "window": fast.window,
        "overlap": fast.overlap,
        "tokenizer": {"kind": fast.tokenizer_kind, "file": fast.tokenizer_file},
        "graphs": {},
        "precisions": {},
        "cascade": {
            "fast": parts[0],
            "best": parts[1],
            **asdict(rule),
            "share": point.share,
            "curve": [asdict(each) for each in curve],
        },
        "score": fast.score,
        "scores": {"dev": dev, "dev_files": []},
        "tools": {"nlpkit": __version__},
    }
    card = _card(manifest, point, curve).encode()
    write_bundle(folder, {"README.md": card}, manifest, partial(zoo.open_bundle, device="cpu"))


def _card(manifest: dict[str, Any], point: Point, curve: Sequence[Point]) -> str:
    cascade = manifest["cascade"]
    rows = "\n".join(
        f"| {each.share:.2f} | {each.threshold:.4f} | {each.score:.4f} | "
        f"{each.docs_per_second:,.0f} |"
        for each in curve
    )
    return (
        f"# {manifest['name']}\n\n"
        f"A cascade: {cascade['fast']} answers where its highest probability is at least "
        f"{cascade['threshold']:.4f}, and {cascade['best']} is asked about the other documents "
        f"(a share of {point.share:.2f} on dev). There, the probabilities of both are added, "
        f"{cascade['best']}'s with a weight of {cascade['weight']:g}. Both bundles must be "
        "installed; their cards name the data, the licences and the limits.\n\n"
        f"```\nnlpkit predict --model {manifest['name']} FILE\n```\n\n"
        "| share asked | threshold | dev score | docs/s |\n|--:|--:|--:|--:|\n"
        f"{rows}\n\nThe score is the mean over the dev files; the speed is that of the machine "
        "that built the cascade.\n"
    )
