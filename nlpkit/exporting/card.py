"""The model card (Mitchell et al. 2019) of a bundle, written from its manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nlpkit.abilities import Calibrated
from nlpkit.metrics import numbers
from nlpkit.runtime.graphs import ENCODE, STEP
from nlpkit.tasks import Task
from nlpkit.wording import plural


def model_card(manifest: dict[str, Any], task: Task, samples: str = "") -> str:
    """Return a bundle's README.md: use, scores, samples, precisions, training data and licences."""
    languages = ", ".join(manifest["languages"])
    dev, score = manifest["scores"]["dev"], manifest["score"]
    interval = dev.get(f"{score}_interval")
    spread = f" (95% interval {interval[0]:.4f} to {interval[1]:.4f})" if interval else ""
    others = [f"{key} {value:.4f}" for key, value in numbers(dev).items() if key != score]
    labels = f"; labels: {', '.join(manifest['labels'])}" if manifest["labels"] else ""
    parts = [
        f"# {manifest['name']}",
        f"{manifest['task']['name'].capitalize()} for {languages}; architecture "
        f"{manifest['architecture']['name']}, {manifest['parameters']:,} parameters{labels}. "
        f"Made by nlpkit {manifest['tools']['nlpkit']}.",
        "## Use",
        f"```\n{_use(manifest)}\n```\n\n{_reading(manifest, task)}{_calibration(task)}",
        "## Scores",
        f"On dev ({dev['n']} {task.unit}, pooled): "
        f"{', '.join([f'{score} {dev[score]:.4f}{spread}', *others])}. {_advice(manifest)}",
        *_by_file(manifest["scores"]["dev_files"], score),
        *([samples] if samples else []),
        "## Precisions",
        _precisions(manifest["precisions"], score),
        "## Training data",
        _origin(manifest["training"]),
        *_data(manifest["training"]["data"]["train"], manifest["training"]["data"].get("seen", [])),
        *_earlier(manifest["training"]["init"]),
        "## Limits",
        *([limits] if (limits := manifest["training"]["recipe"]["export"]["limits"]) else []),
        "The model learned from the data above, with their noise and bias, and errs most on texts "
        "of other domains. Do not let it make decisions about people on its own. The licences "
        "above bind those who retrain or redistribute it.",
    ]
    return "\n\n".join(parts) + "\n"


def continues_prompts(manifest: dict[str, Any]) -> bool:
    """Tell whether a bundle is a language model."""
    return STEP in manifest["graphs"] and ENCODE not in manifest["graphs"]


def _use(manifest: dict[str, Any]) -> str:
    """Return the commands that use the model."""
    predict = f"nlpkit predict --model {manifest['name']} FILE"
    if not continues_prompts(manifest):
        return predict
    generate = f'nlpkit generate --model {manifest["name"]} --prompt "..."'
    return f"{generate}\n{predict}   # the surprise of each line"


def _advice(manifest: dict[str, Any]) -> str:
    """Return how to read the scores on dev."""
    if not manifest["training"]["data"]["train"]:
        return "The gold vectors are those of the encoder before its export."
    return (
        "Dev chose the epoch, so these scores are slightly too high: measure the model on your own "
        f"data with `nlpkit evaluate {manifest['name']} FILE`."
    )


def _reading(manifest: dict[str, Any], task: Task) -> str:
    size = f"Reads {plural(manifest['window'], 'token')} at once; "
    if not task.windows.WHOLE:
        return f"{size}the rest of a longer document is not read."
    shared = plural(manifest["overlap"], "token")
    return f"{size}a longer document is read in windows that share {shared}."


def _calibration(task: Task) -> str:
    if not isinstance(task, Calibrated):
        return ""
    return (
        f" Scores are probabilities calibrated by a temperature of {task.temperature}, "
        "fitted on dev."
    )


def _by_file(files: list[dict[str, Any]], score: str) -> list[str]:
    """Return the table of scores by dev file, or [] where there is only one file."""
    if len(files) < 2:
        return []
    named = [key for key in numbers(files[0]) if key != score]
    head = f"| dev file | rows | {score} | {' | '.join(named)} |\n|---|--:|" + "--:|" * (
        1 + len(named)
    )
    rows = [
        f"| {file['file']} | {file['rows']} | "
        + " | ".join(f"{file[key]:.3f}" for key in [score, *named])
        + " |"
        for file in files
    ]
    return ["\n".join([head, *rows])]


def _origin(training: dict[str, Any]) -> str:
    """Return the sentences on pretraining and distillation, or that there was neither."""
    sentences = []
    if training["init"] and not training["data"]["train"]:
        sentences.append(f"This is the encoder {training['init']['name']}, without more training.")
    elif training["init"]:
        sentences.append(
            f"Training started from {training['init']['name']}, which learned from the texts below."
        )
    if training["teachers"]:
        sentences.append(
            "The model also learned from the probabilities of "
            f"{', '.join(Path(name).name for name in training['teachers'])} (distillation), which "
            "is the only use of rows without labels."
        )
    return " ".join(sentences) or "Trained from scratch on these rows."


def _earlier(init: dict[str, Any] | None) -> list[str]:
    """Return the tables of the runs that it started from, the latest first."""
    if not init:
        return []
    head = f"Earlier training ({init['name']}):\n\n| file | documents | licence |\n|---|--:|---|\n"
    rows = [
        f"| {entry['file']} | {entry['rows'] or '-'} | {entry['licence'] or 'not stated'} |"
        for entry in init["data"]["train"]
    ]
    return [*([head + "\n".join(rows)] if rows else []), *_earlier(init.get("init"))]


def _precisions(entries: dict[str, Any], score: str) -> str:
    head = f"| precision | MB | dev {score} | same as torch | docs/s |\n|---|---|---|---|---|\n"
    rows = [
        f"| {name} | {entry['bytes'] / 1e6:.1f} | {entry['score']:.4f} "
        f"| {entry['agreement']:.2%} | {entry['docs_per_second']:,.0f} |"
        for name, entry in entries.items()
    ]
    return head + "\n".join(rows)


def _data(files: list[dict[str, Any]], seen: list[dict[str, Any]]) -> list[str]:
    """Return the table of the training files, or [] if there are none."""
    if not files and not seen:
        return []
    head = "| file | rows | labels | licence |\n|---|---|---|---|\n"
    rows = [
        f"| {entry['file']} | {entry['rows']} "
        f"| {', '.join(f'{label} {count}' for label, count in entry['labels'].items())} "
        f"| {entry['licence'] or 'not stated'} |"
        for entry in files
    ]
    rows += [
        f"| {entry['path']} | text only, before training | - | {entry['licence'] or 'not stated'} |"
        for entry in seen
    ]
    return [head + "\n".join(rows)]
