"""Encoder architectures, one file each: a frozen `Config` and `Encoder(config)`.

An encoder maps ids_BT (int64) and mask_BT (bool, True where there is a token) to states_BTD. Every
row starts with its tokens and ends with its padding, and padding never changes the states of
tokens. The id 0 is padding. `Encoder.width` is D; `Encoder.pooling` names the pooling to use by
default: "max", "mean" or "attention". A file may also define `TOKENIZER`, its default tokenizer
settings, FINE_TUNING, settings of [train], [init] and [export] that suit a start from pretrained
weights, and `onnx_translations()`, ONNX translations of operators that torch's exporter lacks.

Legend: B batch, T time, D width, H heads, V vocabulary, F features or filters.
"""
