"""Portuguese verb forms: the paradigms of mlconjug3, lent to verbs that it lacks.

mlconjug3 (MIT) names a template for each of 15,267 verbs. A verb that it lacks, such as
"identificar", takes the template of the verbs that share its longest ending, such as "edificar".
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

LONGEST, LEAST = 8, 2  # letters of the endings that are compared
REFLEXIVE = "-se"  # such paradigms lack the forms before a pronoun
# The simple tenses of mlconjug3, with Mood, Tense and VerbForm as Universal Dependencies has them.
TENSES = {
    "Indicativo presente": "Ind Pres",
    "Indicativo pretérito perfeito simples": "Ind Past",
    "Indicativo pretérito imperfeito": "Ind Imp",
    "Indicativo Pretérito Mais-que-Perfeito Simples": "Ind Pqp",
    "Indicativo Futuro do Presente Simples": "Ind Fut",
    "Condicional Futuro do Pretérito Simples": "Cnd",
    "Conjuntivo / Subjuntivo Presente": "Sub Pres",
    "Conjuntivo / Subjuntivo Pretérito Imperfeito": "Sub Imp",
    "Conjuntivo / Subjuntivo Futuro Simples": "Sub Fut",
    "Imperativo Afirmativo": "Imp",
    "Imperativo Negativo": "Imp",
    "Infinitivo Pessoal Presente": "Inf",
    "Gerúndio": "Ger",
    "Particípio": "Part",
}
ENDS = ("o", "a", "os", "as")  # of participles
PERSONS = ("1 Sing", "2 Sing", "3 Sing", "1 Plur", "2 Plur", "3 Plur")


class Form(NamedTuple):
    """A form of a verb; `person` is "" for a gerund, and the ending of a participle."""

    form: str
    verb: str
    tense: str
    person: str


class Verbs:
    """The paradigms by template, and the template of each verb."""

    def __init__(self) -> None:
        spec = find_spec("mlconjug3")
        if spec is None or not spec.origin:
            raise SystemExit("pip install mlconjug3")
        folder = Path(spec.origin).parent / "data" / "conjug_manager"
        self.tables = _read(folder / "conjugation-pt.json")
        self.templates = {
            verb: entry["template"]
            for verb, entry in _read(folder / "verbs-pt.json").items()
            if verb.isalpha() and not entry["template"].endswith(REFLEXIVE)
        }
        self.endings = _votes(self.templates)

    def add(self, verbs: Iterable[str]) -> None:
        """Give a template to each verb that has none."""
        for verb in verbs:
            if verb not in self.templates and (template := self._nearest(verb)):
                self.templates[verb] = template

    def _nearest(self, verb: str) -> str | None:
        """Return the template of most of the verbs with the longest ending in common."""
        for length in range(min(LONGEST, len(verb)), LEAST - 1, -1):
            votes = self.endings.get(verb[-length:], Counter())
            for template, _ in votes.most_common():
                if verb.endswith(_ending(template)):
                    return template
        return None

    def forms(self) -> Iterator[Form]:
        """Yield the forms of the simple tenses, and those of each participle."""
        used = {name: tuple(_suffixes(self.tables[name])) for name in set(self.templates.values())}
        for verb, template in self.templates.items():
            root = verb.removesuffix(_ending(template))
            yield Form(verb, verb, "Inf", "")
            # The regular participle, also of verbs whose table has the irregular one only.
            stem = verb[:-2] + {"ar": "ad"}.get(verb[-2:], "id")
            yield from (Form(stem + end, verb, "Part", end) for end in ENDS)
            for suffix, tense, person in used[template]:
                form = (root + suffix).replace("ii", "i")  # "negociio" in the table of "negociar"
                if form.isalpha():
                    yield Form(form, verb, tense, person)


def _ending(template: str) -> str:
    """Return what a template replaces at the end of an infinitive."""
    return template.partition(":")[2]


def _votes(templates: dict[str, str]) -> dict[str, Counter[str]]:
    endings: dict[str, Counter[str]] = {}
    for verb, template in templates.items():
        for length in range(LEAST, min(LONGEST, len(verb)) + 1):
            endings.setdefault(verb[-length:], Counter())[template] += 1
    return endings


def _suffixes(table: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield (suffix, tense, person)."""
    for tenses in table.values():
        for name, cells in tenses.items():
            tense = TENSES.get(name.encode("latin-1").decode("utf-8"))  # the file has mojibake
            if tense is None:
                continue
            for person, suffix in cells:
                if not suffix:
                    continue
                if tense == "Part" and suffix.endswith("o"):
                    yield from ((suffix[:-1] + end, tense, end) for end in ENDS)
                elif tense == "Ger":
                    if person == 0:  # the other is the participle
                        yield suffix, tense, ""
                else:
                    yield suffix, tense, PERSONS[person] if tense != "Part" else ""


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
