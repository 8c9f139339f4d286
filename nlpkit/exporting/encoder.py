"""Open a pretrained encoder, a run without a head, as a model that embeds texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nlpkit import metrics, tasks, text
from nlpkit.errors import ModelError, quoted
from nlpkit.runtime.golden import TEXTS
from nlpkit.runtime.model import Model
from nlpkit.settings import recipe as recipes
from nlpkit.settings.recipe import Recipe
from nlpkit.training import network, sources, summary as summaries
from nlpkit.training.data import Split
from nlpkit.training.summary import PretrainingSummary, RunSummary

TASK = "embed"
LANGUAGES = ("pt", "en")  # a pretraining recipe names none


def is_encoder(folder: Path) -> bool:
    """Tell whether a folder holds a finished run of `nlpkit import` or `nlpkit pretrain`."""
    try:
        return isinstance(summaries.read(folder), PretrainingSummary)
    except (OSError, KeyError, TypeError, ValueError):
        return False


def open_encoder(folder: Path, overrides: Sequence[str]) -> tuple[Model, Recipe, RunSummary, Split]:
    """Return an encoder as a torch-backed model, with recipe, summary and dev split of its bundle.

    The dev split holds texts of nlpkit's own, whose gold vectors are the encoder's answers.

    Raises:
        ModelError: its files are damaged.
    """
    source = sources.read(folder)
    found = sources.sections(folder)
    settings = {
        "name": str(source.entry["name"]),
        "task": {"name": TASK},
        "architecture": found["architecture"],
        "tokenizer": found["tokenizer"],
        "data": {"languages": LANGUAGES},
        "export": {"limits": " ".join(e.get("use", "") for e in source.entry["data"]["train"])},
    }
    recipe = recipes.from_dict(settings, folder=folder, where=str(folder), overrides=overrides)
    tokenizer = text.load(source.kind, source.tokenizer, LANGUAGES)
    encoder = network.build_encoder(recipe.encoder, recipe.tokenizer.window, tokenizer)
    task = tasks.build({"name": TASK, "config": {}, "size": encoder.width})
    net = network.Network(encoder, task.head(encoder, tokenizer))
    try:
        encoder.load_state_dict(dict(source.encoder))
    except RuntimeError as problem:
        reason = str(problem).splitlines()[-1].strip()
        raise ModelError(f"{quoted(folder)}: damaged run ({reason}); make it again") from None
    model = Model(
        name=recipe.name,
        task=task,
        tokenizer=tokenizer,
        windows=task.windows(recipe.tokenizer.window, recipe.tokenizer.overlap),
        run=network.TorchRun(net.eval()),
    )
    answered = [(doc, gold) for doc, gold in zip(TEXTS, model.predict(TEXTS), strict=True) if gold]
    dev = Split(documents=[doc for doc, _ in answered], golds=[gold for _, gold in answered])
    summary = RunSummary(
        name=recipe.name,
        task={"name": TASK} | task.describe(),
        vocab_size=tokenizer.vocab_size,
        parameters=sum(weight.numel() for weight in net.parameters()),
        epochs=0,
        best_epoch=0,
        temperature=1.0,
        dev=metrics.measure(task.answers, dev.golds, dev.golds),
        data={"train": [], "dev": []},
        init=dict(source.entry),
    )
    return model, recipe, summary, dev
