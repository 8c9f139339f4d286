"""Progress of a batch: a bar on a terminal, a line a minute elsewhere."""

from __future__ import annotations

import time
from pathlib import Path

from rich.progress import (
    BarColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from nlpkit.batch.events import FileDone, ShardDone, Started
from nlpkit.batch.manifest import Report
from nlpkit.batch.plan import MANIFEST
from nlpkit.cli.notes import print_replaced
from nlpkit.cli.screen.live import Live
from nlpkit.wording import plural

EVERY = 60.0  # seconds between two lines where there is no terminal


class BatchProgress(Live):
    """A listener of `jobs.batch` that draws on stderr."""

    def __init__(self, *, quiet: bool) -> None:
        super().__init__(
            (0, TextColumn("{task.fields[files]}")),
            (76, BarColumn(bar_width=24)),
            (0, TaskProgressColumn()),
            (50, TextColumn("{task.fields[speed]}")),
            (0, TimeRemainingColumn()),
            quiet=quiet,
            handlers={Started: self._start, ShardDone: self._shard, FileDone: self._file},
        )
        self.files = self.done = self.bytes = self.records = self.total = 0
        self.start = self.printed = time.monotonic()
        self.task: TaskID

    def finish(self, report: Report, folder: Path) -> None:
        """Print how the batch ended."""
        seconds = max(time.monotonic() - self.start, 1e-9)
        if report.replaced:
            print_replaced(report.replaced)
        bad, truncated = report.count("rejects"), report.count("truncated")
        self.console.print(
            f"{len(report.files) - len(report.failed):,} of {plural(len(report.files), 'file')}, "
            f"{plural(report.count('records'), 'record')}"
            + (f", {bad:,} bad in {folder / 'rejects'}" if bad else "")
            + (f", {truncated:,} too long to be read to the end" if truncated else "")
            + (f", {len(report.failed):,} failed" if report.failed else "")
            + f"; {self.records / seconds:,.0f} records/s; {folder / MANIFEST}",
            markup=False,
        )

    def _start(self, event: Started) -> None:
        self.files, self.total = event.files, event.bytes
        self.task = self.bar.add_task("", total=self.total, files=self._files(), speed="")

    def _shard(self, event: ShardDone) -> None:
        self.records += event.records
        self._show(self.bytes + event.bytes)

    def _file(self, event: FileDone) -> None:
        self.done += 1
        self.bytes += event.bytes
        self._show(self.bytes)
        outcome = event.outcome
        if outcome.problem is not None:
            self.console.print(f"failed: {outcome.problem}", markup=False)
        elif outcome.rejects:
            self.console.print(
                f"{event.name}: {plural(outcome.rejects, 'bad record')}, in {outcome.rejected_to}",
                markup=False,
            )

    def _show(self, read: int) -> None:
        now = time.monotonic()
        speed = f"{self.records / max(now - self.start, 1e-9):,.0f} records/s"
        self.bar.update(self.task, completed=read, files=self._files(), speed=speed)
        if not self.console.is_terminal and now - self.printed > EVERY:
            self.printed = now
            share = read / self.total if self.total else 1.0
            records = plural(self.records, "record")
            self.console.print(f"{self._files()}, {share:.0%}, {records}, {speed}")

    def _files(self) -> str:
        return f"file {min(self.done + 1, self.files):,} of {self.files:,}"
