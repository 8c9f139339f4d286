"""Read pretrained word vectors in the text format of word2vec."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nlpkit import records
from nlpkit.errors import InputError, quoted
from nlpkit.settings.files import resolve
from nlpkit.settings.recipe import Recipe
from nlpkit.text import WordVectors


def read(recipe: Recipe) -> WordVectors:
    """Return the words and vectors_VD (float32) of the file `tokenizer.vectors`.

    Without that setting there are no words, and vectors_VD is [0, 0].

    Raises:
        InputError: the file is missing or is not in that format.
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
        raise _format_error(path, str(problem)) from None
    if vectors_VD.shape != (count, width) or len(set(words)) != count:
        raise _format_error(
            path, f"{vectors_VD.shape} numbers, but the first line says {count} x {width}"
        )
    return WordVectors(words, vectors_VD)


def _format_error(path: Path, reason: str) -> InputError:
    return InputError(
        f"{quoted(path)}: not in word2vec's text format ({reason}); the first line holds the "
        "number of words and of columns, every other line a word and its numbers"
    )
