"""The folder of a search.

study.journal      Optuna's journal, JSON lines: what --resume continues
trials.jsonl       one line a trial, a view of it
best/              the best run so far, whole; there from the first finished trial on
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from nlpkit.errors import UsageError
from nlpkit.training import checkpoint
from nlpkit.tuning.trial import Trial

STUDY, TRIALS, BEST = "study.journal", "trials.jsonl", "best"
OLD = ".best.old"  # the best run before, until the new one is in its place


def check(folder: Path, resume: bool) -> None:
    """Raises UsageError where the folder holds something else, or a search not to be resumed."""
    if not folder.name:
        raise UsageError("--output: name a folder for the search, such as runs/tuned")
    begun = (folder / STUDY).exists()
    if begun and not resume:
        raise UsageError(
            f"{folder} already holds a search: --resume continues it; or choose another --output"
        )
    if not begun and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} holds something else than a search; choose another --output")


def write(folder: Path, trials: Sequence[Trial]) -> None:
    """Write trials.jsonl."""
    lines = [json.dumps(trial.to_dict(), ensure_ascii=False) + "\n" for trial in trials]
    checkpoint.save_text(folder / TRIALS, "".join(lines))


def replace(folder: Path, new: Path) -> None:
    """Put a run in the place of best/; whenever this is killed, one of the two is whole."""
    best, old = folder / BEST, folder / OLD
    if best.exists():
        os.replace(best, old)
    os.replace(new, best)
    shutil.rmtree(old, ignore_errors=True)


def recover(folder: Path) -> None:
    """Finish or undo what `replace` was killed in."""
    if not (folder / BEST).exists() and (folder / OLD).exists():
        os.replace(folder / OLD, folder / BEST)
    shutil.rmtree(folder / OLD, ignore_errors=True)
