"""The model card (Mitchell et al. 2019) of a bundle, from what training and the gate measured."""

from __future__ import annotations

from typing import Any


def model_card(manifest: dict[str, Any]) -> str:
    """Return README.md: use, scores, precisions, data with licences."""
    languages = ", ".join(manifest["languages"])
    dev = manifest["scores"]["dev"]
    parts = [
        f"# {manifest['name']}",
        f"{manifest['task']['name'].capitalize()} for {languages} by a "
        f"{manifest['architecture']['name']} of {manifest['parameters']:,} parameters; labels: "
        f"{', '.join(manifest['labels'])}. Made by nlpkit {manifest['tools']['nlpkit']}.",
        "## Use",
        f"```\nnlpkit predict --model {manifest['name']} FILE\n```\n\n"
        f"Reads {manifest['window']} tokens at once; a longer document is scored over windows that "
        f"share {manifest['overlap']} tokens. Scores are probabilities calibrated by a temperature "
        f"of {manifest['temperature']}, fitted on dev.",
        "## Scores",
        f"On dev ({dev['n']} documents, pooled): macro-F1 {dev['macro_f1']:.4f} "
        f"(95% interval {dev['macro_f1_interval'][0]:.4f} to {dev['macro_f1_interval'][1]:.4f}), "
        f"accuracy {dev['accuracy']:.4f}, expected calibration error {dev['ece']:.4f}. "
        "Dev chose the epoch and the temperature, so these flatter the model a little; "
        "scores on test sets stand in the recipe's eval.json.",
        "## Precisions",
        _precisions(manifest["precisions"]),
        "## Training data",
        _data(manifest["training"]["data"]["train"]),
        "## Limits",
        "Labels of several sets are derived (from stars, emotions or a review's field) and noisy; "
        "irony, mixed opinions and domains far from those above are where it errs most. "
        "It must not decide alone about people. The licences above bind those who retrain or "
        "redistribute: some are non-commercial or not stated.",
    ]
    return "\n\n".join(parts) + "\n"


def _precisions(entries: dict[str, Any]) -> str:
    head = (
        "| precision | MB | dev macro-F1 | same label as torch | docs/s |\n|---|---|---|---|---|\n"
    )
    rows = [
        f"| {name} | {entry['bytes'] / 1e6:.1f} | {entry['macro_f1']:.4f} "
        f"| {entry['agreement']:.2%} | {entry['docs_per_second']:,.0f} |"
        for name, entry in entries.items()
    ]
    return head + "\n".join(rows)


def _data(files: list[dict[str, Any]]) -> str:
    head = "| file | rows | labels | licence |\n|---|---|---|---|\n"
    rows = [
        f"| {entry['file']} | {entry['rows']} "
        f"| {', '.join(f'{label} {count}' for label, count in entry['labels'].items())} "
        f"| {entry['licence'] or 'not stated'} |"
        for entry in files
    ]
    return head + "\n".join(rows)
