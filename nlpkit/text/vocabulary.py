"""The vocabulary of a tokenizer.json of the library `tokenizers`: read it, renumber it, prune it.

A tree is the parsed JSON. Its model is a Unigram, BPE or WordPiece model.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

NEVER = -1000.0  # score of a special piece, so that the same characters in a text are plain text
KINDS = {"Unigram": "unigram", "BPE": "bpe", "WordPiece": "wordpiece"}


def pieces_of(tree: Mapping[str, Any]) -> list[str]:
    """Return the pieces of the model by id.

    Raises:
        ValueError: the model is of another type, or its ids have gaps.
    """
    model = tree["model"]
    if model.get("type") not in KINDS:
        raise ValueError(f"a tokenizer of type {model.get('type')}, not {', '.join(KINDS)}")
    if model["type"] == "Unigram":
        return [piece for piece, _ in model["vocab"]]
    pieces = [""] * len(model["vocab"])
    for piece, id in model["vocab"].items():
        if id >= len(pieces):
            raise ValueError(f"piece {piece!r} has the id {id}, but there are {len(pieces)} pieces")
        pieces[id] = piece
    return pieces


def renumbered(tree: Mapping[str, Any], ids: Sequence[int], specials: int) -> dict[str, Any]:
    """Return the tree with only the pieces `ids`, which get the ids 0, 1, 2 and so on.

    The first `specials` pieces stand for nothing in a text. Special tokens and post-processing are
    left out: the encoder itself adds bos and eos, and "[CLS]" in a text is plain text.
    """
    model = dict(tree["model"])
    pieces = pieces_of(tree)
    new = {pieces[id]: place for place, id in enumerate(ids)}
    if model["type"] == "Unigram":
        scores = [score for _, score in model["vocab"]]
        pairs = [[pieces[id], scores[id]] for id in ids]
        model["vocab"] = [[piece, NEVER] for piece, _ in pairs[:specials]] + pairs[specials:]
        model["unk_id"] = new[pieces[model["unk_id"]]]
    else:
        model["vocab"] = new
    if model["type"] == "BPE":
        model["merges"] = [pair for pair in model["merges"] if _merged(pair) <= new.keys()]
    kept: dict[str, Any] = {"model": model, "added_tokens": [], "post_processor": None}
    return {**tree, **kept, "truncation": None, "padding": None}


def with_parts(tree: Mapping[str, Any], ids: set[int]) -> set[int]:
    """Return `ids` and, for BPE, the ids of all pieces from which theirs are merged."""
    if tree["model"]["type"] != "BPE":
        return ids
    pieces = pieces_of(tree)
    by_piece = {piece: id for id, piece in enumerate(pieces)}
    closed = {pieces[id] for id in ids}
    for pair in reversed(tree["model"]["merges"]):  # later merges are built from earlier ones
        parts = _merged(pair)
        if "".join(_pair(pair)) in closed:
            closed |= parts
    return {by_piece[piece] for piece in closed if piece in by_piece}


def is_basic(piece: str) -> bool:
    """Tell whether a piece is a single character that pruning keeps, or holds an emoji.

    Basic are digits, signs, symbols and the letters of Latin script.
    """
    from emoji import emoji_count

    text = piece.removeprefix("##").strip("▁Ġ")
    if len(text) > 1:
        return emoji_count(text) > 0
    return not text or not text.isalpha() or "LATIN" in unicodedata.name(text, "")


def _pair(merge: Any) -> tuple[str, str]:
    first, second = merge.split(" ", 1) if isinstance(merge, str) else merge
    return first, second


def _merged(merge: Any) -> set[str]:
    """Return the two parts of a merge and their result."""
    first, second = _pair(merge)
    return {first, second, first + second}
