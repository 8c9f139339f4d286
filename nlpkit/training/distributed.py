"""Train in several processes under torchrun, and share values among them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn

PATIENCE = timedelta(
    hours=6
)  # processes wait for the leader, which reads the corpus and runs the teachers


@dataclass(frozen=True)
class Team:
    """This process among the processes of a run; a single process is rank 0 of 1."""

    rank: int
    world: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes the files and calls the listener."""
        return self.rank == 0

    def wrap(self, network: nn.Module) -> nn.Module:
        """Return the network with gradients averaged over the team (DistributedDataParallel)."""
        if self.world == 1:
            return network
        cuda = self.device.type == "cuda"
        return nn.parallel.DistributedDataParallel(
            network, device_ids=[self.device.index] if cuda else None
        )

    def agree(self, values: list[float]) -> list[float]:
        """Return the leader's values in every process."""
        if self.world == 1:
            return values
        shared = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.broadcast(shared, src=0)
        return shared.tolist()

    def share_text(self, text: str | None) -> str:
        """Return the leader's text in every process; sent as bytes, not by pickle."""
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
        """Return the leader's float32 tensor of two axes, or its None, in every process."""
        shape = self.agree([0.0, 0.0] if tensor is None else [float(n) for n in tensor.shape])
        if self.world == 1 or not shape[0]:
            return tensor
        shared = torch.empty(int(shape[0]), int(shape[1]), device=self.device)
        if self.leads and tensor is not None:
            shared.copy_(tensor)
        distributed.broadcast(shared, src=0)
        return shared.cpu()

    def gather(self, state: Tensor) -> list[Tensor]:
        """Return the tensors of all processes, which must have one shape, by rank."""
        if self.world == 1:
            return [state]
        mine = state.to(self.device)
        parts = [torch.empty_like(mine) for _ in range(self.world)]
        distributed.all_gather(parts, mine)
        return [part.cpu() for part in parts]


@contextmanager
def team(device: str) -> Iterator[Team]:
    """Join the processes that torchrun started; without torchrun yield a team of one."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    torch_device = torch.device(device)
    if torch_device.type == "cuda":
        torch_device = torch.device(
            "cuda", int(os.environ.get("LOCAL_RANK", torch_device.index or 0))
        )
        torch.cuda.set_device(torch_device)
    if world == 1:
        yield Team(0, 1, torch_device)
        return
    distributed.init_process_group(
        "nccl" if torch_device.type == "cuda" else "gloo", timeout=PATIENCE
    )
    try:
        yield Team(distributed.get_rank(), world, torch_device)
        # Leave together: gloo's threads abort a process whose peers are still at work.
        distributed.barrier()
    finally:
        distributed.destroy_process_group()
