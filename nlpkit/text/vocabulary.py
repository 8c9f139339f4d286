"""The vocabulary of a tokenizer.json of the library `tokenizers`: read it, renumber it, prune it.

A tree is the parsed JSON. Its model is a Unigram, BPE or WordPiece model. Tokens that the file adds
to the model's own (`added_tokens`) are kept if they are not special: the tokenizer finds them in a
text before its model reads it, and they have the last ids.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from nlpkit.text.pieces import SPACE

KINDS = {"Unigram": "unigram", "BPE": "bpe", "WordPiece": "wordpiece"}
SUBWORDS = (*sorted(KINDS.values()), "bytelevel")  # the kinds of tokenizers with these models
# Marks of a piece: SPACE (Kudo & Richardson 2018) and BYTE_SPACE (byte-level BPE, Radford et al.
# 2019) begin a word, INSIDE (WordPiece, Devlin et al. 2019) continues one.
BYTE_SPACE, INSIDE = "Ġ", "##"
BYTE = re.compile("<0x[0-9A-F]{2}>")  # a byte, where unknown characters are read as bytes
LATIN_END = 0x250  # below: Latin letters, ª, º and µ, and all letters that stand for a byte


def pieces_of(tree: Mapping[str, Any]) -> dict[int, str]:
    """Return the pieces by id: those of the model in order, then the tokens that the file adds.

    Raises:
        ValueError: the model is of another type, or two tokens have the same id.
    """
    pieces = _of_model(tree["model"])
    known = set(pieces.values())
    for entry in tree["added_tokens"]:
        if entry["content"] not in known:
            if entry["id"] in pieces:
                raise ValueError(f"two tokens have the id {entry['id']}")
            pieces[entry["id"]] = entry["content"]
    return pieces


def silent(tree: Mapping[str, Any]) -> set[int]:
    """Return the ids of special tokens that only the file adds: no text gives them."""
    inside = _of_model(tree["model"])
    return {e["id"] for e in tree["added_tokens"] if e["special"] and e["id"] not in inside}


def renumbered(tree: Mapping[str, Any], ids: Sequence[int], specials: int) -> dict[str, Any]:
    """Return the tree with only the pieces `ids`, which get the ids 0, 1, 2 and so on.

    The first `specials` pieces stand for nothing in a text, and may be the same piece; the second
    is the unknown one. Special tokens and post-processing are left out: the encoder itself adds bos
    and eos, and "[CLS]" in a text is plain text, since a special piece gets a space that no word
    has. Tokens that the file adds must be the last of `ids`.
    """
    model = dict(tree["model"])
    pieces, inside = pieces_of(tree), _of_model(model)
    count = specials + sum(id in inside for id in ids[specials:])
    first = _unlike_words([pieces[id] for id in ids[:specials]])
    names = first + [pieces[id] for id in ids[specials:count]]
    new = {name: place for place, name in enumerate(names)}
    if model["type"] == "Unigram":
        worst = min(score for _, score in model["vocab"])  # unknown characters are below it
        pairs = [model["vocab"][id] for id in ids[specials:count]]
        model |= {"vocab": [[name, worst] for name in first] + pairs, "unk_id": 1}
    else:
        model["vocab"] = new
        if model["unk_token"] is not None:
            model["unk_token"] = first[1]
    if model["type"] == "BPE":
        model["merges"] = [pair for pair in model["merges"] if _merged(model, pair) <= new.keys()]
    place_of = {id: place for place, id in enumerate(ids)}
    added = [
        {**entry, "id": place_of[entry["id"]]}
        for entry in tree["added_tokens"]
        if not entry["special"] and entry["id"] in place_of
    ]
    kept: dict[str, Any] = {"model": model, "added_tokens": added, "post_processor": None}
    return {**tree, **kept, "truncation": None, "padding": None}


def with_parts(tree: Mapping[str, Any], ids: set[int]) -> set[int]:
    """Return `ids` and, for BPE, the ids of all pieces from which theirs are merged."""
    if tree["model"]["type"] != "BPE":
        return ids
    pieces = pieces_of(tree)
    by_piece = {piece: id for id, piece in pieces.items()}
    closed = {pieces[id] for id in ids}
    for pair in reversed(tree["model"]["merges"]):  # later merges are built from earlier ones
        parts = _merged(tree["model"], pair)
        if _result(tree["model"], pair) in closed:
            closed |= parts
    return {by_piece[piece] for piece in closed if piece in by_piece}


def basic(tree: Mapping[str, Any]) -> set[int]:
    """Return the ids that pruning keeps, even if a corpus lacks them.

    Those are emoji, single characters (digits, signs, symbols, the letters of Latin script), bytes
    and the tokens that the file adds.
    """
    in_bytes = is_byte_level(tree)
    added = {entry["id"] for entry in tree["added_tokens"]}
    return added | {
        id
        for id, piece in pieces_of(tree).items()
        if (in_bytes and len(piece) == 1) or _is_basic(text_of(piece, in_bytes), piece)
    }


def is_byte_level(tree: Mapping[str, Any]) -> bool:
    """Tell whether the characters of the pieces stand for bytes (Radford et al. 2019)."""
    parts = [tree.get(name) for name in ("normalizer", "pre_tokenizer", "decoder")]
    return '"ByteLevel"' in json.dumps(parts)


def mark_of(pieces: Iterable[str]) -> str:
    """Return the mark that most pieces have: SPACE, BYTE_SPACE or INSIDE; SPACE if none has one."""
    counts = dict.fromkeys((SPACE, BYTE_SPACE, INSIDE), 0)
    for piece in pieces:
        for mark in counts:
            counts[mark] += piece.startswith(mark)
    return max(counts, key=lambda mark: counts[mark])


def text_of(piece: str, in_bytes: bool) -> str:
    """Return the characters of a piece without its mark; U+FFFD for a part of a character."""
    if not in_bytes:
        return piece.removeprefix(INSIDE).strip(SPACE)
    letters = piece.strip(BYTE_SPACE)
    codes = [_bytes().get(letter) for letter in letters]
    if None in codes:
        return letters
    return bytes(code for code in codes if code is not None).decode("utf-8", "replace")


def _is_basic(text: str, piece: str) -> bool:
    from emoji import emoji_count

    if len(text) > 1:
        return emoji_count(text) > 0 or bool(BYTE.fullmatch(piece))
    if not text or not text.isalpha() or ord(text) < LATIN_END:
        return True
    return "LATIN" in unicodedata.name(text, "")


@cache
def _bytes() -> dict[str, int]:
    """Return the letter of each byte: itself if it can be seen, else the next one from U+0100."""
    seen = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    unseen = [byte for byte in range(256) if byte not in seen]
    return {chr(byte): byte for byte in seen} | {
        chr(0x100 + place): byte for place, byte in enumerate(unseen)
    }


def _of_model(model: Mapping[str, Any]) -> dict[int, str]:
    if model.get("type") not in KINDS:
        raise ValueError(f"a tokenizer of type {model.get('type')}, not {', '.join(KINDS)}")
    if model["type"] == "Unigram":
        return {id: piece for id, (piece, _) in enumerate(model["vocab"])}
    return {id: piece for piece, id in sorted(model["vocab"].items(), key=lambda item: item[1])}


def _unlike_words(pieces: Sequence[str]) -> list[str]:
    """Return different names for special pieces, which end in spaces, as no other piece does."""
    names: list[str] = []
    for piece in pieces:
        name = piece.rstrip(" ") + " "
        while name in names:  # pad, where it is unk too
            name += " "
        names.append(name)
    return names


def _pair(merge: Any) -> tuple[str, str]:
    first, second = merge.split(" ", 1) if isinstance(merge, str) else merge
    return first, second


def _result(model: Mapping[str, Any], merge: Any) -> str:
    first, second = _pair(merge)
    return first + second.removeprefix(model.get("continuing_subword_prefix") or "")


def _merged(model: Mapping[str, Any], merge: Any) -> set[str]:
    """Return the two parts of a merge and their result."""
    return {*_pair(merge), _result(model, merge)}
