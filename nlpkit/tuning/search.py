"""Search for a better recipe: real runs that Optuna proposes, within a budget of time.

study.journal      Optuna's journal, JSON lines: what --resume continues
trials.jsonl       one line a trial, a view of it
best/              the best run so far, whole; there from the first finished trial on
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import torch
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from nlpkit import tasks
from nlpkit.errors import ModelError, NlpkitError, UsageError
from nlpkit.exporting.gate import speed
from nlpkit.exporting.precision import estimate
from nlpkit.lock import held
from nlpkit.runtime.model import Model
from nlpkit.settings.recipe import Recipe
from nlpkit.settings.sections import Tokenizer
from nlpkit.tasks import Task, minimised, numbers
from nlpkit.training import checkpoint, network, run
from nlpkit.training.descent import Listener
from nlpkit.training.distributed import Team
from nlpkit.training.folder import torch_device
from nlpkit.training.interrupt import Interrupt
from nlpkit.training.judge import chosen_by
from nlpkit.training.loop import Stop
from nlpkit.tuning.space import ARCHITECTURE, Branch

STUDY, OLD = "study.journal", ".best.old"
SPARED = 2  # the first epoch that a trial may be pruned after
IDLE = 100  # candidates in a row turned away untrained: there is nothing left to find
KEPT = 4  # tokenizer settings whose examples stay in memory
PROBED = 500  # dev documents that speed is measured on
STATES = {"complete": TrialState.COMPLETE, "failed": TrialState.FAIL, "stopped": TrialState.FAIL}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a search is asked for; `metric` None is the task's own score."""

    metric: str | None
    deadline: float  # of time.monotonic()
    trials: int | None
    max_bytes: int | None
    min_speed: float | None
    seed: int
    device: str


@dataclass(frozen=True)
class Outcome:
    """What came of a search; `records` are the lines of trials.jsonl."""

    metric: str
    records: list[dict[str, Any]]
    best: dict[str, Any] | None
    interrupted: bool

    def ranking(self) -> list[dict[str, Any]]:
        """Return the complete trials, best first."""
        return ranked(self.records, self.metric)


def ranked(records: Sequence[dict[str, Any]], metric: str) -> list[dict[str, Any]]:
    """Return the complete trials, best first; of equals the earlier, whose run was kept."""
    sign = 1 if minimised(metric) else -1
    done = [record for record in records if record["state"] == "complete"]
    return sorted(done, key=lambda record: sign * record["score"])


class Ended(Exception):
    """A trial that ends without a score: its state and the reason."""

    def __init__(self, state: str, reason: str) -> None:
        self.state = state
        super().__init__(reason)


