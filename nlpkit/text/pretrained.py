"""Read a tokenizer.json that another program wrote, and find the ids that an encoder needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nlpkit.text import vocabulary

PADS = ("[PAD]", "<pad>")
PROBE = "a"  # a text with a token


@dataclass(frozen=True)
class Tokens:
    """The tree of a tokenizer.json, the ids of its special pieces and its highest id."""

    tree: Mapping[str, Any]
    pad: int
    unk: int
    bos: int
    eos: int
    last_id: int


def read(content: str, pad: int | None) -> Tokens:
    """Read the contents of a tokenizer.json.

    Args:
        content: the text of the file.
        pad: the padding id of the encoder, which is used if the tokenizer has no padding.

    Raises:
        ValueError: the content is damaged, or the tokenizer cannot be used; the message says why
            and what to do.
    """
    tree, bounds = _opened(content)
    pieces = vocabulary.pieces_of(tree)
    ids = {piece: id for id, piece in pieces.items()}
    if tree["padding"]:
        pad = tree["padding"]["pad_id"]
    else:
        pad = next((ids[name] for name in PADS if name in ids), pad)
    if pad not in pieces:
        raise ValueError("has no token for padding; add [PAD] and store the tokenizer again")
    return Tokens(tree, pad, _unknown(tree["model"], ids, pad), *bounds, max(pieces))


def _opened(content: str) -> tuple[dict[str, Any], tuple[int, int]]:
    """Return the tree as `tokenizers` understands it, and the ids of bos and eos.

    Raises:
        ValueError: the content is damaged, of another kind, or does not put bos and eos around a
            text.
    """
    from tokenizers import Tokenizer

    try:
        given = json.loads(content)
        kind = given["model"].get("type")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise ValueError(f"damaged ({problem}); get the file again") from None
    if kind is not None and kind not in vocabulary.KINDS:
        raise ValueError(
            f"its model is {kind}; nlpkit reads {', '.join(vocabulary.KINDS)}: choose another model"
        )
    try:
        tokenizer = Tokenizer.from_str(content)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        around = tokenizer.encode("").ids
        within = tokenizer.encode(PROBE).ids
        bare = tokenizer.encode(PROBE, add_special_tokens=False).ids
        tree = json.loads(tokenizer.to_str()) | {"padding": given.get("padding")}
    except Exception as problem:  # tokenizers raises bare Exception
        reason = str(problem).partition("\n")[0]
        raise ValueError(f"cannot be read ({reason}); store the tokenizer again") from None
    if len(around) != 2 or within != [around[0], *bare, around[1]]:
        raise ValueError(
            f"puts {len(around)} tokens around a text, and not one before and one after it; "
            "store the tokenizer again with such a post-processor, as that of BERT"
        )
    return tree, (around[0], around[1])


def _unknown(model: Mapping[str, Any], ids: Mapping[str, int], pad: int) -> int:
    """Return the id of the unknown piece; byte-level BPE may have none, and never gives it.

    Raises:
        ValueError: there is none, and the model needs one.
    """
    if model["type"] == "Unigram":
        unk: int | None = model["unk_id"]
    elif model["type"] == "BPE" and model["unk_token"] is None:
        return ids.get("<unk>", pad)
    else:
        unk = ids.get(model["unk_token"])
    if unk is None:
        raise ValueError("has no unknown token; add one and store the tokenizer again")
    return unk
