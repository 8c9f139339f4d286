"""Measure bits per byte of baselines and of nlpkit's language models on held-out text.

    python benchmarks/language_models.py --train FILE ... --test FILE ... [--models NAME ...]

Files hold a document a line (.txt, .txt.xz), or rows with a `text` (.jsonl, .jsonl.xz). The bytes
are those of the documents in UTF-8, each with its newline, which stands for the end of a document.
The systems:
  Kneser-Ney  5-grams of the pieces of --tokenizer, or of a byte-level BPE learned from the training
              text (benchmarks/kneser_ney.py)
  xz          xz -9e, with a window over the whole text
  zstd        zstd -19, with a window over the whole text
  PPMd        PPMd variant I, order 16, with 3 GB of memory
  a bundle    by `python -m nlpkit evaluate BUNDLE FILE --to json`
A cold compressor has seen nothing before the held-out text, which is no fair baseline for a model
that was trained. So a second column says what the held-out text adds to the compressed training
text: size(training + held-out) - size(training). Compressors also learn from the held-out text
while they read it; Kneser-Ney does not. Install: pip install pyppmd
"""

from __future__ import annotations

import argparse
import json
import lzma
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from kneser_ney import KneserNey

CHECKOUT = str(Path(__file__).resolve().parents[1])
SEED = 1
CHUNK = 1000  # documents that are encoded at once, since an encoding is larger than its text
LEAST = 1 << 26  # bytes of the window of xz -9
MEMORY = 3 << 30  # bytes that PPMd may use; it forgets everything when they are full
Documents = list[str]
Size = Callable[[bytes], int]
Measure = Callable[[Documents], tuple[float | None, float | None]]  # bits, cold and trained
say = partial(print, file=sys.stderr, flush=True)


def main() -> None:
    given = arguments()
    train = sample([text for path in given.train for text in documents(path)], given.megabytes)
    tests = [(named(path), documents(path)) for path in given.test]
    parts = [*tests, *([("--train", train)] if given.train else [])]
    if empty := [name for name, texts in parts if not texts]:
        raise SystemExit(f"no documents in {', '.join(empty)}")
    say(f"training text: {len(train):,} documents, {size(train):,} bytes")
    print("| held-out | bytes | system | cold | after the training text |")
    print("|---|--:|---|--:|--:|")
    report = []
    for system, measure in systems(given, train):
        rows = [(name, size(texts), *measure(texts)) for name, texts in tests]
        columns = list(zip(*rows, strict=True))[1:]
        totals = [None if None in column else sum(column) for column in columns]
        for name, count, *bits in [*rows, ("all", *totals)]:
            values = [None if each is None else each / count for each in bits]
            cells = ["-" if value is None else f"{value:.3f}" for value in values]
            print(f"| {name} | {count:,} | {system} | {' | '.join(cells)} |", flush=True)
            report.append({"held_out": name, "bytes": count, "system": system, "bits": values})
    if given.output:
        given.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--train", nargs="+", type=Path, default=[], metavar="FILE")
    parser.add_argument("--test", nargs="+", type=Path, required=True, metavar="FILE")
    parser.add_argument(
        "--megabytes", type=float, metavar="MB", help="sample the training documents; default: all"
    )
    parser.add_argument(
        "--tokenizer", type=Path, metavar="PATH", help="a tokenizer.json, or the bundle's or run's"
    )
    parser.add_argument("--pieces", type=int, default=8000, help="of the BPE; default: %(default)s")
    parser.add_argument("--order", type=int, default=5, help="default: %(default)s")
    parser.add_argument(
        "--baselines", default="kneser-ney,xz,zstd,ppmd", help="default: %(default)s"
    )
    parser.add_argument("--models", nargs="+", default=[], metavar="NAME", help="nlpkit bundles")
    parser.add_argument("--output", type=Path, metavar="FILE.json")
    given = parser.parse_args()
    given.baselines = [name for name in given.baselines.split(",") if name]
    if unknown := set(given.baselines) - {"kneser-ney", *COMPRESSORS}:
        parser.error(f"no baseline {', '.join(unknown)}")
    if given.baselines and not given.train:
        parser.error("the baselines need --train FILE ...")
    return given


def documents(path: Path) -> Documents:
    """Return the documents of a file; one in several lines becomes one line."""
    opened = lzma.open if path.suffix == ".xz" else open
    with opened(path, "rt", encoding="utf-8", newline="\n") as lines:
        texts = [line.removesuffix("\n") for line in lines]
    if ".jsonl" in path.suffixes:
        return [" ".join(json.loads(text)["text"].splitlines()) for text in texts]
    return texts