def tune(
    branches: Sequence[Branch],
    folder: Path,
    settings: Settings,
    *,
    resume: bool,
    listener: Listener,
) -> Outcome:
    """Search until the budget ends, and leave the best run in `folder`.

    Raises:
        UsageError: the folder holds something else, or there is no such metric.
        InputError: the data cannot be used.
        DeviceError: torch cannot use the device.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError("tune runs in one process; start it without torchrun")
    _check_folder(folder, resume)
    corpus = Corpus(branches[0].base, torch_device(settings.device))
    fitting = [branch for branch in branches if corpus.suits(branch)]
    metric = corpus.metric(branches[0].base, settings.metric)
    study = _open_study(folder, fitting, settings, metric)
    with held(folder):
        return Search(study, fitting, folder, settings, metric, corpus, listener).run()


class Corpus:
    """The rows of a recipe, read once, and as examples once for each setting of the tokenizer."""

    def __init__(self, recipe: Recipe, device: str) -> None:
        self.task, self.train, self.dev = run.load(recipe)
        self.alone = Team(0, 1, torch.device(device))
        self.kept: dict[Tokenizer, run.Examples] = {}

    def suits(self, branch: Branch) -> bool:
        """Tell whether a branch's tokenizer can read what the rows hold: texts, or words."""
        texts = all(isinstance(document, str) for document in self.train.documents)
        return texts or branch.base.tokenizer.kind == "words"

    def examples(self, recipe: Recipe) -> run.Examples:
        """Return the examples of a recipe, under its task's own settings."""
        key = recipe.tokenizer
        if key not in self.kept:
            if len(self.kept) == KEPT:
                del self.kept[next(iter(self.kept))]
            rows = (self.task, dataclasses.replace(self.train), self.dev)
            with tempfile.TemporaryDirectory() as scratch:
                self.kept[key] = run.examples(recipe, rows, Path(scratch), self.alone)
        return dataclasses.replace(self.kept[key], task=self._task(recipe))

    def _task(self, recipe: Recipe) -> Task:
        described = self.task.describe() | {"config": dataclasses.asdict(recipe.task.config)}
        return tasks.build({"name": recipe.task.name} | described)

    def model(self, recipe: Recipe) -> Model:
        """Return a recipe's model with fresh weights, on the CPU."""
        made = self.examples(recipe)
        net = network.build(recipe, made.task, made.encoder).eval()
        return Model(recipe.name, made.task, made.encoder, network.TorchRun(net), steps=made.steps)

    def metric(self, recipe: Recipe, asked: str | None) -> str:
        """Return the metric to search by. Raises UsageError where the task has none such."""
        model = self.model(recipe)
        outputs = model.scored(self.dev.documents[:PROBED], self.dev.golds[:PROBED])
        chosen = chosen_by(model.task, recipe.data.choose_by)
        there = [*numbers(model.task.metrics(*outputs, 1.0))]
        there += [] if chosen in there else [chosen]
        if asked and asked not in there:
            raise UsageError(f"--metric {asked}: not one of {', '.join(there)}")
        return asked or chosen


