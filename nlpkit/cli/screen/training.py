"""Training as a person sees it: a live bar on a terminal, a line an epoch elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from nlpkit.cli.screen.live import Live
from nlpkit.tasks import numbers


class TrainingProgress(Live):
    """A listener of the training loop that draws on stderr."""

    def __init__(self, *, quiet: bool) -> None:
        super().__init__(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]:.4f}"),
            TextColumn("{task.fields[best]}"),
            TextColumn("{task.fields[speed]}"),
            TextColumn("{task.fields[left]} left", style="dim"),
            quiet=quiet,
        )
        self.task: Any = None
        self.best = "dev -"

    def finish(self, summary: dict[str, Any], folder: Path) -> None:
        """Say what came of it and what to run next."""
        if "per_class" in summary["dev"]:
            self._warn_of_silent_labels(summary["dev"])
        shown = [f"{key} {value:.4f}" for key, value in numbers(summary["dev"]).items()]
        self.console.print(
            f"best epoch {summary['best_epoch']} of {summary['epochs']}: dev {' '.join(shown)}\n"
            f"next: nlpkit export {folder} --output export/{summary['name']}",
            markup=False,
        )

    def _warn_of_silent_labels(self, dev: dict[str, Any]) -> None:
        """Say which labels the model never gets right; with few rows that is most of them."""
        missed = [
            label for label, row in dev["per_class"].items() if row["support"] and not row["f1"]
        ]
        if missed:
            self.console.print(
                f"never right on dev: {', '.join(missed)}. More rows or epochs may help",
                style="yellow",
                markup=False,
            )

    def finish_pretraining(self, summary: dict[str, Any], folder: Path) -> None:
        """Say what came of it and what to run next."""
        loss = summary["dev"].get("dev_loss")
        measured = f": dev loss {loss:.4f}" if loss is not None else ""
        self.console.print(
            f"{summary['objective']} of {summary['parameters']:,} parameters{measured}\n"
            f"next: nlpkit train RECIPE --init {folder} --output runs/NAME",
            markup=False,
        )

    def _teacher(self, event: dict[str, Any]) -> None:
        if not event["done"]:
            self.console.print(f"asking {event['name']} about {event['of']:,} texts")

    def _evaluation(self, event: dict[str, Any]) -> None:
        if event["best"]:
            self.best = f"dev {event['dev_loss']:.4f}"
        told = [f"{key[4:]} {event[key]:.4f}" for key in event if key.startswith("dev_")]
        self.console.print(
            f"step {event['step']:>7,}  loss {event['loss']:.4f}  dev {', '.join(told)}  "
            f"{duration(event['seconds'])}{' *' if event['best'] else ''}"
        )

    def _start(self, event: dict[str, Any]) -> None:
        size = f" ({event['tokens']:,} tokens)" if "tokens" in event else ""
        self.console.print(
            f"{event['train']:,} documents{size} to train on, {event['dev']:,} to choose by; "
            f"{event['parameters']:,} parameters, {event['vocab_size']:,} pieces"
        )

    def _step(self, event: dict[str, Any]) -> None:
        fields = {
            "epoch": event["epoch"],
            "loss": event["loss"],
            "speed": event["speed"],
            "left": duration(event["seconds_left"]),
            "best": self.best,
        }
        if self.task is None:
            self.task = self.bar.add_task("", total=event["steps"], **fields)
        self.bar.update(self.task, completed=event["step"], **fields)

    def _epoch(self, event: dict[str, Any]) -> None:
        score = f"dev {event['score']} {event['dev_' + event['score']]:.4f}"
        if event["best"]:
            self.best = score
        mark = " *" if event["best"] else ""
        self.console.print(
            f"epoch {event['epoch']:>3}  loss {event['loss']:.4f}  {score}  "
            f"{event['docs_per_second']:,.0f} docs/s  {duration(event['seconds'])}{mark}"
        )


def duration(seconds: float) -> str:
    """Return 1:02:03 or 2:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
