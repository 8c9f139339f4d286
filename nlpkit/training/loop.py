"""The training loop: steps, checkpoints, evaluations on dev, and the best weights.

All that determines the weights (order, crops, masks, dropout, rates, moments) depends on the seed
and the checkpoint only, so a resumed run ends with the weights of an uninterrupted one.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Generic

from nlpkit.errors import NlpkitError, UsageError, quoted
from nlpkit.training import checkpoint
from nlpkit.training.course import B, Course, Forward, Look
from nlpkit.training.distributed import Team
from nlpkit.training.events import Listener, Progress, Stop
from nlpkit.training.interrupt import Interrupt
from nlpkit.training.state import State

REPORT_EVERY = 0.25  # seconds between two Progress events
LEAST_LOOKS = 2  # least evaluations without a better score before a run stops; one may be noise


class Loop(Generic[B]):
    """One run of a course in a folder."""

    def __init__(self, course: Course[B], folder: Path, team: Team, listener: Listener) -> None:
        self.course, self.folder, self.team, self.listener = course, folder, team, listener
        self.descent = course.descent(team.device)
        self.state = State(data=course.digest(), world=team.world)
        self.started = time.monotonic()
        self.pace = Pace()

    def resume(self) -> None:
        """Continue from the folder's checkpoint.

        Raises:
            ModelError: the checkpoint is damaged.
            UsageError: the data or the number of processes has changed.
        """
        path = self.folder / checkpoint.LAST
        tensors, stored = checkpoint.load_tensors(path)
        if stored.get("data", "") != self.state.data:
            raise UsageError(
                f"{quoted(path)}: written on other training data, or by an earlier version; "
                "train into a new folder"
            )
        self.descent.restore(path, tensors, stored, self.team)
        self.state = State.restored(stored, self.course.look_every)

    def run(self) -> State:
        """Train until the last step, until patience ends, or until a listener raises Stop.

        Raises:
            KeyboardInterrupt: the user interrupted; a checkpoint was saved.
            NlpkitError: the loss is not finite.
        """
        wrapped = self.team.wrap(self.descent.network)
        wrapped.train()
        forward = self.descent.forward(wrapped)
        self.pace = Pace()
        with Interrupt() as interrupt, suppress(Stop):
            if self._look_is_due and self.state.losses:  # the checkpoint precedes its evaluation
                self._look()
            while not self._finished:
                self._run_epoch(forward, interrupt)
        return self.state

    @property
    def seconds(self) -> float:
        """The seconds of the run so far, before and after resuming."""
        return self.state.seconds + time.monotonic() - self.started

    @property
    def _finished(self) -> bool:
        return self.state.step >= self.course.steps or self._patience_is_over

    @property
    def _patience_is_over(self) -> bool:
        """Whether dev has not improved for `patience` steps and LEAST_LOOKS evaluations."""
        looks = self.state.looks - self.state.best_look
        steps = looks * self.course.look_every
        return looks >= LEAST_LOOKS and 0 < self.course.patience <= steps

    @property
    def _look_is_due(self) -> bool:
        step = self.state.step
        return step % self.course.look_every == 0 or step >= self.course.steps

    def _run_epoch(self, forward: Forward, interrupt: Interrupt) -> None:
        state, course = self.state, self.course
        for batch in course.batches(state.epoch, state.place):
            state.loss_sum += self._step(forward, batch)
            state.losses += 1
            state.step += 1
            state.place += 1
            self.pace.count(course.count(batch) * self.team.world)
            if self.pace.is_due:
                self._report()
            looked = self._look_is_due
            if looked:
                self._look()
                if self._finished:
                    return
            asked = bool(self.team.agree([float(interrupt.asked)])[0])
            if not looked and (asked or state.step % course.checkpoint_steps == 0):
                self._save()
            if asked:
                self._report()  # the listener may raise Stop
                raise KeyboardInterrupt
        state.epoch, state.place = state.epoch + 1, 0

    def _step(self, forward: Forward, batch: B) -> float:
        step = self.state.step
        self.descent.set_rate(step, self.course.steps, self.state.epoch)
        loss = self.course.loss(forward, batch, step)
        self.descent.step(loss)
        value = float(loss.detach())
        if not math.isfinite(value):
            section = self.course.section
            raise NlpkitError(
                f"the loss is {value} at step {step + 1}, in epoch {self.state.epoch + 1}: "
                f"lower {section}.lr, or set {section}.clip"
            )
        return value

    def _look(self) -> None:
        """Evaluate on dev, store the weights if they are the best, write the checkpoint."""
        state, course = self.state, self.course
        speed, scores = self.pace.speed, {course.decides: 0.0}
        if self.team.leads:
            scores = dict(course.look(self.descent.forward(self.descent.network)))
            if course.decides not in scores:
                raise UsageError(
                    f"the score {course.decides!r} is not measured, only {', '.join(scores)}"
                )
        (score,) = self.team.agree([scores[course.decides]])
        best = state.best is None or (
            score > state.best if course.larger_is_better else score < state.best
        )
        look = Look(
            epoch=state.epoch + 1,
            step=state.step,
            loss=state.loss,
            scores=scores,
            best=best,
            speed=speed,
            seconds=self.seconds,
        )
        if best:
            state.best = score
            if self.team.leads:
                course.keep(self.folder, look)
        state.loss_sum, state.losses = 0.0, 0
        event = course.event(look)
        state.history.append(event.line())
        self._save()
        if self.team.leads:
            self.listener(event)
        self.pace = Pace()

    def _save(self) -> None:
        state = asdict(self.state) | {"seconds": self.seconds}
        self.descent.save(self.folder, self.team, state)

    def _report(self) -> None:
        if not self.team.leads:
            return
        self.pace.reported = time.monotonic()
        state, course = self.state, self.course
        done, of = course.progress(state.step)
        self.listener(
            Progress(
                epoch=state.epoch + 1,
                done=done,
                of=of,
                loss=state.loss,
                speed=self.pace.speed,
                unit=course.unit,
                seconds_left=(course.steps - state.step) * self.pace.seconds_a_step,
            )
        )


class Pace:
    """The speed since the last evaluation, and the time of the last Progress event."""

    def __init__(self) -> None:
        self.since, self.reported = time.monotonic(), 0.0
        self.seen = self.steps = 0

    def count(self, seen: int) -> None:
        """Add one step of `seen` units."""
        self.seen += seen
        self.steps += 1

    @property
    def is_due(self) -> bool:
        """Whether the next Progress event is due."""
        return time.monotonic() - self.reported > REPORT_EVERY

    @property
    def speed(self) -> float:
        """Units a second."""
        return self.seen / max(time.monotonic() - self.since, 1e-9)

    @property
    def seconds_a_step(self) -> float:
        """Seconds a step; 0 before the first."""
        return (time.monotonic() - self.since) / self.steps if self.steps else 0.0