class Search:
    """The loop of trials over one study."""

    def __init__(
        self,
        study: optuna.Study,
        branches: Sequence[Branch],
        folder: Path,
        settings: Settings,
        metric: str,
        corpus: Corpus,
        listener: Listener,
    ) -> None:
        self.study, self.folder, self.settings = study, folder, settings
        self.branches = {branch.name: branch for branch in branches}
        self.metric, self.corpus, self.listener = metric, corpus, listener
        self.interrupt = Interrupt()
        self.part = folder / ".trial"
        self.tried = self.idle = 0

    def run(self) -> Outcome:
        """Try candidates until time, trials or the space end, or somebody interrupts."""
        self.listener({"event": "search", "metric": self.metric, "best": self._best()})
        with self.interrupt:
            while not self.why_end() and self.idle < IDLE and self.tried != self.settings.trials:
                self._try(self.study.ask())
                self.tried += 1
        return Outcome(self.metric, self._records(), self._best(), self.interrupt.asked)

    def why_end(self) -> str:
        """Return why no more is to be trained; nothing while there is time."""
        if self.interrupt.asked:
            return "interrupted"
        return "" if time.monotonic() < self.settings.deadline else "the time was up"

    def _try(self, trial: optuna.Trial) -> None:
        started = time.monotonic()
        record: dict[str, Any] = {"trial": trial.number, "state": "complete", "score": None}
        record |= {"epochs": 0, "size": None, "speed": None, "seconds": 0.0, "reason": ""}
        record |= {"parameters": {}}
        shutil.rmtree(self.part, ignore_errors=True)  # what a killed search left
        try:
            record["score"] = self._score(trial, record)
        except Ended as end:
            record |= {"state": end.state, "reason": str(end)}
        except NlpkitError as problem:
            reason = str(problem).removeprefix("candidate: ")
            record |= {"state": "invalid", "reason": " ".join(reason.split())}
        except OSError:  # a full disk would end every other trial too
            raise
        except Exception as problem:  # one bad candidate must not end a search of hours
            said = (str(problem).splitlines() or [""])[0]
            record |= {"state": "failed", "reason": f"{type(problem).__name__}: {said}"}
        finally:
            shutil.rmtree(self.part, ignore_errors=True)
        record["seconds"] = round(time.monotonic() - started, 1)
        self._tell(trial, record)

    def _score(self, trial: optuna.Trial, record: dict[str, Any]) -> float:
        """Train a candidate and keep it if it is the best. Raises Ended, NlpkitError."""
        branch = self.branches[trial.suggest_categorical(ARCHITECTURE, list(self.branches))]
        record["parameters"] = json.loads(json.dumps(branch.suggest(trial)))
        self.idle += 1
        self._refuse_known(record)
        recipe = branch.recipe(record["parameters"])
        self.listener({"event": "trial", "trial": trial.number, "architecture": branch.name})
        self._measure(trial, recipe, record)
        self.idle = 0
        watch = Watch(self, trial, record)
        summary = run.train(
            recipe,
            self.part,
            device=self.settings.device,
            resume=False,
            listener=watch,
            given=self.corpus.examples(recipe),
        )
        score: float = summary["dev"][self.metric]
        if self._is_best(score):
            _replace(self.folder, self.part)
        return score

    def _refuse_known(self, record: dict[str, Any]) -> None:
        for other in self._records():
            if other["parameters"] == record["parameters"] and other["state"] != "stopped":
                raise Ended("pruned", f"the same as trial {other['trial']}")

    def _measure(self, trial: optuna.Trial, recipe: Recipe, record: dict[str, Any]) -> None:
        """Weigh and time the untrained candidate: training changes neither.

        Raises:
            Ended: it is too large or too slow.
        """
        model = self.corpus.model(recipe)
        size = estimate(model.run.network, weighed(recipe))  # type: ignore[attr-defined]
        record["size"] = size
        if (most := self.settings.max_bytes) is not None:
            trial.set_constraint("size", size / most - 1)
            if size > most:
                raise Ended("infeasible", f"{size / 1e6:.2f}M of at most {most / 1e6:.2f}M")
        # One core by its own clock: a busy machine then rejects nobody who is fast enough.
        torch.set_num_threads(1)
        documents = self.corpus.dev.documents[:PROBED]
        measured = speed(model.run, model, documents, time.thread_time)
        record["speed"] = measured
        if (least := self.settings.min_speed) is not None:
            trial.set_constraint("speed", least / measured - 1)
            if measured < least:
                raise Ended("infeasible", f"{measured:,.0f} of at least {least:,.0f} documents/s")

    def _tell(self, trial: optuna.Trial, record: dict[str, Any]) -> None:
        trial.set_user_attr("record", record)
        state = STATES.get(record["state"], TrialState.PRUNED)
        self.study.tell(trial, record["score"], state=state)
        lines = [json.dumps(line, ensure_ascii=False) + "\n" for line in self._records()]
        checkpoint.save_text(self.folder / "trials.jsonl", "".join(lines))
        best = self._best()
        is_best = best is not None and best["trial"] == record["trial"]
        self.listener({"event": "told", "best": is_best} | record)

    def _is_best(self, score: float) -> bool:
        best = self._best()
        if best is None:
            return True
        return score < best["score"] if minimised(self.metric) else score > best["score"]

    def _best(self) -> dict[str, Any] | None:
        """Return the record of the run in best/."""
        if not (self.folder / "best/run.json").exists():
            return None
        return next(iter(ranked(self._records(), self.metric)), None)

    def _records(self) -> list[dict[str, Any]]:
        there = self.study.get_trials(deepcopy=False)
        return [trial.user_attrs["record"] for trial in there if "record" in trial.user_attrs]


class Watch:
    """The listener of one trial: tells the pruner, and ends what is pruned or out of time."""

    def __init__(self, search: Search, trial: optuna.Trial, record: dict[str, Any]) -> None:
        self.search, self.trial, self.record = search, trial, record

    def __call__(self, event: dict[str, Any]) -> None:
        self.search.listener(event)
        if event["event"] == "epoch":
            self._epoch(event["epoch"], event[f"dev_{self.search.metric}"])
        elif event["event"] != "step":
            return
        if reason := self.search.why_end():
            done = self.record["epochs"]
            if not done:
                raise Ended("stopped", f"{reason} in epoch 1")
            self.record["reason"] = f"{reason} after epoch {done}"
            raise Stop

    def _epoch(self, epoch: int, score: float) -> None:
        self.record["epochs"] = epoch
        self.trial.report(score, epoch)
        if self.trial.should_prune():
            raise Ended("pruned", f"{score:.4f} after epoch {epoch}, worse than the median")


