"""What a search may change: every setting that says so by `tune=`, of each architecture.

Nothing is listed here. A new architecture is searched as soon as its own file is there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlpkit import catalog
from nlpkit.settings import declaration, recipe as recipes
from nlpkit.settings.recipe import Recipe

if TYPE_CHECKING:
    from optuna.trial import Trial

ARCHITECTURE = "architecture.name"


@dataclass(frozen=True)
class Knob:
    """One setting to search. `name` tells two architectures' settings of one key apart.

    What the recipe itself says is always within reach, so that it can be tried first.
    """

    key: str  # section.key, as --set takes it
    name: str
    own: Any
    tune: tuple[Any, ...] | list[Any]

    @property
    def choices(self) -> dict[str, Any]:
        """The allowed values by their TOML, the recipe's own last where it is not among them."""
        return {declaration.toml_value(value): value for value in (*self.tune, self.own)}

    @property
    def bounds(self) -> tuple[float, float, bool]:
        """Low, high, and whether the scale is logarithmic."""
        low, high, *scale = self.tune
        if scale and self.own <= 0:
            return low, high, True
        return min(low, self.own), max(high, self.own), bool(scale)

    def suggest(self, trial: Trial) -> Any:
        """Return the value that a trial takes."""
        if isinstance(self.tune, list):
            return self.choices[trial.suggest_categorical(self.name, list(self.choices))]
        low, high, log = self.bounds
        if all(isinstance(value, int) for value in (low, high, self.own)):
            return trial.suggest_int(self.name, int(low), int(high), log=log)
        return float(f"{trial.suggest_float(self.name, low, high, log=log):.3g}")

    def first(self) -> dict[str, Any]:
        """Return the recipe's own value as Optuna holds it; nothing where it has no place."""
        if isinstance(self.tune, list):
            return {self.name: declaration.toml_value(self.own)}
        low, high, _ = self.bounds
        return {self.name: self.own} if low <= self.own <= high else {}

    def __str__(self) -> str:
        """Return it as people read it: lr 0.0003..0.01 (log)."""
        key = self.key.partition(".")[2]
        if isinstance(self.tune, list):
            shown = "|".join(self.choices).replace('"', "")
            return f"{key} {shown}"
        low, high, log = self.bounds
        return f"{key} {low:g}..{high:g}{' (log)' if log else ''}"


@dataclass(frozen=True)
class Branch:
    """One architecture under a recipe: its base values and what may change of them."""

    name: str
    base: Recipe
    knobs: tuple[Knob, ...]

    def first(self) -> dict[str, Any]:
        """Return the parameters of the trial that changes nothing."""
        values: dict[str, Any] = {ARCHITECTURE: self.name}
        for knob in self.knobs:
            values |= knob.first()
        return values

    def suggest(self, trial: Trial) -> dict[str, Any]:
        """Return the values of a trial by section.key."""
        return {ARCHITECTURE: self.name} | {knob.key: knob.suggest(trial) for knob in self.knobs}

    def recipe(self, values: dict[str, Any]) -> Recipe:
        """Return the recipe with these values. Raises UsageError where they make none."""
        tree = self.base.to_dict()
        for item, value in values.items():
            section, _, key = item.partition(".")
            tree[section][key] = value
        return recipes.from_dict(tree, folder=self.base.folder, where="candidate")


def branch(base: Recipe, name: str, overrides: Sequence[str]) -> Branch:
    """Return what to search of one architecture; what `overrides` set is fixed.

    Another architecture than the recipe's own begins from its defaults.

    Raises:
        UsageError: there is no such architecture, or an override is wrong.
    """
    module = catalog.load("architectures", name)
    theirs = getattr(module, "TOKENIZER", {})
    tree = base.to_dict()
    if name != base.architecture.name:
        ours = getattr(catalog.load("architectures", base.architecture.name), "TOKENIZER", {})
        kept = {key: value for key, value in tree["tokenizer"].items() if key not in ours}
        tree |= {"architecture": {"name": name}, "tokenizer": kept | theirs}
    suiting = [item for item in overrides if knows(name, item)]
    made = recipes.from_dict(
        tree, folder=base.folder, where=f"architecture {name}", overrides=suiting
    )
    fixed = {_key(item) for item in suiting} | {f"tokenizer.{key}" for key in theirs}
    # A pretrained start comes with its tokenizer, and with sizes of its own.
    given = ("tokenizer.", "architecture.") if made.init.run else ()
    knobs = (knob for knob in _knobs(made) if not knob.key.startswith(given))
    return Branch(name, made, tuple(knob for knob in knobs if knob.key not in fixed))


def knows(architecture: str, override: str) -> bool:
    """Tell whether an override is one of other sections, or sets what this architecture has."""
    section, _, key = _key(override).partition(".")
    config = catalog.load("architectures", architecture).Config
    return section != "architecture" or key in {field.name for field in dataclasses.fields(config)}


def _key(override: str) -> str:
    return override.partition("=")[0].strip()


def _knobs(recipe: Recipe) -> Iterator[Knob]:
    parts = {kind: getattr(recipe, kind).config for kind in recipe.PARTS}
    sections = {kind: getattr(recipe, kind) for kind in recipe.SECTIONS}
    for kind, settings in (parts | sections).items():
        prefix = recipe.architecture.name if kind == "architecture" else kind
        for field in dataclasses.fields(settings):
            if tune := field.metadata.get("tune"):
                own = getattr(settings, field.name)
                yield Knob(f"{kind}.{field.name}", f"{prefix}.{field.name}", own, tune)
