"""The report of a training run as one HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from nlpkit import svg
from nlpkit.metrics import minimised, numbers
from nlpkit.pages import frame
from nlpkit.svg import Curve
from nlpkit.version import __version__

Values = Mapping[str, Any]
STYLE = """
<style>
.shade { position: relative; } pre { background: var(--box); padding: .8rem; overflow-x: auto;
  font-size: .85rem; } figure { margin: 1rem 0; }
</style>
"""


def page(values: Values) -> str:
    """Return the page of a run (`nlpkit.jobs.run_report.gather`)."""
    parts = [
        STYLE,
        _about(values),
        _section("Curves", "".join(_curves(values))),
        _section("Scores on dev", _scores(values["dev"])),
        _section("Confusion", _confusion(values["dev"])),
        _section("Calibration", _calibration(values.get("calibration", ()))),
        _section("By length", _lengths(values.get("lengths", ()))),
        _section("By file", _files(values["dev_files"], values["score"])),
        _section("Errors", "".join(_errors(values.get("errors", ())))),
        _section("Gradients", _gradients(values["gradients"])),
        _section("Data", "".join(_data(values["data"]))),
        _section("Recipe", f'<pre tabindex="0">{escape(values["recipe"])}</pre>\n'),
        f'<p class="faint">Made with nlpkit {__version__}.</p>\n',
    ]
    return frame.page(f"Training of {values['name']}", "".join(parts))


def _section(title: str, body: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}</section>\n" if body else ""


def _about(values: Values) -> str:
    minutes = values["seconds"] / 60
    text = (
        f"Task {values['task']}, architecture {values['architecture']}, "
        f"{values['parameters']:,} parameters, {values['vocab_size']:,} pieces. "
        f"Best epoch {values['best_epoch']} of {values['epochs']}, {minutes:,.1f} minutes."
    )
    if values["teachers"]:
        text += f" Distilled from {', '.join(values['teachers'])}."
    return f"<p>{escape(text)}</p>\n"


def _curves(values: Values) -> Iterator[str]:
    """Yield plots of the loss and of the score that chose the epoch, by evaluation."""
    curves = values["curves"]
    if len(curves) < 2:
        return
    loss = [(place, one["loss"]) for place, one in enumerate(curves, 1)]
    chosen = curves[-1]["score"]
    score = [(n, one[f"dev_{chosen}"]) for n, one in enumerate(curves, 1) if f"dev_{chosen}" in one]
    for name, points in (("training loss", loss), (f"dev {chosen}", score)):
        drawn = svg.curves(
            [Curve(name, points)], title=f"{name} by evaluation", across="evaluation", up=name
        )
        yield f"<figure>{drawn}</figure>\n"


def _scores(dev: Values) -> str:
    rows = [[escape(name), f"{value:.4f}"] for name, value in numbers(dict(dev)).items()]
    table = frame.table("Scores", ["score", "value"], rows)
    if "per_class" not in dev:
        return table
    labels = [
        [
            escape(label),
            *(f"{row[key]:.4f}" for key in ("precision", "recall", "f1")),
            f"{row['support']:,}",
        ]
        for label, row in dev["per_class"].items()
    ]
    columns = ["label", "precision", "recall", "F1", "support"]
    return table + frame.table("Scores by label", columns, labels)


def _confusion(dev: Values) -> str:
    """Return the confusion, the share of a row's texts as the strength of a cell's blue."""
    if "confusion" not in dev:
        return ""
    labels, rows = dev["labels"], []
    for label, counts in zip(labels, dev["confusion"], strict=True):
        total = max(sum(counts), 1)
        cells = [
            f'<span class="w" style="background:rgb(var(--for) / {0.45 * count / total:.2f})">'
            f"{count:,} ({count / total:.0%})</span>"
            for count in counts
        ]
        rows.append([escape(label), *cells])
    columns = ["true label", *(f"given {label}" for label in labels)]
    return frame.table("Texts by true and given label", columns, rows)


def _calibration(bins: Sequence[Values]) -> str:
    if not bins:
        return ""
    points = [(one["score"], one["right"]) for one in bins]
    drawn = svg.curves(
        [Curve("model", points), Curve("calibrated", [(points[0][0],) * 2, (1.0, 1.0)])],
        title="share of right answers by score",
        across="score",
        up="right",
    )
    rows = [[f"{one['score']:.3f}", f"{one['right']:.3f}", f"{one['n']:,}"] for one in bins]
    table = frame.table("Right answers by score", ["mean score", "right", "texts"], rows, text=0)
    return f"<figure>{drawn}</figure>\n{table}" if len(bins) > 1 else table


def _lengths(groups: Sequence[Values]) -> str:
    if not groups:
        return ""
    rows = [[escape(one["words"]), f"{one['n']:,}", f"{one['right']:.3f}"] for one in groups]
    return frame.table("Right answers by length", ["words", "texts", "right"], rows)


def _files(files: Sequence[Values], score: str) -> str:
    if not files:
        return ""
    order = sorted(files, key=lambda one: one[score], reverse=minimised(score))
    rows = [[escape(one["file"]), f"{one['rows']:,}", f"{one[score]:.4f}"] for one in order]
    return frame.table("Score by dev file, the worst first", ["file", "rows", score], rows)


def _errors(errors: Sequence[Values]) -> Iterator[str]:
    if not errors:
        return
    yield "<p>The surest of the wrong answers come first.</p>\n"
    for one in errors:
        score = "" if one["score"] is None else f" ({one['score']:.0%})"
        yield (
            f'<blockquote><div class="text">{escape(one["text"])}</div>'
            f'<div class="faint">true: {escape(one["gold"])}; given: '
            f"{escape(one['answer'])}{score}</div></blockquote>\n"
        )


def _gradients(traces: Sequence[Values]) -> str:
    if not traces:
        return ""
    drawn = [traces[0], traces[len(traces) // 2], traces[-1]] if len(traces) > 2 else traces
    plot = svg.curves(
        [Curve(f"step {one['step']:,}", list(enumerate(one["norms"]))) for one in drawn],
        title="norm of the gradient by distance in tokens",
        across="distance in tokens",
        up="norm",
        log=True,
    )
    return f"<figure>{plot}</figure>\n"


def _data(data: Values) -> Iterator[str]:
    for split, files in data.items():
        if not isinstance(files, list) or not files:
            continue
        rows = [
            [
                escape(str(one.get("file", ""))),
                escape(", ".join(f"{k} {n:,}" for k, n in (one.get("labels") or {}).items())),
                escape(str(one.get("licence", ""))),
                f"{one.get('rows', 0):,}",
            ]
            for one in files
        ]
        columns = ["file", "labels", "licence", "rows"]
        yield frame.table(f"Files of {split}", columns, rows, text=3)
