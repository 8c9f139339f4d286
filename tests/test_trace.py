"""nlpkit train --trace gradients: what it writes, and that training does not notice it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from conftest import Cli, corpus, sentences, tiny_tree, write_jsonl
from safetensors.torch import load_file
from task_examples import reversed_words
from training_helpers import train

from nlpkit.errors import UsageError
from nlpkit.settings import recipe as recipes
from nlpkit.svg import Axis, Curve, curves
from nlpkit.training.trace import by_distance

TINY = {"embedding": 8, "hidden": 8, "dropout": 0.3}
WRITES = {
    "task": {"name": "generate", "longest": 8},
    "tokenizer": {"kind": "bytelevel", "vocab_size": 270, "window": 16, "overlap": 4},
    "train": {"steps": 6, "eval_steps": 3, "batch_size": 8, "threads": 1},
}


def recipe_of(folder: Path, arch: str = "lstm", **sections: Any) -> Any:
    tree = tiny_tree(arch, steps=6, eval_steps=3) | sections
    return recipes.from_dict(tree, folder=folder, where="test")


def traces_of(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "gradients.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def test_a_trace_changes_no_weight(data: Path, tmp_path: Path) -> None:
    made = recipe_of(data, architecture={"name": "lstm"} | TINY)
    train(made, tmp_path / "plain")
    train(made, tmp_path / "traced", trace=True)
    plain, traced = weights(tmp_path / "plain"), weights(tmp_path / "traced")
    assert all(torch.equal(plain[name], traced[name]) for name in plain)
    traces = traces_of(tmp_path / "traced")
    assert [trace["step"] for trace in traces] == list(range(7))
    assert all(math.isfinite(norm) for trace in traces for norm in trace["norms"])
    assert all(norm > 0 for norm in traces[0]["norms"])


def test_resuming_replaces_later_traces(data: Path, tmp_path: Path) -> None:
    made = recipe_of(data, architecture={"name": "lstm"} | TINY)
    train(made, tmp_path / "run", trace=True)
    before = traces_of(tmp_path / "run")
    with (tmp_path / "run/gradients.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"step": 99, "loss": 1.0, "norms": [1.0]}) + "\n")
    train(made, tmp_path / "run", resume=True, trace=True)
    assert traces_of(tmp_path / "run") == before


@pytest.mark.parametrize("source", [True, False])
def test_texts_that_are_written_are_traced(source: bool, tmp_path: Path) -> None:
    rows = [{"text": "a👍 b ção é", "target": "x\r\ny"}, *reversed_words(40, 1)]
    write_jsonl(tmp_path / "train.jsonl", rows)
    write_jsonl(tmp_path / "dev.jsonl", reversed_words(4, 2))
    sections = WRITES | {"decoder": {"name": "lstm"} | TINY}
    tree = tiny_tree("lstm") | sections
    tree |= {"architecture": {"name": "lstm"} | TINY} if source else {}
    if not source:
        del tree["architecture"]
    made = recipes.from_dict(tree, folder=tmp_path, where="test")
    train(made, tmp_path / "run", trace=True)
    traces = traces_of(tmp_path / "run")
    longest = 16 if source else 15  # the last token of a language model's text is only predicted
    assert [len(trace["norms"]) for trace in traces] == [longest] * 7
    # Before training, the loss is about that of guessing among all pieces.
    assert traces[0]["loss"] == pytest.approx(math.log(270), abs=1.0)
    picture = (tmp_path / "run/gradients.svg").read_text(encoding="utf-8")
    texts = [part for part in ElementTree.fromstring(picture).itertext()]
    assert {"step 0", "step 3", "step 6"} <= set(texts)


def test_a_task_that_answers_each_word_is_refused(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", sentences(30, 1))
    write_jsonl(tmp_path / "dev.jsonl", sentences(5, 2))
    made = recipe_of(tmp_path, "wordlstm", task={"name": "tag", "hidden": 8})
    with pytest.raises(UsageError, match="tag answers each word"):
        train(made, tmp_path / "run", trace=True)


def test_an_encoder_that_adds_tokens_is_refused(data: Path, tmp_path: Path) -> None:
    sizes = {"width": 16, "layers": 1, "heads": 2, "feedforward": 32, "bos": 2, "eos": 3}
    made = recipe_of(data, architecture={"name": "bert"} | sizes)
    with pytest.raises(UsageError, match="other tokens than it is given"):
        train(made, tmp_path / "run", trace=True)


def test_the_command_traces(quick_cli: Cli, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", corpus(40, 1))
    write_jsonl(tmp_path / "b.jsonl", corpus(10, 2))
    command = ["train", "--arch", "bow", "--train", "a.jsonl", "--dev", "b.jsonl", "-o", "run"]
    command += ["--set", "train.steps=2", "--set", "architecture.buckets=997", "-q"]
    assert quick_cli(*command, "--trace", "loss").returncode == 2
    assert quick_cli(*command, "--trace", "gradients").returncode == 0
    assert [trace["step"] for trace in traces_of(tmp_path / "run")] == [0, 1, 2]


def test_norms_are_means_over_the_rows_that_are_so_long() -> None:
    norm_BT = torch.tensor([[1.0, 2.0, 3.0], [5.0, 9.0, 9.0]])  # the second row has one token
    assert by_distance(norm_BT, torch.tensor([3, 1])) == [4.0, 2.0, 1.0]


def test_a_picture_leaves_out_what_a_logarithm_cannot_show() -> None:
    drawn = [Curve("<a> \x1b", [(0, 1e-3), (1, 0.0), (2, 1e-30)]), Curve("empty", [])]
    svg = curves(drawn, title="t & t", across="x", up="y", log=True)
    root = ElementTree.fromstring(svg)
    assert "<a> ?" in list(root.itertext())
    assert [tag.tag.endswith("circle") for tag in root].count(True) == 2
    ElementTree.fromstring(curves([], title="", across="", up=""))


@pytest.mark.parametrize("high", [1e-9, 0.3, 1.0, 24.0, 1e7])
@pytest.mark.parametrize("log", [True, False])
def test_axes_have_ticks_at_any_scale(high: float, log: bool) -> None:
    axis = Axis([high / 1e6, high], log=log)
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 12
    assert all(-1e-9 <= axis.share(tick) <= 1 + 1e-9 for tick in ticks)
