"""A search as a person sees it: a line a candidate, under them a live bar, at the end the best."""

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

if TYPE_CHECKING:
    from nlpkit.tuning.search import Outcome
    from nlpkit.tuning.space import Branch

SHOWN = 5
STYLES = {"complete": "", "pruned": "dim"}


class TrialsProgress(Live):
    """A listener of a search that draws on stderr."""

    def __init__(self, branches: Sequence[Branch], *, deadline: float, quiet: bool) -> None:
        self.branches, self.deadline = branches, deadline
        self.started = time.monotonic()
        super().__init__(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[best]}", markup=False),
            TextColumn("{task.fields[left]} left", style="dim"),
            quiet=quiet,
        )
        self.task = self.bar.add_task("reading", total=deadline - self.started, best="", left="-")
        self.best = self.now = ""
        self.width = 7  # of a score's column

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def __call__(self, event: dict[str, Any]) -> None:
        getattr(self, f"_{event['event']}", self._other)(event)
        passed = time.monotonic() - self.started
        left = duration(max(self.deadline - time.monotonic(), 0))
        self.bar.update(
            self.task, completed=passed, description=self.now, best=self.best, left=left
        )

    def finish(self, outcome: Outcome, folder: Path) -> None:
        """Say which were the best and what to run next."""
        ranking = outcome.ranking()[:SHOWN]
        counts = {state: 0 for state in ("complete", "pruned", "infeasible", "invalid")}
        for record in outcome.records:
            counts[record["state"]] = counts.get(record["state"], 0) + 1
        said = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        ended = "interrupted; " if outcome.interrupted else ""
        self.console.print(
            f"\n{ended}{len(outcome.records)} trials: {said or 'none'}", markup=False
        )
        for record in ranking:
            self.console.print(_line(record, self.width), soft_wrap=True)
            self._settings(record)
        if outcome.best:
            self._next(outcome, folder)

    def _settings(self, record: dict[str, Any]) -> None:
        """Print what a candidate is, as words that --set takes."""
        shown = [
            f"{key.removeprefix('architecture.')}={_plain(value)}"
            for key, value in record["parameters"].items()
            if key != "architecture.name"
        ]
        text = Text(" ".join(shown), style="dim")
        for line in text.wrap(self.console, max(self.console.width - 7, 40)):
            self.console.print(Text("       ") + line)

    def _next(self, outcome: Outcome, folder: Path) -> None:
        best = outcome.best or {}
        run = shlex.quote(str(folder / "best"))
        name = self.branches[0].base.name
        self.console.print(
            f"best: trial {best['trial']}, dev {outcome.metric} {best['score']:.4f}; its run and "
            f"recipe are in {run}\n"
            f"next: nlpkit evaluate {run} TEST.jsonl\n"
            f"      nlpkit export {run} --output export/{name}",
            markup=False,
        )

    def _search(self, event: dict[str, Any]) -> None:
        self._space()
        self.width = max(self.width, len(event["metric"]))
        head = f"{'trial':>5}  {'architecture':<12} {event['metric']:>{self.width}} {'size':>7} "
        self.console.print(Text(f"{head}{'docs/s':>8} {'time':>7}", style="bold"))
        if event["best"]:
            self._remember(event["best"])

    def _space(self) -> None:
        """Say what is searched; --set takes any of it out."""
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

    def _trial(self, event: dict[str, Any]) -> None:
        self.now = f"trial {event['trial']} {event['architecture']}"

    def _step(self, event: dict[str, Any]) -> None:
        head = self.now.partition(", ")[0]
        self.now = f"{head}, epoch {event['epoch']} {event['step'] / event['steps']:.0%}"

    def _other(self, event: dict[str, Any]) -> None:
        """Events of training that say nothing about the search."""

    def _told(self, event: dict[str, Any]) -> None:
        if event["best"]:
            self._remember(event)
        self.console.print(_line(event, self.width), soft_wrap=True)

    def _remember(self, record: dict[str, Any]) -> None:
        self.best = f"best {record['score']:.4f} (trial {record['trial']})"


def _line(record: dict[str, Any], width: int) -> Text:
    score = "-" if record["score"] is None else f"{record['score']:.4f}"
    size = "-" if record["size"] is None else f"{record['size'] / 1e6:.2f}M"
    speed = "-" if record["speed"] is None else f"{record['speed']:,.0f}"
    name = record["parameters"].get("architecture.name", "-")
    said = [record["state"]] * (record["state"] != "complete") + [record["reason"]]
    mark = " *" if record.get("best") else ""
    return Text(
        f"{record['trial']:>5}  {name:<12} {score:>{width}} {size:>7} {speed:>8} "
        f"{duration(record['seconds']):>7}{mark}  {': '.join(filter(None, said))}".rstrip(),
        style=STYLES.get(record["state"], "yellow"),
    )


def _plain(value: Any) -> str:
    return str(value).replace(" ", "").lower() if isinstance(value, (bool, list)) else f"{value}"
