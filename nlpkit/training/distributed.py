"""Several processes under torchrun: who am I, and do as one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn

PATIENCE = timedelta(hours=6)  # the leader may read a corpus, or ask teachers, while others wait


@dataclass(frozen=True)
class Team:
    """This process's place among those of the run. Alone, it is rank 0 of 1."""

    rank: int
    world: int
    device: torch.device

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def wrap(self, network: nn.Module) -> nn.Module:
        """Average gradients over the team (DistributedDataParallel)."""
        if self.world == 1:
            return network
        cuda = self.device.type == "cuda"
        return nn.parallel.DistributedDataParallel(
            network, device_ids=[self.device.index] if cuda else None
        )

    def agree(self, values: list[float]) -> list[float]:
        """Return the leader's values to everyone."""
        if self.world == 1:
            return values
        shared = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.broadcast(shared, src=0)
        return shared.tolist()

    def share_text(self, text: str | None) -> str:
        """Return the leader's text to everyone, as bytes rather than by pickle."""
        raw = (text or "").encode()
        (length,) = self.agree([float(len(raw))])
        if self.world == 1:
            return raw.decode()
        shared = torch.zeros(int(length), dtype=torch.uint8, device=self.device)
        if self.leads:
            shared = torch.frombuffer(bytearray(raw), dtype=torch.uint8).to(self.device)
        distributed.broadcast(shared, src=0)
        return bytes(shared.cpu().tolist()).decode()

    def share_tensor(self, tensor: Tensor | None) -> Tensor | None:
        """Return the leader's float32 tensor of two axes, or its None, to everyone."""
        shape = self.agree([0.0, 0.0] if tensor is None else [float(n) for n in tensor.shape])
        if self.world == 1 or not shape[0]:
            return tensor
        shared = torch.empty(int(shape[0]), int(shape[1]), device=self.device)
        if self.leads and tensor is not None:
            shared.copy_(tensor)
        distributed.broadcast(shared, src=0)
        return shared.cpu()

    def gather(self, state: Tensor) -> list[Tensor]:
        """Return every process's tensor (all of one shape), by rank."""
        if self.world == 1:
            return [state]
        mine = state.to(self.device)
        parts = [torch.empty_like(mine) for _ in range(self.world)]
        distributed.all_gather(parts, mine)
        return [part.cpu() for part in parts]


@contextmanager
def team(device: str) -> Iterator[Team]:
    """Join the processes that torchrun started; without torchrun there is one."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    place = torch.device(device)
    if place.type == "cuda":
        place = torch.device("cuda", int(os.environ.get("LOCAL_RANK", place.index or 0)))
        torch.cuda.set_device(place)
    if world == 1:
        yield Team(0, 1, place)
        return
    distributed.init_process_group("nccl" if place.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield Team(distributed.get_rank(), world, place)
        # Leave together: gloo's threads abort a process whose peers are still at work.
        distributed.barrier()
    finally:
        distributed.destroy_process_group()
