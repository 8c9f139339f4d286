"""Word vectors that were learned before, in word2vec's text format."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nlpkit import records
from nlpkit.errors import InputError
from nlpkit.settings.files import resolve
from nlpkit.settings.recipe import Recipe
from nlpkit.text import WordVectors


def read(recipe: Recipe) -> WordVectors:
    """Return the words and vectors_VD (float32) of `tokenizer.vectors`; none where none is set.

    Raises:
        InputError: the file is not there, or is not of that format.
    """
    if not recipe.tokenizer.vectors:
        return WordVectors((), np.zeros((0, 0), np.float32))
    (path, *_) = resolve(recipe.tokenizer.vectors, recipe.folder)
    with records.open_input(path) as stream:
        read = records.read(stream, "lines", records.Source(str(path)))
        lines = [record[records.TEXT].split() for record in read]
    try:
        count, width = map(int, lines[0])
        words = [row[0] for row in lines[1:]]
        vectors_VD = np.array([row[1:] for row in lines[1:]], dtype=np.float32)
    except ValueError as problem:
        raise _wrong(path, str(problem)) from None
    if vectors_VD.shape != (count, width) or len(set(words)) != count:
        raise _wrong(path, f"{vectors_VD.shape} numbers where {count} words of {width} are said")
    return WordVectors(words, vectors_VD)


def _wrong(path: Path, reason: str) -> InputError:
    return InputError(
        f"{path}: not word2vec text, a line with the number of words and of columns, then one "
        f"word and its numbers a line ({reason})"
    )