def sample(texts: Documents, megabytes: float | None) -> Documents:
    """Return documents of about so many MB, or all, in an order drawn with a fixed seed."""
    random.Random(SEED).shuffle(texts)
    chosen, room = [], megabytes * 1e6 if megabytes else float("inf")
    for text in texts:
        if room <= 0:
            break
        chosen.append(text)
        room -= size([text])
    return chosen


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.name.partition('.')[0]}"


def size(texts: Documents) -> int:
    return len(joined(texts))


def joined(texts: Documents) -> bytes:
    return "".join(f"{text}\n" for text in texts).encode()


def systems(given: argparse.Namespace, train: Documents) -> Iterator[tuple[str, Measure]]:
    """Yield the name of each system and its function from held-out documents to bits."""
    for name in given.baselines:
        if name == "kneser-ney":
            tokenizer = tokenizer_of(given, train)
            say(f"learning {given.order}-grams")
            pieces = tokenizer.get_vocab_size()
            model = KneserNey(encoded(tokenizer, train), pieces, given.order)
            title = f"Kneser-Ney, order {given.order}, {pieces:,} pieces"
            yield title, partial(by_pieces, model, tokenizer)
        else:
            title, compressed_size = COMPRESSORS[name]
            say(f"compressing the training text by {title}")
            before = joined(train)
            known = compressed_size(before)
            yield title, partial(by_compressor, compressed_size, before, known)
    for name in given.models:
        yield name, partial(by_bundle, name)


def tokenizer_of(given: argparse.Namespace, train: Documents) -> Any:
    """Return the tokenizer that is given, or a byte-level BPE learned from the training text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    if path := given.tokenizer:
        return Tokenizer.from_file(str(path / "tokenizer.json" if path.is_dir() else path))
    say(f"learning a byte-level BPE of {given.pieces:,} pieces")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=given.pieces,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(train, trainer)
    return tokenizer


def encoded(tokenizer: Any, texts: Documents) -> Iterator[list[int]]:
    """Yield the piece ids of each document."""
    for first in range(0, len(texts), CHUNK):
        chunk = texts[first : first + CHUNK]
        yield from (each.ids for each in tokenizer.encode_batch_fast(chunk, False))


def by_pieces(model: KneserNey, tokenizer: Any, texts: Documents) -> tuple[None, float]:
    """Return the bits of the pieces, and tell if they do not spell the documents.

    A tokenizer that normalises texts or has unknown pieces loses what it need not predict.
    """
    ids = list(encoded(tokenizer, texts))
    spelled = tokenizer.decode_batch(ids, skip_special_tokens=False)
    if lost := sum(map(str.__ne__, spelled, texts)):
        say(f"too few bits: the tokenizer changes {lost:,} of {len(texts):,} documents")
    return None, float(model.bits(ids).sum())


def by_compressor(
    compressed_size: Size, before: bytes, known: int, texts: Documents
) -> tuple[float, float]:
    data = joined(texts)
    return 8.0 * compressed_size(data), 8.0 * (compressed_size(before + data) - known)


def by_bundle(name: str, texts: Documents) -> tuple[None, float]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "held-out.txt"
        file.write_bytes(joined(texts))
        command = [sys.executable, "-m", "nlpkit", "evaluate", name, str(file), "--to", "json"]
        environment = os.environ | {"PYTHONPATH": CHECKOUT}
        scores = json.loads(subprocess.check_output(command, env=environment))
    return None, scores["bits_per_byte"] * size(texts)


def xz(data: bytes) -> int:
    window = min(max(LEAST, len(data)), 1 << 30)
    preset = 9 | lzma.PRESET_EXTREME
    filters = [{"id": lzma.FILTER_LZMA2, "preset": preset, "dict_size": window}]
    return len(lzma.compress(data, filters=filters))


def zstd(data: bytes) -> int:
    if sys.version_info >= (3, 14):
        from compression.zstd import CompressionParameter, compress
    else:
        from backports.zstd import CompressionParameter, compress

    window = min(max(LEAST, len(data)).bit_length(), 30)
    level, log = CompressionParameter.compression_level, CompressionParameter.window_log
    return len(compress(data, options={level: 19, log: window}))


def ppmd(data: bytes) -> int:
    from pyppmd import Ppmd8Encoder

    encoder = Ppmd8Encoder(16, MEMORY)
    return len(encoder.encode(data)) + len(encoder.flush())


COMPRESSORS: dict[str, tuple[str, Size]] = {
    "xz": ("xz -9e", xz),
    "zstd": ("zstd -19", zstd),
    "ppmd": ("PPMd, order 16", ppmd),
}

if __name__ == "__main__":
    main()
