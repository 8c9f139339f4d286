"""Write the results of quality.py beside each recipe: models/NAME/eval.json and README.md.

    python benchmarks/record.py runs/quality.json

Systems named like a folder under models/ (or paths to bundles of that name) are recorded; all
others are shown as baselines.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    systems = {Path(name).name: system for name, system in report["systems"].items()}
    models = [name for name in systems if (ROOT / "models" / name).is_dir()]
    baselines = {name: system for name, system in systems.items() if name not in models}
    for name in models:
        folder = ROOT / "models" / name
        written = {
            "date": datetime.date.today().isoformat(),
            "commit": commit(),
            "test": systems[name]["scores"],
        }
        (folder / "eval.json").write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
        text = page(name, systems[name]["scores"], baselines)
        (folder / "README.md").write_text(text, encoding="utf-8")


def commit() -> str:
    """Return the commit that the models were measured at."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, check=True)
    return done.stdout.decode().strip()


def page(name: str, scores: dict[str, Any], baselines: dict[str, Any]) -> str:
    """Return the README.md of a model: its scores on every test set, beside the baselines."""
    has_recipe = (ROOT / "models" / name / "recipe.toml").exists()
    lines = [
        f"# {name}",
        "",
        ("The recipe is `recipe.toml`; the" if has_recipe else "The")
        + f" model card, with data and licences, is `export/{name}/README.md`.",
        "",
        "Macro-F1 (95% interval) on test sets, which training never used "
        "(`benchmarks/quality.py`), beside the baselines:",
        "",
        f"| test set | {name} | {' | '.join(baselines)} |",
        "|---|--:|" + "--:|" * len(baselines),
    ]
    for key, score in scores.items():
        baseline_scores = [system["scores"].get(key) for system in baselines.values()]
        cells = [f"{cell['macro_f1']:.3f}" if cell else "-" for cell in baseline_scores]
        lines.append(f"| {key} | {shown(score)} | {' | '.join(cells)} |")
    lines += ["", "Accuracy and calibration (ECE) of the same run:", ""]
    lines += ["| test set | rows | accuracy | ECE |", "|---|--:|--:|--:|"]
    for key, score in scores.items():
        lines.append(
            f"| {key} | {score.get('n', '')} | {score['accuracy']:.3f} | {score['ece']:.3f} |"
        )
    return "\n".join(lines) + "\n"


def shown(score: dict[str, Any]) -> str:
    """Return macro-F1 with its 95% interval, if it has one."""
    interval = score.get("macro_f1_interval")
    spread = f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else ""
    return f"{score['macro_f1']:.3f}{spread}"


if __name__ == "__main__":
    main()
