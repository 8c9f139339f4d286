"""Optuna's study of a search, in a journal of JSON lines that --resume continues."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from nlpkit.errors import ModelError, UsageError
from nlpkit.metrics import minimised
from nlpkit.tuning import folder as folders
from nlpkit.tuning.space import Branch
from nlpkit.tuning.trial import Trial

SPARED = 2  # the first epoch that a trial may be pruned after
RECORD = "record"  # the attribute of Optuna's trials that holds ours


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


@contextmanager
def quiet() -> Iterator[None]:
    """Let Optuna log errors only meanwhile, a flag of the whole process."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def open_study(
    folder: Path, branches: Sequence[Branch], settings: Settings, metric: str
) -> optuna.Study:
    """Begin a search with the recipe as it is and each architecture's defaults, or continue one.

    Raises:
        UsageError: it was begun with another recipe or other options.
        ModelError: its journal is damaged.
    """
    study = _load(folder, minimised(metric))
    # A seed alone would draw once more what was drawn before the search was interrupted.
    study.sampler = TPESampler(seed=settings.seed + len(study.trials))
    _recognise(study, folder, branches, settings, metric)
    _try_again(study)
    if study.get_trials(states=(TrialState.COMPLETE,)) and not (folder / folders.BEST).exists():
        raise UsageError(f"{folder / folders.BEST} is gone; search anew with another --output")
    if not study.trials:
        for branch in branches:
            study.enqueue_trial(branch.first())
    return study


def records(study: optuna.Study) -> list[Trial]:
    """Return the trials that have ended, in their order."""
    there = study.get_trials(deepcopy=False)
    return [
        Trial.from_dict(trial.user_attrs[RECORD]) for trial in there if RECORD in trial.user_attrs
    ]


def _load(folder: Path, minimise: bool) -> optuna.Study:
    journal = folder / folders.STUDY
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(journal))),
            study_name="tune",
            direction="minimize" if minimise else "maximize",
            pruner=optuna.pruners.MedianPruner(n_warmup_steps=SPARED),
            load_if_exists=True,
        )
    except ValueError as problem:
        raise ModelError(f"{journal}: damaged ({problem}); search anew elsewhere") from None
    except OSError as problem:
        raise UsageError(f"{folder}: {problem.strerror}; choose another --output") from None


def _try_again(study: optuna.Study) -> None:
    """Enqueue what was killed or stopped when the search ended."""
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)
    last = study.trials[-1].user_attrs.get(RECORD) if study.trials else None
    if last and last["state"] == "stopped" and last["score"] is None:
        study.enqueue_trial(study.trials[-1].params)


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
