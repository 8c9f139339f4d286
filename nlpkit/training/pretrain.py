"""A pretraining run in a folder, which --resume continues after a kill.

recipe.toml        the resolved recipe       tokenizer.json     the tokenizer
corpus/            the text as ids           last.safetensors   the last checkpoint
metrics.jsonl      one line an evaluation    model.safetensors  the encoder at its best dev loss
run.json           the summary; written last
"""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import torch

from nlpkit import catalog, text
from nlpkit.errors import InputError
from nlpkit.records.rows import fingerprint
from nlpkit.runtime.device import cores
from nlpkit.settings.recipe import Pretraining
from nlpkit.text import Tokenizer
from nlpkit.training import checkpoint, corpus as corpora, init, network
from nlpkit.training.data import FileCount, fingerprints, unlabelled
from nlpkit.training.distributed import Team
from nlpkit.training.events import Listener, Started
from nlpkit.training.folder import at_work, begun
from nlpkit.training.loop import Loop
from nlpkit.training.selfsupervised import SelfSupervised, save_encoder
from nlpkit.training.sources import Source
from nlpkit.training.state import State
from nlpkit.training.summary import PretrainingSummary
from nlpkit.version import __version__

NONE_LEFT = "has no usable text: it names no file, or all texts are blank or also in dev or exclude"


def pretrain(
    recipe: Pretraining, folder: Path, *, device: str, resume: bool, listener: Listener
) -> PretrainingSummary | None:
    """Pretrain an encoder into `folder` and return its summary, which run.json stores.

    Processes other than the leader return None.

    Raises:
        UsageError: the folder already holds a run and `resume` is False, or the objective does not
            suit the architecture.
        InputError: the corpus has no usable text.
        DeviceError: torch cannot use the device.
    """
    threads = recipe.pretrain.threads
    with at_work(recipe, folder, device=device, threads=threads, resume=resume) as members:
        return _pretrain(recipe, folder, members, resume, listener)


def _pretrain(
    recipe: Pretraining, folder: Path, members: Team, resume: bool, listener: Listener
) -> PretrainingSummary | None:
    started = time.monotonic()
    settings, resumed = recipe.pretrain, resume and begun(folder)
    source, origin = init.start(recipe, folder, resumed, members.leads)
    # A resumed run has no source any more: its own tokenizer and corpus hold.
    if members.leads and not (resumed and (folder / "corpus" / "files.json").exists()):
        _prepare_corpus(recipe, folder, source)
    members.agree([0.0])  # the other processes wait here until the leader has written its files
    content = (folder / "tokenizer.json").read_text(encoding="utf-8")
    tokenizer = text.load(recipe.tokenizer.kind, content)
    train, dev = (corpora.read(folder / "corpus", name) for name in ("train", "dev"))
    torch.manual_seed(settings.seed)
    net = network.build_encoder(recipe.architecture, recipe.tokenizer.window, tokenizer)
    init.load(source, network.Network(net, torch.nn.Identity()))
    pieces = tokenizer.pieces(range(tokenizer.vocab_size))
    module = catalog.load("objectives", recipe.objective.name)
    parameters = sum(weight.numel() for weight in net.parameters())
    if members.leads:
        counts = (len(train.starts) - 1, len(dev.starts) - 1)
        listener(Started(*counts, parameters, tokenizer.vocab_size, tokens=len(train.ids)))
    steps, scores = 0, dict[str, float]()
    if hasattr(module, "fit"):
        if members.leads:  # `fit` has no steps to share among processes
            scores = module.fit(
                recipe.objective.config,
                net,
                pieces,
                train,
                seed=settings.seed,
                threads=settings.threads or cores(),
            )
            save_encoder(folder, net, 0, module.LEARNED)
    else:
        objective = module.Objective(recipe.objective.config, net, pieces).to(members.device)
        torch.manual_seed(settings.seed + members.rank)
        course = SelfSupervised(recipe, objective, net, (train, dev), members)
        loop = Loop(course, folder, members, listener)
        if members.agree([float(resumed)])[0]:
            loop.resume()
        state = loop.run()
        steps, scores = state.step, _best_scores(state)
    if not members.leads:
        return None
    summary = PretrainingSummary(
        name=recipe.name,
        objective=recipe.objective.name,
        architecture=recipe.architecture.name,
        vocab_size=tokenizer.vocab_size,
        parameters=parameters,
        steps=steps,
        dev=scores,
        data={name: _manifest(folder / "corpus")[name] for name in ("train", "dev")},
        init=origin,
        seconds=round(time.monotonic() - started, 1),
        versions={"nlpkit": __version__, "torch": torch.__version__},
    )
    summary.write(folder)
    return summary


def _best_scores(state: State) -> dict[str, float]:
    """Return the step and the dev scores of the best encoder."""
    if not state.best_look:
        return {}
    line = state.history[state.best_look - 1]
    return {key: value for key, value in line.items() if key == "step" or key.startswith("dev_")}


def _prepare_corpus(recipe: Pretraining, folder: Path, source: Source | None) -> None:
    """Learn the tokenizer or copy that of `source`, and tokenise the corpus, if not done before.

    Raises:
        InputError: [corpus] train or dev has no usable texts.
    """
    corpus_folder = folder / "corpus"
    given = source.tokenizer if source else ""
    digest = hashlib.sha256(repr((recipe.corpus, recipe.tokenizer, given)).encode())
    if (corpus_folder / "files.json").exists() and _manifest(corpus_folder)[
        "made_of"
    ] == digest.hexdigest():
        return
    excluded = fingerprints(recipe.corpus.exclude, recipe.folder)
    dev_files: list[FileCount] = []
    held_out = list(unlabelled(recipe.corpus.dev, recipe.folder, excluded, dev_files))
    if not held_out:
        raise InputError(f"[corpus] dev {NONE_LEFT}")
    excluded |= {fingerprint(text) for text in held_out}

    def documents(files: list[FileCount]) -> Any:
        return unlabelled(recipe.corpus.train, recipe.folder, excluded, files)

    texts = corpora.sample(documents([]), recipe.pretrain.seed) if not source else []
    if not (source or texts):
        raise InputError(f"[corpus] train {NONE_LEFT}")
    tokenizer = _tokenizer(recipe, source, texts)
    checkpoint.save_text(folder / "tokenizer.json", tokenizer.to_json())
    files: list[FileCount] = []
    corpora.write(documents(files), tokenizer, corpus_folder, "train")
    corpora.write(held_out, tokenizer, corpus_folder, "dev")
    read = {"train": files, "dev": dev_files}
    manifest: dict[str, Any] = {name: [file.to_dict() for file in of] for name, of in read.items()}
    manifest["made_of"] = digest.hexdigest()
    checkpoint.save_text(
        corpus_folder / "files.json", json.dumps(manifest, ensure_ascii=False, indent=1)
    )


def _tokenizer(recipe: Pretraining, source: Source | None, documents: list[str]) -> Tokenizer:
    """Return the tokenizer of the run to start from, or one learned from documents."""
    kind = recipe.tokenizer.kind
    if source:
        return text.load(kind, source.tokenizer)
    objective = catalog.load("objectives", recipe.objective.name)
    tokenizer: Tokenizer = catalog.load("tokenizers", kind).learn(
        documents, recipe.tokenizer, bounds=getattr(objective, "BOUNDS", False)
    )
    return tokenizer


def _manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "files.json").read_text(encoding="utf-8"))
    return manifest
