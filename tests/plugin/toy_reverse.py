"""Write the words of a text in reverse: a task whose answers are texts, token by token.

Two graphs: "encode" reads the source, "step" writes one token (`nlpkit.runtime.generate`).

Legend: B batch, T time of the source, U time of the target, D width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from nlpkit.answers import Text
from nlpkit.runtime.batcher import batches
from nlpkit.runtime.generate import greedy
from nlpkit.settings.declaration import setting
from nlpkit.tasks import Columns, Reads
from nlpkit.text.windows import Truncate

IGNORED = -100


@dataclass(frozen=True, kw_only=True)
class Config:
    width: int = setting(32, "of the decoder's state", 1)


class Task:
    """A source in, its words in reverse out."""

    answers = Text
    score = "exact_match"
    unit = "documents"
    columns = Columns("text", "target")
    windows = Truncate
    OFFSETS: ClassVar[bool] = False
    WRITES: ClassVar[bool] = True
    shown = ()
    graphs: ClassVar = {"encode": {"memory": None, "state": None}, "step": {"logits": None}}

    def __init__(self, config: Config) -> None:
        self.config = config

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]], config: Config) -> Task:
        return cls(config)

    def gold(self, fields: Mapping[str, Any]) -> Text:
        return Text(str(fields["label"]))

    def count(self, golds: Sequence[Text]) -> dict[str, int]:
        return {"texts": len(golds)}

    def head(self, encoder: Any, tokenizer: Any) -> Any:
        return decoder(encoder.width, self.config.width, tokenizer.vocab_size)

    def targets(self, golds: Sequence[Text], reads: Reads, tokenizer: Any) -> dict[str, Any]:
        """Return what is to be written and, for teacher forcing, the token before each."""
        import numpy as np

        ids = tokenizer.encode([gold.text for gold in golds]).each()
        width = max(len(each) for each in ids) + 1
        wanted_BU = np.full((len(golds), width), IGNORED, dtype=np.int64)
        previous_BU = np.zeros((len(golds), width), dtype=np.int64)
        for row, each in enumerate(ids):
            wanted_BU[row, : len(each) + 1] = [*each, tokenizer.eos]
            previous_BU[row, : len(each) + 1] = [tokenizer.bos, *each]
        return {"wanted": wanted_BU, "previous": previous_BU}

    def loss(self, outputs: Any, targets: Mapping[str, Any], smoothing: float) -> Any:
        from nlpkit.heads.token import mean_by_word

        return mean_by_word(outputs["logits"], targets["wanted"], IGNORED, smoothing)

    def answer(self, model: Any, documents: Sequence[Any], windows: Any) -> list[Any]:
        said: list[Any] = [None] * len(documents)
        tokenizer = model.tokenizer
        for batch in batches(windows, model.budget):
            limit_B = batch.mask_BT.sum(axis=1) + 5
            written = greedy(
                model.run, batch.feeds(), limit_B, bos=tokenizer.bos, eos=tokenizer.eos
            )
            for window, ids in zip(batch.rows, written, strict=True):
                said[windows.owner_W[window]] = Text(tokenizer.text(ids))
        return said

    def describe(self) -> dict[str, Any]:
        return {"config": asdict(self.config)}


def decoder(width: int, hidden: int, vocabulary: int) -> Any:
    """Return a recurrent decoder with attention over the source (Luong et al. 2015, general)."""
    import torch
    from torch import Tensor, nn

    from nlpkit.heads.graph import READS, Graph
    from nlpkit.runtime.graphs import BATCH, MASK, TIME, Signature

    class Decoder(nn.Module):
        FORCED = ("previous",)

        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(vocabulary, hidden)
            self.begin = nn.Linear(width, hidden)
            self.query = nn.Linear(hidden, width)
            self.gates = nn.Linear(hidden + width + hidden, 2 * hidden)
            self.change = nn.Linear(hidden + width + hidden, hidden)
            self.output = nn.Linear(hidden + width, vocabulary)

        def forward(
            self, states_BTD: Tensor, mask_BT: Tensor, previous: Tensor
        ) -> dict[str, Tensor]:
            state, written = self.start(states_BTD, mask_BT), []
            for place in range(previous.shape[1]):
                logits_BV, state = self.step(previous[:, place], states_BTD, mask_BT, state)
                written.append(logits_BV)
            return {"logits": torch.stack(written, dim=1)}

        def start(self, states_BTD: Tensor, mask_BT: Tensor) -> Tensor:
            kept_BTD = states_BTD.masked_fill(~mask_BT.unsqueeze(-1), 0.0)
            return torch.tanh(self.begin(kept_BTD.sum(1) / mask_BT.sum(1, keepdim=True)))

        def step(
            self, previous_B: Tensor, memory_BTD: Tensor, mask_BT: Tensor, state_BD: Tensor
        ) -> tuple[Tensor, Tensor]:
            scores_BT = (memory_BTD * self.query(state_BD).unsqueeze(1)).sum(-1)
            weights_BT = torch.softmax(scores_BT.masked_fill(~mask_BT, float("-inf")), dim=1)
            kept_BTD = memory_BTD.masked_fill(~mask_BT.unsqueeze(-1), 0.0)
            read_BD = (kept_BTD * weights_BT.unsqueeze(-1)).sum(1)
            seen_BD = torch.cat([self.embed(previous_B), read_BD], dim=1)
            update, reset = torch.sigmoid(self.gates(torch.cat([seen_BD, state_BD], 1))).chunk(2, 1)
            fresh = torch.tanh(self.change(torch.cat([seen_BD, reset * state_BD], 1)))
            state_BD = (1 - update) * state_BD + update * fresh
            return self.output(torch.cat([state_BD, read_BD], dim=1)), state_BD

        def graphs(self, encoder: nn.Module) -> dict[str, Graph]:
            encode, step = parts(encoder, self)
            memory, state = (BATCH, TIME, width), (BATCH, hidden)
            reading = Signature(READS, {"memory": memory, "state": state})
            writing = Signature(
                {"previous": (BATCH,), "memory": memory, MASK: (BATCH, TIME), "state": state},
                {"logits": (BATCH, vocabulary), "next_state": state},
            )
            return {
                "encode": Graph(encode, reading),
                "step": Graph(step, writing, _example),
            }

    return Decoder()


def parts(encoder: Any, head: Any) -> tuple[Any, Any]:
    """Return the modules of the two graphs, which share the encoder's and the head's weights."""
    from torch import Tensor, nn

    class Encode(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.head = encoder, head

        def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
            states_BTD = self.encoder(ids, mask)
            return states_BTD, self.head.start(states_BTD, mask)

    class Step(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = head

        def forward(
            self, previous: Tensor, memory: Tensor, mask: Tensor, state: Tensor
        ) -> tuple[Tensor, Tensor]:
            return self.head.step(previous, memory, mask, state)

    return Encode(), Step()


def _example(rng: Any, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return feeds of a step after some token."""
    previous_B = rng.integers(1, 5, len(known["mask"]))
    return {"previous": previous_B, **{name: known[name] for name in ("memory", "mask", "state")}}
