"""What a check sees: all files that were read together, and what they are meant for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from nlpkit.checking.rows import File, Group

TRAIN, DEV, TEST, EXCLUDE = "train", "dev", "test", "exclude"


@dataclass(frozen=True)
class Data:
    """All files that are checked together, and what they are meant for."""

    files: Sequence[File]
    window: int
    unit: str  # how its tokens are counted
    lang: str = "any"  # the language that texts should be in
    training: bool = False  # a recipe's: training drops what stands in dev or in exclude
    known: Sequence[str] = ()  # the labels that the recipe's task has by itself

    @property
    def checked(self) -> list[File]:
        """The files whose own rows matter: excluded ones only tell what others must not hold."""
        return [file for file in self.files if file.split != EXCLUDE]

    @cached_property
    def copies(self) -> list[Group]:
        """The rows of each text that stands in more than one row, in their order.

        Two texts are the same where their letters are: case, punctuation, links and @names do not
        count.
        """
        found: dict[bytes, Group] = {}
        for file in self.files:
            for row in file.rows:
                if row.key is not None:
                    found.setdefault(row.key, []).append((file, row))
        return [group for group in found.values() if len(group) > 1]

    def labels(self) -> dict[str, Counter[str]]:
        """Return how many rows each split has of each label."""
        found: dict[str, Counter[str]] = {}
        for file in self.checked:
            if file.labelled:
                found.setdefault(file.split, Counter()).update(file.labels)
        return found
