"""The folder of a search.

study.journal      Optuna's journal (JSON lines), which --resume continues
trials.jsonl       one line for each trial, written from the journal
best/              the complete run of the best trial so far; absent until a trial completes
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
OLD = ".best.old"  # the previous best run while `replace` is at work


def check(folder: Path, resume: bool) -> None:
    """Check that a search may write to a folder.

    Raises:
        UsageError: the folder holds other files, or a search although `resume` is False.
    """
    if not folder.name:
        raise UsageError("--output: name a folder for the search, such as runs/tuned")
    begun = (folder / STUDY).exists()
    if begun and not resume:
        raise UsageError(
            f"{folder} already holds a search; continue it with --resume, or choose another "
            "--output"
        )
    if not begun and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} holds files that are not a search; choose another --output")


def write(folder: Path, trials: Sequence[Trial]) -> None:
    """Write trials.jsonl, one line for each trial."""
    lines = [json.dumps(trial.to_dict(), ensure_ascii=False) + "\n" for trial in trials]
    checkpoint.save_text(folder / TRIALS, "".join(lines))


def replace(folder: Path, new: Path) -> None:
    """Replace best/ by a new run; if this is killed, one of the two is still complete."""
    best, old = folder / BEST, folder / OLD
    if best.exists():
        os.replace(best, old)
    os.replace(new, best)
    shutil.rmtree(old, ignore_errors=True)


def recover(folder: Path) -> None:
    """Finish or undo a `replace` that was killed."""
    if not (folder / BEST).exists() and (folder / OLD).exists():
        os.replace(folder / OLD, folder / BEST)
    shutil.rmtree(folder / OLD, ignore_errors=True)
