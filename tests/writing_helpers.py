"""Networks that write, in numpy: no training, no torch, and the same answers in any batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from nlpkit import catalog
from nlpkit.runtime.graphs import (
    BATCH,
    ENCODE,
    HELD,
    IDS,
    LOGITS,
    MASK,
    NEXT,
    PLACE,
    ROWS,
    SOURCE,
    STEP,
    SURPRISE,
    TAKE,
    TIME,
    TOKENS,
    Signature,
)
from nlpkit.runtime.model import Model
from nlpkit.settings.sections import Tokenizer as Settings
from nlpkit.tasks import generate
from nlpkit.text.subwords import Subwords

WIDTH = 6
TEXTS = [f"O gato {n} come o pato na casa do vizinho, e o pato número {n} some." for n in range(40)]


class Toy:
    """A random network whose logits depend on every token that was read, and on the source.

    `calls` has the graph and the number of rows of each call, `read` the tokens of each step.
    """

    def __init__(
        self,
        vocab: int,
        *,
        source: bool = False,
        one_by_one: bool = False,
        seed: int = 0,
        spread: float = 2.0,
    ) -> None:
        rng = np.random.default_rng(seed)
        self.embed_VD, self.out_DV = (
            rng.normal(size=(vocab, WIDTH)),
            rng.normal(size=(WIDTH, vocab)),
        )
        self.mix_DD = rng.normal(size=(WIDTH, WIDTH))
        self.source, self.spread = source, spread
        self.calls: list[tuple[str, int]] = []
        self.read: list[int] = []
        tokens = 1 if one_by_one else TOKENS
        state = {"history": (BATCH, WIDTH), PLACE: (BATCH,)}
        kept: dict[str, Any] = {MASK: (BATCH, SOURCE), "memory": (BATCH, WIDTH)} if source else {}
        following = {f"{NEXT}{name}": axes for name, axes in state.items()}
        surprise = {} if source else {SURPRISE: (BATCH, tokens)}
        everything = kept | state
        self.signatures: dict[str, Signature] = {
            STEP: Signature(
                {IDS: (BATCH, tokens)} | everything, {LOGITS: (BATCH, vocab)} | surprise | following
            ),
            TAKE: Signature(
                {ROWS: (BATCH,)} | {name: (HELD, *axes[1:]) for name, axes in everything.items()},
                {f"{NEXT}{name}": axes for name, axes in everything.items()},
            ),
        }
        if source:
            read = {IDS: (BATCH, TIME), MASK: (BATCH, TIME)}
            encode = Signature(read, {"memory": (BATCH, WIDTH), "history": (BATCH, WIDTH)})
            self.signatures = {ENCODE: encode} | self.signatures

    def __call__(
        self,
        graph: str,
        feeds: Mapping[str, Any],
        outputs: Sequence[str],
        kept: Sequence[str] = (),
    ) -> dict[str, Any]:
        assert feeds.keys() == self.signatures[graph].inputs.keys()
        self.calls.append((graph, len(next(iter(feeds.values())))))
        arrays = getattr(self, graph)(feeds)
        return {name: arrays[name] for name in (*outputs, *kept)}

    def encode(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        hidden_BTD = self.embed_VD[feeds[IDS]] * feeds[MASK][:, :, None]
        memory_BD = np.tanh(
            (hidden_BTD * np.arange(1, hidden_BTD.shape[1] + 1)[:, None]).sum(axis=1)
        )
        return {"memory": memory_BD, "history": -memory_BD}

    def step(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        history_BD, logits = feeds["history"], []
        self.read.append(feeds[IDS].shape[1])
        for ids_B in feeds[IDS].T:
            history_BD = np.tanh(history_BD @ self.mix_DD + self.embed_VD[ids_B])
            logits.append(self.logits(history_BD, feeds))
        logprobs = [each - np.log(np.exp(each).sum(axis=1, keepdims=True)) for each in logits]
        nats = [np.zeros(len(feeds[IDS]))] + [
            -np.take_along_axis(each, ids_B[:, None], axis=1)[:, 0]
            for each, ids_B in zip(logprobs, feeds[IDS].T[1:], strict=False)
        ]
        place_B = feeds[PLACE] + feeds[IDS].shape[1]
        following = {f"{NEXT}history": history_BD, f"{NEXT}{PLACE}": place_B}
        return following | {LOGITS: logits[-1], SURPRISE: np.stack(nats, axis=1)}

    def logits(self, history_BD: np.ndarray, feeds: Mapping[str, Any]) -> np.ndarray:
        seen_BD = history_BD + feeds["memory"] if self.source else history_BD
        # Rounded, since sums of matrix products differ in the last bits with the batch.
        logits_BV: np.ndarray = np.round(self.spread * (seen_BD @ self.out_DV), 5)
        return logits_BV.astype(np.float32)

    def take(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        return {
            f"{NEXT}{name}": array[feeds[ROWS]] for name, array in feeds.items() if name != ROWS
        }


class Scripted(Toy):
    """A network that writes one text after a prompt of a known length, whatever the prompt is."""

    def __init__(self, vocab: int, after: int, script: Sequence[int], **options: Any) -> None:
        super().__init__(vocab, **options)
        self.after, self.script = after, list(script)

    def logits(self, history_BD: np.ndarray, feeds: Mapping[str, Any]) -> np.ndarray:
        logits_BV = np.zeros((len(history_BD), self.out_DV.shape[1]), dtype=np.float32)
        place = int(feeds[PLACE][0]) + feeds[IDS].shape[1] - self.after
        if 0 <= place < len(self.script):
            logits_BV[:, self.script[place]] = 20.0
        return logits_BV


@cache
def tokenizer() -> Subwords:
    settings = Settings(kind="bytelevel", vocab_size=300, lowercase=False, social=False)
    learned: Subwords = catalog.load("tokenizers", "bytelevel").learn(TEXTS, settings, bounds=True)
    return learned


def model_of(run: Any, **settings: Any) -> Model:
    """Return a model of the task generate that calls a network."""
    task = generate.Task(generate.Config(**settings))
    size = settings.get("window", 32)
    return Model(
        name="toy", task=task, tokenizer=tokenizer(), windows=task.windows(size, 8), run=run
    )


def language_model(**options: Any) -> Model:
    return model_of(Toy(tokenizer().vocab_size, **options), source=False)


def writer(copies: bool = False, **options: Any) -> Model:
    """Return a model that writes from a source."""
    run = Toy(tokenizer().vocab_size, source=True, **options)
    return model_of(run, longest=12, copies=copies)


def scripted(text: str, prompt: str, *, ends: bool = True) -> Model:
    """Return a language model that continues `prompt` by `text` and then ends."""
    script = [*tokenizer().encode([text]).ids_S.tolist(), *[tokenizer().eos] * ends]
    after = 1 + int(tokenizer().encode([prompt]).lengths_N[0])
    return model_of(Scripted(tokenizer().vocab_size, after, script), source=False)


def copier(script: str) -> Model:
    """Return a model that copies, and that writes `script` and then ends from any source."""
    ids = [*tokenizer().encode([script]).ids_S.tolist(), tokenizer().eos]
    run = Scripted(tokenizer().vocab_size, 1, ids, source=True)
    return model_of(run, copies=True)
