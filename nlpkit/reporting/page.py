"""A report as one HTML page: inline SVG, no scripts, light and dark, fit to print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from nlpkit.answers.explanation import Weight
from nlpkit.pages import frame
from nlpkit.pages.words import coloured
from nlpkit.reporting import charts
from nlpkit.reporting.ui import Ui
from nlpkit.version import __version__

Values = dict[str, Any]
TOLD = 8  # aspects with quotes
DRAWN = 5  # least texts of a period whose shares are drawn


def page(values: Values, ui: Ui, title: str, *, masked: bool = False) -> str:
    """Return the page of a report (`nlpkit.jobs.report.make`)."""
    parts = [
        f"<style>{charts.STYLE}</style>\n",
        f"<p>{escape(ui.summary(values))}.</p>\n",
        _section(ui("feel"), _feel(values, ui)),
    ]
    if values["time"]:
        parts.append(_section(ui("time"), _time(values, ui)))
    parts += [_section(ui("by", name=name), _groups(name, values, ui)) for name in values["groups"]]
    if values["aspects"] is not None:
        parts.append(_section(ui("aspects"), "".join(_aspects(values["aspects"], ui))))
    parts.append(_section(ui("words"), "".join(_words(values, ui))))
    parts.append(_section(ui("quotes"), "".join(_quotes(values["quotes"], ui, masked))))
    parts.append(_section(ui("model"), _model(values, ui)))
    files = ", ".join("stdin" if path == "-" else path for path in values["files"])
    made = escape(ui("made", version=__version__, files=files))
    return frame.page(title, "".join(parts) + f'<p class="faint">{made}</p>\n', lang=ui.lang)


def _section(title: str, body: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}</section>\n" if body else ""


def _bar(labels: Values, ui: Ui, shades: dict[str, str]) -> str:
    shares = {label: share["share"] for label, share in labels.items()}
    about = ", ".join(f"{ui.label(label)} {ui.share(share)}" for label, share in shares.items())
    return charts.bar(shares, shades, about)


def _feel(values: Values, ui: Ui) -> str:
    labels, shades = values["labels"], charts.colours(list(values["labels"]))
    rows = [
        [
            f"{charts.dot(shades[label])}{escape(ui.label(label))}",
            ui.number(share["texts"]),
            f"<b>{ui.share(share['share'])}</b>",
            f"{ui.share(share['low'])} – {ui.share(share['high'])}",
        ]
        for label, share in labels.items()
    ]
    columns = [ui(key) for key in ("label", "counted", "share", "interval")]
    note = ui("raw") if values["errors"] is None else ui("off", errors=ui.share(values["errors"]))
    table = frame.table(ui("feel"), columns, rows, headed=True)
    return f'{_bar(labels, ui, shades)}{table}<p class="faint">{escape(note)}</p>\n'


def _groups(name: str, values: Values, ui: Ui) -> str:
    groups, others = values["groups"][name], values["others"][name]
    shades = charts.colours(list(values["labels"]))
    rows = [
        [
            escape(ui.shown(group["value"])),
            _bar(group["labels"], ui, shades),
            ui.number(group["texts"]),
            *(ui.share(share["share"]) for share in group["labels"].values()),
            escape(", ".join(map(ui.label, group["differs"]))),
        ]
        for group in groups
        if group["labels"]
    ]
    columns = [
        ui("value"),
        ui("share"),
        ui("texts"),
        *map(ui.label, values["labels"]),
        ui("differs"),
    ]
    table = frame.table(ui("value"), columns, rows, text=2, headed=True)
    note = ui("differs_note")
    if others["values"]:
        note += " " + ui("others", **{key: ui.number(n) for key, n in others.items()})
    return f'{table}<p class="faint">{escape(note)}</p>\n'


def _time(values: Values, ui: Ui) -> str:
    time, labels = values["time"], list(values["labels"])
    periods, shades = time["periods"], charts.colours(labels)
    names = [one["period"] for one in periods]
    series = {
        label: [
            one["labels"][label]["share"] if one["labels"] and one["texts"] >= DRAWN else None
            for one in periods
        ]
        for label in labels
    }
    marks = {label: [label in one["changed"] for one in periods] for label in labels}
    legend = " ".join(f"{charts.dot(shades[label])}{escape(ui.label(label))}" for label in labels)
    rows = [
        [
            escape(one["period"]),
            ui.number(one["texts"]),
            *(ui.share(one["labels"][k]["share"]) if one["labels"] else "–" for k in labels),
            escape(", ".join(map(ui.label, one["changed"]))),
        ]
        for one in periods
    ]
    columns = [ui("period"), ui("texts"), *map(ui.label, labels), ui("change")]
    chart = charts.lines(names, series, shades, ui("time"), marks)
    note = escape(ui("time_note", n=ui.number(time["undated"])))
    table = frame.table(ui("time"), columns, rows)
    return (
        f'<p>{legend}</p>\n{chart}<p class="faint">{note}</p>\n<details><summary>'
        f"{escape(ui('table'))}</summary>\n{table}</details>\n"
    )


def _aspects(found: Sequence[Values], ui: Ui) -> Iterator[str]:
    if not found:
        yield f"<p>{escape(ui('no_aspects'))}</p>\n"
        return
    rows = []
    dated = any("trend" in one for one in found)
    for one in found:
        whole = max(sum(one[p] for p in charts.POLARITY), 1)
        shares = {p: one[p] / whole for p in charts.POLARITY}
        about = ", ".join(f"{ui.label(p)} {ui.share(share)}" for p, share in shares.items())
        trend = _trend(one, ui) if dated else ""
        rows.append(
            [
                f'<span title="{escape(", ".join(one["forms"]))}">{escape(one["aspect"])}</span>',
                charts.bar(shares, charts.POLARITY, about),
                *([trend] if dated else []),
                ui.number(one["texts"]),
                *(ui.number(one[p]) for p in charts.POLARITY),
            ]
        )
    columns = [ui("aspect"), ui("polarity"), *([ui("trend")] if dated else []), ui("texts")]
    columns += map(ui.label, charts.POLARITY)
    yield frame.table(ui("aspects"), columns, rows, text=3 if dated else 2, headed=True)
    yield f'<p class="faint">{escape(ui("aspects_note"))}</p>\n'
    for one in found[:TOLD]:
        for polarity, key in (("negative", "complaints"), ("positive", "praise")):
            quotes = one["quotes"][polarity]
            if quotes:
                yield f"<h3>{escape(one['aspect'])}: {escape(ui(key).lower())}</h3>\n"
                yield "".join(_term(quote) for quote in quotes)


def _trend(one: Values, ui: Ui) -> str:
    change = ui(one["change"]) if one["change"] else ""
    return f"{charts.spark(one['trend'], ui('trend'))} {escape(change)}"


def _term(quote: Values) -> str:
    text, start, end = quote["text"], quote["start"], quote["end"]
    if start < 0:
        return f'<blockquote class="text">{escape(text)}</blockquote>\n'
    parts = escape(text[:start]), escape(text[start:end]), escape(text[end:])
    return f'<blockquote class="text">{parts[0]}<b>{parts[1]}</b>{parts[2]}</blockquote>\n'


def _words(values: Values, ui: Ui) -> Iterator[str]:
    words = values["words"]
    named = {ui.label(label): found for label, found in words["labels"].items()}
    tables = [(ui("label"), named)]
    for name, groups in words["groups"].items():
        tables.append((name, {ui.shown(value): found for value, found in groups.items()}))
    told = False
    for name, groups in tables:
        rows = [
            [escape(value), ", ".join(_word(one, ui) for one in found)]
            for value, found in groups.items()
            if found
        ]
        if rows:
            told = True
            yield frame.table(name, [name, ui("words")], rows, text=2)
    if told:
        yield f'<p class="faint">{escape(ui("words_note"))}</p>\n'


def _word(one: Values, ui: Ui) -> str:
    counts = f"{ui.number(one['here'])}, {ui.number(one['elsewhere'])}"
    return f'{escape(one["text"])} <span class="faint">({counts})</span>'


def _quotes(quotes: Values, ui: Ui, masked: bool) -> Iterator[str]:
    notes = [ui("quotes_note"), *([ui("masked")] if masked else [])]
    yield f'<p class="faint">{escape(" ".join(notes))}</p>\n'
    for kind in ("surest", "typical"):
        for label, own in quotes[kind].items():
            if own:
                yield f"<h3>{escape(ui(kind))}: {escape(ui.label(label))}</h3>\n"
                yield "".join(_quote(quote, ui) for quote in own)
    if quotes["mixed"]:
        yield f"<h3>{escape(ui('mixed'))}</h3>\n"
        yield "".join(_quote(quote, ui) for quote in quotes["mixed"])


def _quote(quote: Values, ui: Ui) -> str:
    words = [Weight(**word) for word in quote["words"]]
    label = f"{escape(ui.label(quote['label']))} {ui.share(quote['score'])}"
    shown = coloured(quote["text"], words)
    return (
        f'<blockquote><span class="text">{shown}</span> <span class="faint">{label}</span>'
        "</blockquote>\n"
    )


def _model(values: Values, ui: Ui) -> str:
    model = values["model"]
    dev = model["dev"]
    if not dev:
        return f"<p>{escape(ui('no_model_note', model=model['name']))}</p>\n"
    note = ui(
        "model_note",
        model=model["name"],
        n=ui.number(dev["n"]),
        accuracy=ui.share(dev["accuracy"]),
    )
    rows = [
        [escape(ui.label(label)), ui.share(row["precision"]), ui.share(row["recall"])]
        for label, row in dev.get("per_class", {}).items()
    ]
    columns = [ui("label"), ui("precision"), ui("recall")]
    return f"<p>{escape(note)}</p>\n{frame.table(ui('model'), columns, rows)}"
