"""Find the aspects of reviews: entities whose types are polarities."""

from __future__ import annotations

import dataclasses
from copy import copy

from nlpkit.answers.aspects import Aspects
from nlpkit.answers.entities import Entities
from nlpkit.errors import ModelError
from nlpkit.runtime.model import Model

DEFAULT = "aspects-pt"
POLARITIES = ("negative", "neutral", "positive")


def aspect_finder(model: Model) -> Model:
    """Return the model as one whose answers are aspects.

    Raises:
        ModelError: its answers are not entities, or their types are not polarities.
    """
    task = model.task
    if not issubclass(task.answers, Entities) or not set(task.shown) <= set(POLARITIES):
        raise ModelError(
            f"{model.name}: aspects need a model of entities whose types are among "
            f"{', '.join(POLARITIES)}, such as {DEFAULT}"
        )
    task = copy(task)
    task.answers = Aspects
    return dataclasses.replace(model, task=task)