def weighed(recipe: Recipe) -> str:
    """Return the precision whose file is weighed: int8 where the recipe exports it."""
    there = recipe.export.precisions
    return next(name for name in ("int8", "fp32", "fp16") if name in there)


def _check_folder(folder: Path, resume: bool) -> None:
    if not folder.name:
        raise UsageError("--output: name a folder for the search, such as runs/tuned")
    begun = (folder / STUDY).exists()
    if begun and not resume:
        raise UsageError(
            f"{folder} already holds a search: --resume continues it; or choose another --output"
        )
    if not begun and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} holds something else than a search; choose another --output")


def _open_study(
    folder: Path, branches: Sequence[Branch], settings: Settings, metric: str
) -> optuna.Study:
    """Begin a search with the recipe as it is and each architecture's defaults, or continue one.

    Raises:
        UsageError: it was begun with another recipe or other options.
        ModelError: its journal is damaged.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    _recover(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(folder / STUDY))),
            study_name="tune",
            direction="minimize" if minimised(metric) else "maximize",
            pruner=optuna.pruners.MedianPruner(n_warmup_steps=SPARED),
            load_if_exists=True,
        )
    except ValueError as problem:
        raise ModelError(f"{folder / STUDY}: damaged ({problem}); search anew elsewhere") from None
    except OSError as problem:
        raise UsageError(f"{folder}: {problem.strerror}; choose another --output") from None
    # A seed alone would draw once more what was drawn before the search was interrupted.
    study.sampler = TPESampler(seed=settings.seed + len(study.trials))
    _recognise(study, folder, branches, settings, metric)
    # What was killed or stopped then is tried again now.
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)
    last = study.trials[-1].user_attrs.get("record", {}) if study.trials else {}
    if last.get("state") == "stopped" and last["score"] is None:
        study.enqueue_trial(study.trials[-1].params)
    if study.get_trials(states=(TrialState.COMPLETE,)) and not (folder / "best").exists():
        raise UsageError(f"{folder / 'best'} is gone; search anew with another --output")
    if not study.trials:
        for branch in branches:
            study.enqueue_trial(branch.first())
    return study


def _recognise(
    study: optuna.Study,
    folder: Path,
    branches: Sequence[Branch],
    settings: Settings,
    metric: str,
) -> None:
    asked = {
        "the recipe or --set": branches[0].base.to_dict(),
        "--arch": sorted(branch.name for branch in branches),
        "--metric": metric,
        "--max-size": settings.max_bytes,
        "--min-speed": settings.min_speed,
        "what may be tuned": {branch.name: [*map(str, branch.knobs)] for branch in branches},
    }
    asked = json.loads(json.dumps(asked))
    before = study.user_attrs.get("asked", asked)
    if differing := [name for name in asked if asked[name] != before.get(name)]:
        raise UsageError(
            f"{folder} was searched otherwise ({', '.join(differing)}); choose another --output"
        )
    study.set_user_attr("asked", asked)


def _replace(folder: Path, new: Path) -> None:
    """Put a run in the place of best/; whenever this is killed, one of the two is whole."""
    best, old = folder / "best", folder / OLD
    if best.exists():
        os.replace(best, old)
    os.replace(new, best)
    shutil.rmtree(old, ignore_errors=True)


def _recover(folder: Path) -> None:
    """Finish or undo what `_replace` was killed in."""
    if not (folder / "best").exists() and (folder / OLD).exists():
        os.replace(folder / OLD, folder / "best")
    shutil.rmtree(folder / OLD, ignore_errors=True)
