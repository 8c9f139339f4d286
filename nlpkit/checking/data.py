"""The input of a check: all data files and the settings that they are checked against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from nlpkit.checking.rows import File, Group

TRAIN, DEV, TEST, EXCLUDE = "train", "dev", "test", "exclude"


@dataclass(frozen=True)
class Data:
    """All files that are checked together, and the settings that they are checked against."""

    files: Sequence[File]
    window: int  # tokens
    unit: str  # how the tokens are counted, for messages
    lang: str = "any"  # the language that texts should be in
    training: bool = False  # of a recipe: training leaves out the texts of dev and exclude
    known: Sequence[str] = ()  # the labels that the recipe's task defines

    @property
    def checked(self) -> list[File]:
        """The files whose rows are checked; excluded files are only compared with them."""
        return [file for file in self.files if file.split != EXCLUDE]

    @cached_property
    def copies(self) -> list[Group]:
        """Groups of two or more rows that have the same text, in the order of the files.

        Texts are the same if their letters are; case, punctuation, links and @names are ignored.
        """
        groups: dict[bytes, Group] = {}
        for file in self.files:
            for row in file.rows:
                if row.key is not None:
                    groups.setdefault(row.key, []).append((file, row))
        return [group for group in groups.values() if len(group) > 1]

    def labels(self) -> dict[str, Counter[str]]:
        """Return the number of rows of each label in each split: split -> label -> rows."""
        counts: dict[str, Counter[str]] = {}
        for file in self.checked:
            if file.labelled:
                counts.setdefault(file.split, Counter()).update(file.labels)
        return counts
