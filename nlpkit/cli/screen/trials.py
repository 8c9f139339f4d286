"""Show the progress of a search: a line for each trial, a live bar, and the best at the end."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, TextColumn
from rich.text import Text

from nlpkit.cli.screen.live import Live
from nlpkit.cli.screen.training import duration
from nlpkit.training.events import Progress
from nlpkit.tuning.events import Searching, Tried, Trying
from nlpkit.wording import plural

if TYPE_CHECKING:
    from nlpkit.tuning.space import Branch
    from nlpkit.tuning.trial import Outcome, Trial

SHOWN = 5
SHOWN_FIRST = ("complete", "pruned", "infeasible", "invalid")  # states counted before others
STYLES = {"complete": "", "pruned": "dim"}


class TrialsProgress(Live):
    """A listener of search events that draws on stderr; `deadline` is a `time.monotonic()`."""

    def __init__(self, branches: Sequence[Branch], *, deadline: float, quiet: bool) -> None:
        self.branches, self.deadline = branches, deadline
        self.started = time.monotonic()
        super().__init__(
            (0, TextColumn("{task.description}", markup=False)),
            (96, BarColumn(bar_width=24)),
            (72, TextColumn("{task.fields[best]}", markup=False)),
            (0, TextColumn("{task.fields[left]} left", style="dim")),
            quiet=quiet,
            handlers={
                Searching: self._search,
                Trying: self._trial,
                Progress: self._progress,
                Tried: self._tried,
            },
        )
        self.task = self.bar.add_task("reading", total=deadline - self.started, best="", left="-")
        self.best = self.now = ""
        self.width = 7  # width of the score's column

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def __call__(self, event: object) -> None:
        super().__call__(event)
        passed = time.monotonic() - self.started
        left = duration(max(self.deadline - time.monotonic(), 0))
        self.bar.update(
            self.task, completed=passed, description=self.now, best=self.best, left=left
        )

    def finish(self, outcome: Outcome, folder: Path) -> None:
        """Print the best trials and the next command."""
        ranking = outcome.ranking()[:SHOWN]
        counts: dict[str, int] = dict.fromkeys(SHOWN_FIRST, 0)
        for trial in outcome.trials:
            counts[trial.state] = counts.get(trial.state, 0) + 1
        states = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        ended = "interrupted; " if outcome.interrupted else ""
        self.console.print(
            f"\n{ended}{plural(len(outcome.trials), 'trial')}: {states or 'none'}", markup=False
        )
        for trial in ranking:
            self._print(_line(trial, self.width))
            self._settings(trial)
        if outcome.best:
            self._next(outcome.best, outcome.metric, folder)

    def _settings(self, trial: Trial) -> None:
        """Print the settings of a trial as KEY=VALUE, for --set."""
        shown = [
            f"{key.removeprefix('architecture.')}={_plain(value)}"
            for key, value in trial.parameters.items()
            if key != "architecture.name"
        ]
        text = Text(" ".join(shown), style="dim")
        for line in text.wrap(self.console, max(self.console.width - 7, 40)):
            self.console.print(Text("       ") + line)

    def _next(self, best: Trial, metric: str, folder: Path) -> None:
        run = shlex.quote(str(folder / "best"))
        export = shlex.quote(f"export/{self.branches[0].base.name}")
        self.console.print(
            f"best: trial {best.number}, dev {metric} {best.score:.4f}; its run and "
            f"recipe are in {run}\n"
            f"next: nlpkit evaluate {run} TEST.jsonl\n"
            f"      nlpkit export {run} --output {export}",
            markup=False,
        )

    def _search(self, event: Searching) -> None:
        self._space()
        self.width = max(self.width, len(event.metric))
        head = f"{'trial':>5}  {'architecture':<12} {event.metric:>{self.width}} {'size':>7} "
        self.console.print(Text(f"{head}{'docs/s':>8} {'time':>7}", style="bold"))
        if event.best:
            self._remember(event.best)

    def _space(self) -> None:
        """Print the settings that are searched; --set fixes one."""
        common: list[str] = []
        for branch in self.branches:
            own = [str(knob) for knob in branch.knobs if knob.key.startswith("architecture.")]
            self._say(f"{branch.name}: ", own)
            for knob in branch.knobs:
                section = knob.key.partition(".")[0]
                if section != "architecture" and f"{section}.{knob}" not in common:
                    common.append(f"{section}.{knob}")
        self._say("all: ", common)

    def _say(self, name: str, knobs: list[str]) -> None:
        text = Text(f"{name}{', '.join(knobs) or 'nothing to tune'}", style="dim")
        for line in text.wrap(self.console, self.console.width):
            self.console.print(line)

    def _trial(self, event: Trying) -> None:
        self.now = f"trial {event.number} {event.architecture}"

    def _progress(self, event: Progress) -> None:
        head = self.now.partition(", ")[0]
        self.now = f"{head}, epoch {event.epoch} {event.done / event.of:.0%}"

    def _tried(self, event: Tried) -> None:
        if event.best:
            self._remember(event.trial)
        self._print(_line(event.trial, self.width, best=event.best))

    def _print(self, line: Text) -> None:
        """Print a line, wrapped between words on a terminal only."""
        self.console.print(line, soft_wrap=not self.console.is_terminal)

    def _remember(self, trial: Trial) -> None:
        self.best = f"best {trial.score:.4f} (trial {trial.number})"


def _line(trial: Trial, width: int, *, best: bool = False) -> Text:
    score = "-" if trial.score is None else f"{trial.score:.4f}"
    size = "-" if trial.size is None else f"{trial.size / 1e6:.2f}M"
    speed = "-" if trial.speed is None else f"{trial.speed:,.0f}"
    name = trial.parameters.get("architecture.name", "-")
    notes = [trial.reason] if trial.state == "complete" else [trial.state, trial.reason]
    mark = " *" if best else ""
    return Text(
        f"{trial.number:>5}  {name:<12} {score:>{width}} {size:>7} {speed:>8} "
        f"{duration(trial.seconds):>7}{mark}  {': '.join(filter(None, notes))}".rstrip(),
        style=STYLES.get(trial.state, "yellow"),
    )


def _plain(value: Any) -> str:
    return str(value).replace(" ", "").lower() if isinstance(value, (bool, list)) else f"{value}"
