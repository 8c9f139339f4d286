"""Resuming pretraining: identical weights, and only with the same recipe."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from pretraining_helpers import folder as folder, learn, made
from safetensors.torch import load_file

from nlpkit.errors import UsageError
from nlpkit.lock import held
from nlpkit.training.events import Evaluated


class Stop(Exception):
    pass


def test_stopped_run_resumes_to_identical_weights(folder: Path) -> None:
    recipe = made(folder, "lstm", "mlm", "objective.next_sentence=true")
    learn(recipe, folder / "unbroken")

    def stop(event: object) -> None:
        if isinstance(event, Evaluated) and event.step == 40:
            raise Stop

    with pytest.raises(Stop):
        learn(recipe, folder / "stopped", listener=stop)
    with pytest.raises(UsageError, match="--resume"):
        learn(recipe, folder / "stopped")
    learn(recipe, folder / "stopped", resume=True)
    one, other = (
        load_file(folder / name / "model.safetensors") for name in ("unbroken", "stopped")
    )
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_resume_works_without_the_initial_run(folder: Path) -> None:
    learn(made(folder, "lstm", "mlm", "pretrain.steps=5"), folder / "first")
    recipe = made(folder, "lstm", "clm", f'init.run="{folder / "first"}"')

    def stop(event: object) -> None:
        if isinstance(event, Evaluated) and event.step == 20:
            raise Stop

    with pytest.raises(Stop):
        learn(recipe, folder / "second", listener=stop)
    (folder / "first").rename(folder / "gone")
    summary = learn(recipe, folder / "second", resume=True)
    assert summary["init"]["objective"] == "mlm"


def test_finished_skipgram_run_is_not_overwritten(folder: Path) -> None:
    pytest.importorskip("gensim")
    learn(made(folder, "atnet", "skipgram"), folder / "run")
    with pytest.raises(UsageError, match="already holds a run"):
        learn(made(folder, "atnet", "skipgram"), folder / "run")


def test_resume_accepts_other_threads_but_no_other_steps(folder: Path) -> None:
    learn(made(folder, "atnet", "mlm", "pretrain.steps=3"), folder / "run")
    learn(
        made(folder, "atnet", "mlm", "pretrain.steps=3", "pretrain.threads=2"),
        folder / "run",
        resume=True,
    )
    with pytest.raises(UsageError, match="differs from the given recipe"):
        learn(made(folder, "atnet", "mlm", "pretrain.steps=4"), folder / "run", resume=True)


def test_a_second_process_in_the_same_folder_is_refused(folder: Path) -> None:
    with held(folder / "run"), pytest.raises(UsageError, match="in use by another"):
        learn(made(folder, "atnet", "mlm"), folder / "run")
