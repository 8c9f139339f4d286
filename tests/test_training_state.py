"""Old checkpoints can be read: training counted steps by epoch, pretraining in total."""

from __future__ import annotations

from typing import Any

import pytest

from nlpkit.training.state import State

EPOCH = {"event": "epoch", "loss": 0.5, "score": "macro_f1", "docs_per_second": 1.0, "seconds": 1.0}
TRAINING: dict[str, Any] = {
    "epoch": 2,
    "step": 7,
    "loss_sum": 3.5,
    "best": 0.75,
    "best_epoch": 1,
    "finished": False,
    "scaler": {"scale": 2.0},
    "history": [EPOCH | {"epoch": 1, "best": True}, EPOCH | {"epoch": 2, "best": False}],
    "data": "abc",
    "world": 2,
}
PRETRAINING: dict[str, Any] = {
    "step": 47,
    "epoch": 3,
    "place": 2,
    "loss_sum": 14.0,
    "losses": 7,
    "seconds": 12.5,
    "best": 1.25,
    "scaler": {},
    "history": [
        {"event": "evaluation", "step": 20, "loss": 3.0, "best": True, "dev_loss": 1.25},
        {"event": "evaluation", "step": 40, "loss": 2.0, "best": False, "dev_loss": 1.5},
    ],
    "world": 1,
}


def test_old_training_checkpoint_within_an_epoch() -> None:
    state = State.restored(TRAINING, 25)
    assert state == State(
        step=57,
        epoch=2,
        place=7,
        loss_sum=3.5,
        losses=7,
        best=0.75,
        scaler={"scale": 2.0},
        history=TRAINING["history"],
        data="abc",
        world=2,
    )
    assert (state.looks, state.best_look, state.loss) == (2, 1, 0.5)
    assert TRAINING["step"] == 7, "the stored values are not changed"


@pytest.mark.parametrize("finished", [False, True])
def test_old_training_checkpoint_at_the_end_of_an_epoch(finished: bool) -> None:
    ended = TRAINING | {"step": 0, "loss_sum": 0.0, "finished": finished}
    state = State.restored(ended, 25)
    assert (state.step, state.epoch, state.place) == (50, 2, 0)
    assert (state.losses, state.loss) == (0, 0.0)


def test_old_training_checkpoint_before_the_first_evaluation() -> None:
    begun = TRAINING | {"epoch": 0, "best": None, "best_epoch": 0, "history": []}
    state = State.restored(begun, 25)
    assert (state.step, state.epoch, state.place, state.losses) == (7, 0, 7, 7)
    assert (state.looks, state.best_look) == (0, 0)


def test_pretraining_checkpoint_is_unchanged() -> None:
    state = State.restored(PRETRAINING, 20)
    assert state == State(**PRETRAINING)
    assert state.data == ""
    assert (state.looks, state.best_look, state.loss) == (2, 1, 2.0)


def test_current_checkpoint_is_unchanged() -> None:
    from dataclasses import asdict

    state = State.restored(TRAINING, 25)
    assert State.restored(asdict(state), 25) == state
    assert State.restored(asdict(state) | {"later": 1}, 25) == state
