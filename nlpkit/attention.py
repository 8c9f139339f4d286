"""Self-attention that several architectures share.

Legend: B batch, T time, Q time of the queries (or 1), D width, H heads, K width of a head.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention


def attend(qkv: Tensor, mask_B1QT: Tensor, heads: int) -> Tensor:
    """Return mixed_BTD, scaled dot-product attention (Vaswani et al. 2017) of qkv, [B, T, 3D].

    The mask is True where a query may read a token; every query must read one.
    """
    batch, time, width = qkv.shape
    split = qkv.view(batch, time, 3, heads, width // 3 // heads)  # three of [B, T, H, K]
    query, key, value = (part.transpose(1, 2) for part in split.unbind(dim=2))
    if qkv.is_cuda:
        mixed_BHTK = scaled_dot_product_attention(query, key, value, attn_mask=mask_B1QT)
    else:
        mixed_BHTK = _written_out(query, key, value, mask_B1QT)
    return mixed_BHTK.transpose(1, 2).reshape(batch, time, width // 3)


def _written_out(query: Tensor, key: Tensor, value: Tensor, mask_B1QT: Tensor) -> Tensor:
    """Return mixed_BHTK by plain products.

    The gradient of torch's fused attention for CPUs takes a third of a training step.
    """
    scores_BHQT = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
    hidden = torch.finfo(scores_BHQT.dtype).min
    weights_BHQT = torch.softmax(scores_BHQT.masked_fill(~mask_B1QT, hidden), dim=-1)
    return weights_BHQT.to(value.dtype) @ value
