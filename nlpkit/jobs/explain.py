"""Explain a model's answers, and write the explanations as a page of HTML."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, TextIO

from nlpkit import catalog, records, svg, zoo
from nlpkit.errors import ModelError, UsageError, quoted
from nlpkit.explaining import faithfulness, matrix
from nlpkit.explaining.explainer import Explainer
from nlpkit.jobs.evaluate import open_model
from nlpkit.jobs.predict import answers
from nlpkit.pages import frame
from nlpkit.pages.words import coloured, listed
from nlpkit.records.reading import documents
from nlpkit.records.target import check_apart
from nlpkit.runtime.graphs import ENCODE
from nlpkit.wording import plural

if TYPE_CHECKING:
    from types import ModuleType

    from nlpkit.answers.explanation import Explanation, Faithfulness
    from nlpkit.records.answered import Answered
    from nlpkit.records.reading import Reading
    from nlpkit.runtime.model import Model

DEFAULT = "occlusion"
MEASURED = 1000  # most texts whose explanations are measured in an evaluation


def open_explainer(
    name: str,
    method: str = DEFAULT,
    *,
    label: str | None = None,
    faithful: bool = True,
    device: str = "auto",
    precision: str = "auto",
) -> Explainer:
    """Load a model, a bundle or a run, as one that explains its answers by a method.

    Raises:
        ModelError: as `zoo.load`; or the method does not fit the model.
        UsageError: the method does not exist, or the model does not know the label.
    """
    module = method_of(method)
    model = open_for(module, name, device=device, precision=precision)
    return Explainer(model, module, label=label, faithful=faithful)


def open_for(module: ModuleType, name: str, *, device: str, precision: str) -> Model:
    """Load a bundle or a run as a method of explanation needs it; raises as `open_explainer`."""
    method = catalog.shown(module.__name__.rpartition(".")[2])
    if module.OPENS == "bundle":
        if zoo.is_run(name):
            raise UsageError(
                f"{quoted(name)}: a training run; --method {method} needs a bundle, which "
                f"'nlpkit export {quoted(name)} -o export/NAME' makes"
            )
        return zoo.load(name, device=device, precision=precision, attention=True)
    if module.OPENS == "run" and not zoo.is_run(name):
        raise ModelError(
            f"{quoted(name)}: --method {method} needs a training run, such as runs/mine; "
            "a bundle has no gradients"
        )
    return open_model(name, device=device, precision=precision)


def draw_matrix(
    name: str,
    reading: Reading,
    path: str,
    *,
    layer: int | None = None,
    head: int | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> None:
    """Draw the attention of the first text that is not blank, as an SVG file.

    Raises:
        ModelError: the model is no bundle whose network attends.
        UsageError: there is no text, layer or head, or the file is an input.
    """
    check_apart(path, reading.inputs)
    text = next((text for _, text in documents(reading) if text.strip()), None)
    if text is None:
        raise UsageError("--matrix draws the first text, but there is none")
    model = zoo.load(name, device=device, precision=precision, attention=True)
    of = matrix.of_translation if ENCODE in model.run.signatures else matrix.of_text
    drawn = of(model, text, layer, head)
    part = f"layer {layer or 'last'}, {f'head {head}' if head else 'mean of the heads'}"
    with records.write_output(path) as stream:
        stream.write(svg.heat(*drawn, title=f"Attention of {model.name}, {part}"))


def method_of(name: str) -> ModuleType:
    """Return the module of a method of explanation. Raises UsageError if there is none."""
    return catalog.load("explainers", name)


def faithful_scores(model: Any, method: str, texts: Sequence[str]) -> dict[str, float]:
    """Return the mean faithfulness of explanations of texts, of at most MEASURED drawn ones.

    Raises as `open_explainer`, but for a model that is open.
    """
    explainer = Explainer(model, method_of(method))
    drawn = texts if len(texts) <= MEASURED else random.Random(0).sample(texts, MEASURED)
    mean = measured(explainer.answer(drawn))
    return {} if mean is None else {name: round(n, 6) for name, n in mean._asdict().items()}


def measured(items: Iterable[Any]) -> Faithfulness | None:
    """Return the mean faithfulness of explanations, of answers or None."""
    each = (one.faithfulness for answer in items if answer for one in answer.each)
    return faithfulness.mean([one for one in each if one])


def write_page(explainer: Explainer, reading: Reading, stream: TextIO, title: str) -> int:
    """Write a page of the texts with their words in colour; return the number of records.

    The page needs no other file, no script and no network. Texts are written as they are answered,
    and the faithfulness of all of them below.
    """
    signed = explainer.method.SIGNED
    stream.write(frame.opening(title))
    stream.write(f"<p>{_key(explainer)}</p>\n")
    count, explained = 0, []
    for number, item in enumerate(answers(explainer, reading), 1):
        count = number
        explained.append(item.answer)
        stream.write(_section(item, number, signed))
    stream.write(f"<h2>{plural(count, 'document')}</h2>\n")
    if mean := measured(explained):
        stream.write(_faithfulness(mean, explainer.method.CAUTION))
    stream.write(frame.closing())
    return count


def _key(explainer: Explainer) -> str:
    mark = '<span class="w" style="background:rgb(var(--{}) / .45)">{}</span>'
    sides = [mark.format("for", "for the label")]
    sides += [mark.format("against", "against it")] if explainer.method.SIGNED else []
    name = catalog.shown(explainer.method.__name__.rpartition(".")[2])
    return f"{escape(explainer.name)}, {name}: words {', '.join(sides)}."


def _section(item: Answered, number: int, signed: bool) -> str:
    if item.answer is None:
        return f'<section><h2>{number}</h2>\n<p class="text">{escape(item.text)}</p></section>\n'
    parts = [_explained(item.text, one, number, signed) for one in item.answer.each]
    plain = f'<h2>{number}</h2>\n<p class="text">{escape(item.text)}</p>\n'
    return f"<section>{''.join(parts) or plain}</section>\n"


def _explained(text: str, one: Explanation, number: int, signed: bool) -> str:
    entity = f"{escape(one.text)}, " if one.start is not None else ""
    lines = [
        f"<h2>{number}. {entity}{escape(one.label)} {one.score:.1%}</h2>\n",
        f'<p class="text">{coloured(text, one.words, signed=signed)}</p>\n',
        f'<p class="faint">{listed(one, signed=signed)}</p>\n',
    ]
    return "".join(lines)


def _faithfulness(mean: Faithfulness, caution: str) -> str:
    rows: Sequence[tuple[str, float, float]] = [
        ("comprehensiveness (high is faithful)", mean[0], mean[2]),
        ("sufficiency (low is faithful)", mean[1], mean[3]),
    ]
    cells = [[name, f"{value:.3f}", f"{other:.3f}"] for name, value, other in rows]
    caption = (
        "How much the score falls without the strongest words, and with these alone: the mean over "
        "5% to 50% of the words (ERASER)"
    )
    note = f"<p>{escape(caution[:1].upper() + caution[1:])}.</p>\n" if caution else ""
    return frame.table(caption, ["measure", "these words", "random words"], cells) + note
