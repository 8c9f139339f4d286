"""Checkpoints: the state of a training run in one safetensors file.

Tensors are model.*, optimizer.INDEX.* and rng.RANK; everything else is JSON in the file's
metadata. Since it is one file, one rename replaces it: a kill never leaves half a checkpoint.
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
    """Write tensors, with `state` as metadata, to a file beside the path, then rename it.

    Raises:
        OSError: the file cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    whole: dict[str, Tensor] = {}
    stored_at: set[int] = set()
    for name, tensor in tensors.items():
        stored = tensor.detach().cpu().contiguous()
        # The format has no shared memory, which tied embeddings have: write them twice.
        whole[name] = stored.clone() if stored.data_ptr() in stored_at else stored
        stored_at.add(stored.data_ptr())
    try:
        save_file(whole, part, metadata={"state": json.dumps(state)})
    except SafetensorError as problem:  # usually a full disk
        raise OSError(f"{quoted(path)}: cannot be written ({problem})") from None
    part.chmod(0o666 & ~_umask())  # safetensors creates files that only the owner can read
    with part.open("rb") as written:
        os.fsync(written.fileno())
    os.replace(part, path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def save_text(path: Path, text: str) -> None:
    """Write a text to a file beside the path, then rename it."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors of a checkpoint and the state in its metadata.

    Raises:
        ModelError: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as stored:
            state = json.loads((stored.metadata() or {}).get("state", "{}"))
            names = stored.keys()
            return {name: stored.get_tensor(name) for name in names}, state
    except FileNotFoundError:
        raise ModelError(f"{quoted(path)}: no such checkpoint") from None
    except (SafetensorError, ValueError, OSError) as problem:
        raise ModelError(f"{quoted(path)}: damaged checkpoint ({problem}); train again") from None


def pack(
    network: nn.Module, optimizer: torch.optim.Optimizer, rngs: list[Tensor]
) -> dict[str, Tensor]:
    """Return the tensors that training changes, by the names of a checkpoint.

    `rngs` are the random states of all processes, by rank.
    """
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
    """Load a checkpoint's weights and moments into a network and its optimizer.

    Raises:
        ModelError: the checkpoint is of another network.
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
    """Return the tensors whose names start with `prefix` and a dot, by the rest of the name."""
    start = len(prefix) + 1
    return {name[start:]: value for name, value in tensors.items() if name.startswith(prefix + ".")}


def random_state(device: torch.device) -> Tensor:
    """Return the state of the random generator that dropout uses on a device."""
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def set_random_state(state: Tensor, device: torch.device) -> None:
    """Restore a state that `random_state` returned."""
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)
