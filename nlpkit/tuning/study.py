"""The Optuna study of a search, stored in a journal of JSON lines that --resume continues."""

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

SPARED = 2  # the first epoch after which a trial may be pruned
RECORD = "record"  # the user attribute of Optuna's trials that holds `Trial.to_dict()`


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The options of a search; with `metric` None the task's own score is used."""

    metric: str | None
    deadline: float  # seconds, on the clock of time.monotonic()
    trials: int | None
    max_bytes: int | None
    min_speed: float | None
    seed: int
    device: str


@contextmanager
def quiet() -> Iterator[None]:
    """Make Optuna log errors only within the context, for the whole process."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(verbosity)


def open_study(
    folder: Path, branches: Sequence[Branch], settings: Settings, metric: str
) -> optuna.Study:
    """Open the study in a folder, or create one that first tries each branch's base recipe.

    Raises:
        UsageError: the study was created with another recipe or other options.
        ModelError: its journal is damaged.
    """
    study = _load(folder, minimised(metric))
    # With the seed alone, a resumed search would draw the same candidates again.
    study.sampler = TPESampler(seed=settings.seed + len(study.trials))
    _recognise(study, folder, branches, settings, metric)
    _try_again(study)
    if study.get_trials(states=(TrialState.COMPLETE,)) and not (folder / folders.BEST).exists():
        raise UsageError(
            f"{folder / folders.BEST} is missing; start a new search with another --output"
        )
    if not study.trials:
        for branch in branches:
            study.enqueue_trial(branch.first())
    return study


def records(study: optuna.Study) -> list[Trial]:
    """Return the trials that have ended, in order."""
    trials = study.get_trials(deepcopy=False)
    return [
        Trial.from_dict(trial.user_attrs[RECORD]) for trial in trials if RECORD in trial.user_attrs
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
        raise ModelError(
            f"{journal}: damaged ({problem}); start a new search with another --output"
        ) from None
    except OSError as problem:
        raise UsageError(f"{folder}: {problem.strerror}; choose another --output") from None


def _try_again(study: optuna.Study) -> None:
    """Enqueue again the trial that was running or stopped when the search ended."""
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
    stored = study.user_attrs.get("asked", asked)
    if differing := [name for name in asked if asked[name] != stored.get(name)]:
        raise UsageError(
            f"{folder} holds a search with other settings ({', '.join(differing)}); repeat its "
            "options, or choose another --output"
        )
    study.set_user_attr("asked", asked)
