"""Search for a better recipe: Optuna proposes candidates, each is trained, until time is up."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import optuna
from optuna.trial import TrialState

from nlpkit.errors import NlpkitError, UsageError
from nlpkit.lock import held
from nlpkit.metrics import minimised
from nlpkit.settings.recipe import Recipe
from nlpkit.training import run
from nlpkit.training.events import EpochEnded, Event, Progress, Stop
from nlpkit.training.folder import torch_device
from nlpkit.training.interrupt import Interrupt
from nlpkit.training.summary import RUN
from nlpkit.tuning import corpus as corpora, folder as folders, study as studies
from nlpkit.tuning.corpus import Corpus
from nlpkit.tuning.events import Listener, Searching, Tried, Trying
from nlpkit.tuning.space import ARCHITECTURE, Branch
from nlpkit.tuning.study import Settings
from nlpkit.tuning.trial import Ended, Outcome, Trial, ranked

IDLE = 100  # candidates rejected untrained in a row that end the search: the space is exhausted
STATES = {"complete": TrialState.COMPLETE, "failed": TrialState.FAIL, "stopped": TrialState.FAIL}


def tune(
    branches: Sequence[Branch],
    folder: Path,
    settings: Settings,
    *,
    resume: bool,
    listener: Listener,
) -> Outcome:
    """Search until the budget ends; the best run so far is in `folder`/best.

    Raises:
        UsageError: the folder holds other files, or the metric does not exist.
        InputError: the data cannot be used.
        DeviceError: torch cannot use the device.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError("tune runs in one process; start it without torchrun")
    folders.check(folder, resume)
    corpus = Corpus(branches[0].base, torch_device(settings.device))
    suitable = [branch for branch in branches if corpus.suits(branch)]
    metric = corpus.metric(branches[0].base, settings.metric)
    folders.recover(folder)
    with studies.quiet():
        study = studies.open_study(folder, suitable, settings, metric)
        with held(folder):
            return Search(study, suitable, folder, settings, metric, corpus, listener).run()


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
        """Try candidates until time, trials or the space are exhausted, or the user interrupts."""
        self.listener(Searching(self.metric, self._best()))
        with self.interrupt:
            while not self.why_end() and self.idle < IDLE and self.tried != self.settings.trials:
                self._try(self.study.ask())
                self.tried += 1
        return Outcome(self.metric, self._trials(), self._best(), self.interrupt.asked)

    def why_end(self) -> str:
        """Return why the search must end, or "" while it may go on."""
        if self.interrupt.asked:
            return "interrupted"
        return "" if time.monotonic() < self.settings.deadline else "the time was up"

    def _try(self, asked: optuna.Trial) -> None:
        started = time.monotonic()
        trial = Trial(number=asked.number)
        shutil.rmtree(self.part, ignore_errors=True)  # a killed search leaves one
        try:
            trial.score = self._score(asked, trial)
        except Ended as end:
            trial.state, trial.reason = end.state, str(end)
        except NlpkitError as problem:
            reason = str(problem).removeprefix("candidate: ")
            trial.state, trial.reason = "invalid", " ".join(reason.split())
        except OSError:  # a full disk would fail every other trial as well
            raise
        except Exception as problem:  # one bad candidate must not end a search of hours
            first_line = (str(problem).splitlines() or [""])[0]
            trial.state, trial.reason = "failed", f"{type(problem).__name__}: {first_line}"
        finally:
            shutil.rmtree(self.part, ignore_errors=True)
        trial.seconds = round(time.monotonic() - started, 1)
        self._tell(asked, trial)

    def _score(self, asked: optuna.Trial, trial: Trial) -> float:
        """Train a candidate, keep its run if it is the best so far, and return its score.

        Raises:
            Ended: the candidate is a duplicate, infeasible, pruned or stopped.
            NlpkitError: the candidate is invalid.
        """
        branch = self.branches[asked.suggest_categorical(ARCHITECTURE, list(self.branches))]
        trial.parameters = json.loads(json.dumps(branch.suggest(asked)))
        self.idle += 1
        self._refuse_known(trial)
        recipe = branch.recipe(trial.parameters)
        self.listener(Trying(trial.number, branch.name))
        self._measure(asked, recipe, trial)
        self.idle = 0
        summary = run.train(
            recipe,
            self.part,
            device=self.settings.device,
            resume=False,
            listener=Watch(self, asked, trial),
            given=self.corpus.examples(recipe),
        )
        assert summary, "only processes other than the leader return None"
        score: float = summary.dev[self.metric]
        if self._is_best(score):
            folders.replace(self.folder, self.part)
        return score

    def _refuse_known(self, trial: Trial) -> None:
        for other in self._trials():
            if other.parameters == trial.parameters and other.state != "stopped":
                raise Ended("pruned", f"the same as trial {other.number}")

    def _measure(self, asked: optuna.Trial, recipe: Recipe, trial: Trial) -> None:
        """Measure size and speed of the untrained candidate; training changes neither.

        Raises:
            Ended: the candidate is too large or too slow.
        """
        model = self.corpus.model(recipe)
        trial.size = size = corpora.size(model, recipe)
        if (most := self.settings.max_bytes) is not None:
            asked.set_constraint("size", size / most - 1)
            if size > most:
                raise Ended("infeasible", f"{size / 1e6:.2f}M, at most {most / 1e6:.2f}M allowed")
        trial.speed = speed = self.corpus.speed(model)
        if (least := self.settings.min_speed) is not None:
            asked.set_constraint("speed", least / speed - 1)
            if speed < least:
                reason = f"{speed:,.0f} documents/s, at least {least:,.0f} required"
                raise Ended("infeasible", reason)

    def _tell(self, asked: optuna.Trial, trial: Trial) -> None:
        asked.set_user_attr(studies.RECORD, trial.to_dict())
        state = STATES.get(trial.state, TrialState.PRUNED)
        self.study.tell(asked, trial.score, state=state)
        folders.write(self.folder, self._trials())
        best = self._best()
        self.listener(Tried(trial, best is not None and best.number == trial.number))

    def _is_best(self, score: float) -> bool:
        best = self._best()
        if best is None or best.score is None:
            return True
        return score < best.score if minimised(self.metric) else score > best.score

    def _best(self) -> Trial | None:
        """Return the trial whose run is in best/, or None."""
        if not (self.folder / folders.BEST / RUN).exists():
            return None
        return next(iter(ranked(self._trials(), self.metric)), None)

    def _trials(self) -> list[Trial]:
        return studies.records(self.study)


class Watch:
    """The listener of one trial: report scores to the pruner, end the trial if pruned or late."""

    def __init__(self, search: Search, asked: optuna.Trial, trial: Trial) -> None:
        self.search, self.asked, self.trial = search, asked, trial

    def __call__(self, event: Event) -> None:
        self.search.listener(event)
        if isinstance(event, EpochEnded):
            self._report(event.epoch, event.scores[self.search.metric])
        elif not isinstance(event, Progress):
            return
        if reason := self.search.why_end():
            done = self.trial.epochs
            if not done:
                raise Ended("stopped", f"{reason} in epoch 1")
            self.trial.reason = f"{reason} after epoch {done}"
            raise Stop

    def _report(self, epoch: int, score: float) -> None:
        self.trial.epochs = epoch
        self.asked.report(score, epoch)
        if self.asked.should_prune():
            raise Ended("pruned", f"{score:.4f} after epoch {epoch}, worse than the median")
