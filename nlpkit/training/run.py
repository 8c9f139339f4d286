"""A training run in a folder, which --resume continues after a kill.

recipe.toml        the resolved recipe      tokenizer.json     the tokenizer
model.safetensors  the best epoch           last.safetensors   the last checkpoint
metrics.jsonl      one line an epoch        run.json           the summary; written last
gradients.jsonl    with --trace gradients   gradients.svg      the same
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import torch

from nlpkit.abilities import Balanced, Equipped
from nlpkit.runtime.model import Model
from nlpkit.settings.recipe import Recipe
from nlpkit.tasks import lone_label
from nlpkit.training import checkpoint, distill, examples, init, network
from nlpkit.training.distributed import Team
from nlpkit.training.events import Listener, Started, Warned
from nlpkit.training.examples import Examples
from nlpkit.training.folder import at_work, begun
from nlpkit.training.judge import Judge
from nlpkit.training.loop import Loop
from nlpkit.training.summary import RunSummary
from nlpkit.training.supervised import Rows, Supervised, augmented, untraced
from nlpkit.training.trace import Trace
from nlpkit.version import __version__


def train(
    recipe: Recipe,
    folder: Path,
    *,
    device: str,
    resume: bool,
    listener: Listener,
    given: Examples | None = None,
    trace: bool = False,
) -> RunSummary | None:
    """Train a model into `folder` and return its summary, which run.json stores.

    `given` are the recipe's examples, if the caller has read them. With `trace`, gradients are
    traced (`nlpkit.training.trace`). Processes other than the leader return None.

    Raises:
        UsageError: the folder already holds a run and `resume` is False, or the task or the
            architecture cannot be traced.
        InputError: the data cannot be used.
        DeviceError: torch cannot use the device.
    """
    threads = recipe.train.threads
    with at_work(recipe, folder, device=device, threads=threads, resume=resume) as members:
        if given:
            checkpoint.save_text(folder / "tokenizer.json", given.tokenizer.to_json())
        return _train(recipe, folder, members, resume, listener, given, trace)


def _train(
    recipe: Recipe,
    folder: Path,
    members: Team,
    resume: bool,
    listener: Listener,
    given: Examples | None,
    trace: bool,
) -> RunSummary | None:
    started = time.monotonic()
    data = given or examples.read(recipe, examples.load(recipe), folder, members)
    torch.manual_seed(recipe.train.seed)
    net = network.build(recipe, data.task, data.tokenizer).to(members.device)
    if len(data.vectors.words):
        encoder: Any = net.encoder
        encoder.start_from(torch.from_numpy(data.vectors.vectors_VD))
    resumed = resume and begun(folder)
    source, provenance = init.start(recipe, folder, resumed, members.leads)
    init.load(source, net)
    labels = getattr(data.task, "labels", ())
    init.load_head(source, net.head, labels, recipe.init.labels)
    torch.manual_seed(recipe.train.seed + members.rank)
    run = network.TorchRun(net, members.device)
    model = Model(
        name=recipe.name,
        task=data.task,
        tokenizer=data.tokenizer,
        windows=data.task.windows(recipe.tokenizer.window, recipe.tokenizer.overlap),
        run=run,
        steps=data.steps,
    )
    teacher_NC = None
    if members.leads:
        if isinstance(data.task, Equipped):
            for name, content in data.task.files.items():
                (folder / name).write_bytes(content)
        device = str(members.device)
        teacher_NC = distill.teacher_probabilities(
            recipe, data.task, data.train, folder, device, listener
        )
    course = Supervised(
        recipe=recipe,
        network=net,
        model=model,
        train=Rows(data.train, data.ids, data.offsets),
        dev=data.dev,
        team=members,
        teacher_NC=members.share_tensor(teacher_NC),
        variants=augmented(recipe, data.train.documents, data.ids, model),
    )
    course.trace = Trace(course, folder) if trace and members.leads else untraced
    loop = Loop(course, folder, members, listener)
    parameters = sum(weight.numel() for weight in net.parameters())
    if members.leads:
        pieces = data.tokenizer.vocab_size
        counts = len(data.ids), len(data.dev.documents), parameters, pieces
        scratch = isinstance(data.task, Balanced) and not recipe.init.run
        labels = sum((Counter(file.labels) for file in data.train.files), Counter[str]())
        listener(Started(*counts, from_scratch=scratch, labels=tuple(labels.most_common())))
        if warning := lone_label(data.task, data.dev.golds):
            listener(Warned(f"dev: {warning}"))
    if members.agree([float(resumed)])[0]:
        loop.resume()
    state = loop.run()
    course.trace(state.step)
    if not members.leads:
        return None
    tensors, _ = checkpoint.load_tensors(folder / "model.safetensors")
    net.load_state_dict(tensors)
    network.learned(data.task, net)
    judge = Judge(model, data.dev, recipe.data.choose_by)
    if recipe.train.shift_labels:
        judge.fit_shift()
    judge.calibrate()
    summary = RunSummary(
        name=recipe.name,
        task={"name": recipe.task.name} | judge.task.describe(),
        vocab_size=data.tokenizer.vocab_size,
        parameters=parameters,
        epochs=state.looks,
        best_epoch=state.best_look,
        temperature=judge.temperature,
        dev=judge.scores(),
        dev_files=judge.by_file(),
        data={
            split: [file.to_dict() for file in rows.files]
            for split, rows in (("train", data.train), ("dev", data.dev))
        },
        init=provenance,
        teachers=list(recipe.distill.teachers),
        seconds=round(time.monotonic() - started, 1),
        versions={"nlpkit": __version__, "torch": torch.__version__},
    )
    summary.write(folder)
    return summary
