"""Quantise matrices in blocks of 32 weights with a scale each, as bundles store them.

A weight is (code - 2 ** (bits - 1)) * scale. Scales are values of float16, which bundles store.

Legend: N rows, K columns, S blocks of a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

BLOCK = 32
TRANSPOSED = ".T"  # suffix of the name of a matrix that a graph stores transposed
LEAST = 1 << 17  # elements of a matrix that is quantised; smaller ones take no time to multiply
TRIED = tuple(np.linspace(1.0, 0.8, 5))  # shares of the largest weight that the scale may reach


class Blocks(NamedTuple):
    """A quantised matrix: codes_NK (uint8) and scales_NS (float32 with values of float16)."""

    codes_NK: np.ndarray
    scales_NS: np.ndarray


def is_wide(dims: Sequence[int], least: int | None = None) -> bool:
    """Tell whether a matrix of N rows and K columns is large enough to quantise in blocks.

    That is `least` elements, or LEAST if it is None.
    """
    enough = LEAST if least is None else least
    return len(dims) == 2 and dims[0] * dims[1] >= enough and dims[1] % BLOCK == 0


def quantised(matrix_NK: np.ndarray, bits: int) -> Blocks:
    """Return a matrix in blocks; K must be a multiple of BLOCK.

    A block's scale maps its largest weight, or a share of it, to the lowest code, and is the one of
    these with the least squared error. A matrix that was quantised this way before is unchanged.
    """
    rows, columns = matrix_NK.shape
    blocks = matrix_NK.reshape(rows, columns // BLOCK, BLOCK).astype(np.float32)
    middle = 1 << (bits - 1)
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(-1, keepdims=True), -1)
    best = np.full(largest.shape, np.inf, dtype=np.float32)
    codes, scales = np.zeros(blocks.shape, np.uint8), np.ones(largest.shape, np.float32)
    for share in TRIED if bits < 8 else (1.0,):
        scale = _half(largest * np.float32(share) / -middle)
        code = np.clip(np.rint(blocks / scale) + middle, 0, 2 * middle - 1)
        error = (((code - middle) * scale - blocks) ** 2).sum(-1, keepdims=True)
        better = error < best
        best = np.where(better, error, best)
        scales = np.where(better, scale, scales).astype(np.float32)
        codes = np.where(better, code, codes).astype(np.uint8)
    return Blocks(codes.reshape(rows, columns), scales[..., 0])


def exact(matrix_NK: np.ndarray) -> Blocks | None:
    """Return a matrix in blocks of 4 bits, or None if they do not hold it exactly."""
    blocks = quantised(matrix_NK, 4)
    return blocks if np.array_equal(restored(blocks, 4), matrix_NK) else None


def _half(scales: np.ndarray) -> np.ndarray:
    """Return scales that float16 holds; 1 for 0, whose weights are all 0.

    They are rounded away from 0, so that the largest weight of a block keeps a code.
    """
    most = np.finfo(np.float16).max
    bounded = scales.clip(-most, most)
    rounded = bounded.astype(np.float16)
    away = np.nextafter(rounded, np.copysign(np.float16(np.inf), bounded).astype(np.float16))
    rounded = np.where(np.abs(rounded) < np.abs(bounded), away, rounded).astype(np.float32)
    return np.where(rounded == 0, np.float32(1), rounded)


def restored(blocks: Blocks, bits: int) -> np.ndarray:
    """Return matrix_NK in float32."""
    middle = np.float32(1 << (bits - 1))
    values = blocks.codes_NK.astype(np.float32) - middle
    return values * np.repeat(blocks.scales_NS, BLOCK, axis=1)


def packed(codes_NK: np.ndarray, bits: int) -> np.ndarray:
    """Return codes as bytes: in 4 bits, the even columns are the low halves of the bytes."""
    return codes_NK if bits == 8 else codes_NK[:, 0::2] | (codes_NK[:, 1::2] << 4)


def unpacked(bytes_NK: np.ndarray, bits: int) -> np.ndarray:
    """Return codes_NK from `packed` bytes."""
    if bits == 8:
        return bytes_NK
    halves = np.stack([bytes_NK & 15, bytes_NK >> 4], axis=-1)
    return halves.reshape(len(bytes_NK), -1)
