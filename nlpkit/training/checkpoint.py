"""The state of a training run in one safetensors file, so that a kill -9 loses only minutes.

Tensors are model.*, optimizer.INDEX.* and rng.RANK; everything else is JSON in the file's
metadata. One file is one rename: a checkpoint is there whole or not at all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from nlpkit.errors import ModelError, quoted

LAST = "last.safetensors"  # the checkpoint, in the folder of a run


def save_tensors(path: Path, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Write beside, then rename."""
    part = path.with_name(f".{path.name}.part")
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        save_file(whole, part, metadata={"state": json.dumps(state)})
    except SafetensorError as problem:  # a full disk, most often
        raise OSError(f"{quoted(path)}: cannot be written ({problem})") from None
    part.chmod(0o666 & ~_umask())  # safetensors writes for the owner alone
    with part.open("rb") as written:
        os.fsync(written.fileno())
    os.replace(part, path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def save_text(path: Path, text: str) -> None:
    """Write beside, then rename."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return tensors and state.

    Raises:
        ModelError: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as stored:
            state = json.loads((stored.metadata() or {}).get("state", "{}"))
            names = stored.keys()
            return {name: stored.get_tensor(name) for name in names}, state
    except FileNotFoundError:
        raise ModelError(f"{quoted(path)}: there is no such checkpoint") from None
    except (SafetensorError, ValueError, OSError) as problem:
        raise ModelError(f"{quoted(path)}: damaged checkpoint ({problem}); train again") from None


def pack(
    network: nn.Module, optimizer: torch.optim.Optimizer, rngs: list[Tensor]
) -> dict[str, Tensor]:
    """Flatten everything that training changes into named tensors."""
    tensors = {f"model.{name}": value for name, value in network.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        for name, value in moments.items():
            tensors[f"optimizer.{index}.{name}"] = value
    for rank, rng in enumerate(rngs):
        tensors[f"rng.{rank}"] = rng
    return tensors


def unpack(
    tensors: Mapping[str, Tensor], network: nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    """Put a checkpoint's weights and moments back.

    Raises:
        ModelError: they are of another network.
    """
    try:
        network.load_state_dict(part(tensors, "model"))
    except RuntimeError:
        raise ModelError("the checkpoint is of another network; train into a new folder") from None
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in part(tensors, "optimizer").items():
        index, _, key = name.partition(".")
        moments.setdefault(int(index), {})[key] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": moments, "param_groups": groups})


def part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors under a prefix, without it."""
    start = len(prefix) + 1
    return {name[start:]: value for name, value in tensors.items() if name.startswith(prefix + ".")}


def random_state(device: torch.device) -> Tensor:
    """Return the state of the generator that dropout draws from on this device."""
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def set_random_state(state: Tensor, device: torch.device) -> None:
    """Continue drawing where `random_state` was taken."""
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)
