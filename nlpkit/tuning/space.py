"""The space of a search: every setting declared with `tune=`, for each architecture.

There is no list to edit: a new architecture is searched once its own file exists.
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
    """One setting to search. `name` is unique even where two architectures share a key.

    The recipe's own value is always among the values, so that it can be tried first.
    """

    key: str  # section.key, as in --set
    name: str
    own: Any
    tune: tuple[Any, ...] | list[Any]

    @property
    def choices(self) -> dict[str, Any]:
        """The values by their TOML text, with the recipe's own last if `tune` lacks it."""
        return {declaration.toml_value(value): value for value in (*self.tune, self.own)}

    @property
    def bounds(self) -> tuple[float, float, bool]:
        """(low, high, whether the scale is logarithmic), widened to the recipe's own value."""
        low, high, *scale = self.tune
        if scale and self.own <= 0:
            return low, high, True
        return min(low, self.own), max(high, self.own), bool(scale)

    def suggest(self, trial: Trial) -> Any:
        """Return the value that Optuna's trial suggests."""
        if isinstance(self.tune, list):
            return self.choices[trial.suggest_categorical(self.name, list(self.choices))]
        low, high, log = self.bounds
        if all(isinstance(value, int) for value in (low, high, self.own)):
            return trial.suggest_int(self.name, int(low), int(high), log=log)
        return float(f"{trial.suggest_float(self.name, low, high, log=log):.3g}")

    def first(self) -> dict[str, Any]:
        """Return {name: the recipe's own value}; empty where the bounds exclude it."""
        if isinstance(self.tune, list):
            return {self.name: declaration.toml_value(self.own)}
        low, high, _ = self.bounds
        return {self.name: self.own} if low <= self.own <= high else {}

    def __str__(self) -> str:
        """Return the key and its values, such as "lr 0.0003..0.01 (log)"."""
        key = self.key.partition(".")[2]
        if isinstance(self.tune, list):
            shown = "|".join(self.choices).replace('"', "")
            return f"{key} {shown}"
        low, high, log = self.bounds
        return f"{key} {low:g}..{high:g}{' (log)' if log else ''}"


@dataclass(frozen=True)
class Branch:
    """One architecture of a search: its base recipe and the settings to search."""

    name: str
    base: Recipe
    knobs: tuple[Knob, ...]

    def first(self) -> dict[str, Any]:
        """Return the parameters, by Optuna's names, of the unchanged base recipe."""
        values: dict[str, Any] = {ARCHITECTURE: self.name}
        for knob in self.knobs:
            values |= knob.first()
        return values

    def suggest(self, trial: Trial) -> dict[str, Any]:
        """Return the values that Optuna's trial suggests, by section.key."""
        return {ARCHITECTURE: self.name} | {knob.key: knob.suggest(trial) for knob in self.knobs}

    def recipe(self, values: dict[str, Any]) -> Recipe:
        """Return the base recipe with values by section.key.

        Raises:
            UsageError: the values do not make a valid recipe.
        """
        tree = self.base.to_dict()
        for item, value in values.items():
            section, _, key = item.partition(".")
            tree[section][key] = value
        return recipes.from_dict(tree, folder=self.base.folder, where="candidate")


def branch(base: Recipe, name: str, overrides: Sequence[str]) -> Branch:
    """Return the branch of one architecture; settings in `overrides` are fixed, not searched.

    An architecture other than the recipe's own starts from its defaults.

    Raises:
        UsageError: the architecture does not exist, or an override is invalid.
    """
    module = catalog.load("architectures", name)
    defaults = getattr(module, "TOKENIZER", {})
    tree = base.to_dict()
    if name != base.encoder.name:
        own_defaults = getattr(catalog.load("architectures", base.encoder.name), "TOKENIZER", {})
        tokenizer = {
            key: value for key, value in tree["tokenizer"].items() if key not in own_defaults
        }
        tree |= {"architecture": {"name": name}, "tokenizer": tokenizer | defaults}
    known = [item for item in overrides if knows(name, item)]
    recipe = recipes.from_dict(
        tree, folder=base.folder, where=f"architecture {name}", overrides=known
    )
    fixed = {_key(item) for item in known} | {f"tokenizer.{key}" for key in defaults}
    # A pretrained start fixes the tokenizer and the architecture's sizes.
    pretrained = ("tokenizer.", "architecture.") if recipe.init.run else ()
    knobs = (knob for knob in _knobs(recipe) if not knob.key.startswith(pretrained))
    return Branch(name, recipe, tuple(knob for knob in knobs if knob.key not in fixed))


def knows(architecture: str, override: str) -> bool:
    """Tell whether an override applies to an architecture.

    It does if it sets another section, or an [architecture] key that the architecture has.
    """
    section, _, key = _key(override).partition(".")
    config = catalog.load("architectures", architecture).Config
    return section != "architecture" or key in {field.name for field in dataclasses.fields(config)}


def _key(override: str) -> str:
    return override.partition("=")[0].strip()


def _knobs(recipe: Recipe) -> Iterator[Knob]:
    parts = {kind: getattr(recipe, kind).config for kind in recipe.PARTS}
    sections = {kind: getattr(recipe, kind) for kind in recipe.SECTIONS}
    for kind, settings in (parts | sections).items():
        prefix = recipe.encoder.name if kind == "architecture" else kind
        for field in dataclasses.fields(settings):
            if tune := field.metadata.get("tune"):
                own = getattr(settings, field.name)
                yield Knob(f"{kind}.{field.name}", f"{prefix}.{field.name}", own, tune)
