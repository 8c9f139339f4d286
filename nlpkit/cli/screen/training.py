"""Show the progress of training: a live bar on a terminal, and a line for each epoch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from time import monotonic
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn

from nlpkit.cli.screen.console import Console
from nlpkit.cli.screen.live import Live
from nlpkit.metrics import numbers
from nlpkit.training.events import Asked, EpochEnded, Evaluated, Progress, Started, Warned
from nlpkit.wording import plural

if TYPE_CHECKING:
    from nlpkit.training.summary import PretrainingSummary, RunSummary

FEW = 5000  # documents
LABELS = 20  # most labels that are counted on the screen
EVERY = 60  # seconds between lines in a log, where no bar is drawn
# docs/train-your-own.md has the figures.
HINT = (
    "few documents: with 1,500, '--init base' in place of --arch had a mean macro-F1 of 0.63 in "
    "our tests, ngrams 0.58; it starts from a pretrained encoder and takes some minutes"
)


class TrainingProgress(Live):
    """A listener of training events that draws on stderr."""

    def __init__(self, *, quiet: bool) -> None:
        super().__init__(
            (0, TextColumn("epoch {task.fields[epoch]}")),
            (105, BarColumn(bar_width=24)),
            (0, MofNCompleteColumn()),
            (60, TextColumn("loss {task.fields[loss]:.4f}")),
            (80, TextColumn("{task.fields[best]}")),
            (60, TextColumn("{task.fields[speed]}")),
            (0, TextColumn("{task.fields[left]} left", style="dim")),
            quiet=quiet,
            handlers={
                Asked: self._asked,
                Warned: self._warned,
                Started: self._start,
                Progress: self._progress,
                EpochEnded: self._epoch,
                Evaluated: self._evaluation,
            },
        )
        self.task: TaskID | None = None
        self.best = "dev -"
        self.told = monotonic()

    def finish(self, summary: RunSummary, folder: Path) -> None:
        """Print the scores and the next command."""
        if "per_class" in summary.dev:
            self._warn_of_silent_labels(summary.dev["per_class"])
        shown = [f"{key} {value:.4f}" for key, value in numbers(summary.dev).items()]
        self.console.print(
            f"best epoch {summary.best_epoch} of {summary.epochs}: dev {' '.join(shown)}\n"
            f"next: nlpkit export {quote(str(folder))} --output {quote(f'export/{summary.name}')}",
            markup=False,
        )

    def _warned(self, event: Warned) -> None:
        console = Console(stderr=True, highlight=False, soft_wrap=True)  # printed with --quiet too
        console.print(f"nlpkit: {event.message}", markup=False)

    def _warn_of_silent_labels(self, per_class: Mapping[str, Any]) -> None:
        """Print the labels that the model never predicts correctly, as happens with few rows."""
        missed = [label for label, row in per_class.items() if row["support"] and not row["f1"]]
        if missed:
            self.console.print(
                f"never predicted correctly on dev: {', '.join(missed)}. "
                "More rows or epochs may help",
                style="yellow",
                markup=False,
            )

    def finish_pretraining(self, summary: PretrainingSummary, folder: Path) -> None:
        """Print the loss and the next command."""
        loss = summary.dev.get("dev_loss")
        measured = f": dev loss {loss:.4f}" if loss is not None else ""
        self.console.print(
            f"{summary.objective} of {plural(summary.parameters, 'parameter')}{measured}\n"
            f"next: nlpkit train RECIPE --init {quote(str(folder))} --output runs/NAME",
            markup=False,
        )

    def _asked(self, event: Asked) -> None:
        if not event.done:
            self.console.print(f"labelling {plural(event.of, 'text')} with {event.teacher}")

    def _start(self, event: Started) -> None:
        size = f" ({plural(event.tokens, 'token')})" if event.tokens is not None else ""
        self.console.print(
            f"{plural(event.documents, 'document')}{size} to train on, {event.dev:,} dev; "
            f"{plural(event.parameters, 'parameter')}, {plural(event.vocab_size, 'piece')}"
        )
        if event.labels:
            shown = [f"{label} {n:,}" for label, n in event.labels[:LABELS]]
            rest = ["…"] if len(event.labels) > LABELS else []
            self.console.print(f"labels: {', '.join(shown + rest)}", markup=False)
        if event.from_scratch and event.documents <= FEW:
            self.console.print(HINT, style="yellow", markup=False)

    def _progress(self, event: Progress) -> None:
        fields: dict[str, Any] = {
            "epoch": event.epoch,
            "loss": event.loss,
            "speed": f"{event.speed:,.0f} {event.unit}/s",
            "left": duration(event.seconds_left),
            "best": self.best,
        }
        if self.task is None:
            self.task = self.bar.add_task("", total=event.of, **fields)
        self.bar.update(self.task, completed=event.done, **fields)
        if not self.console.is_terminal and monotonic() - self.told >= EVERY:
            self.told = monotonic()
            self.console.print(
                f"step {event.done:,} of {event.of:,}  loss {event.loss:.4f}  "
                f"{fields['speed']}  {fields['left']} left"
            )

    def _epoch(self, event: EpochEnded) -> None:
        score = f"dev {event.score} {event.scores[event.score]:.4f}"
        if event.best:
            self.best = score
        self.console.print(
            f"epoch {event.epoch:>3}  loss {event.loss:.4f}  {score}  "
            f"{event.docs_per_second:,.0f} docs/s  {duration(event.seconds)}{_mark(event.best)}"
        )

    def _evaluation(self, event: Evaluated) -> None:
        if event.best:
            self.best = f"dev {event.scores['loss']:.4f}"
        scores = ", ".join(f"{name} {value:.4f}" for name, value in event.scores.items())
        self.console.print(
            f"step {event.step:>7,}  loss {event.loss:.4f}  dev {scores}  "
            f"{duration(event.seconds)}{_mark(event.best)}"
        )


def duration(seconds: float) -> str:
    """Format a duration as 1:02:03 or 2:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _mark(best: bool) -> str:
    return " *" if best else ""
