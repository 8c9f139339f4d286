"""Networks, one file each: a frozen `Config` and `Encoder(config)`.

An encoder maps ids_BT (int64) and mask_BT (bool, True where there is a token; every row starts
with its tokens and ends with its padding) to states_BTD. Real states never depend on padding.
`Encoder.width` is D and `Encoder.pooling` the pooling that suits it. A file may also have
`TOKENIZER`, tokenizer settings other than the usual ones, and `onnx_translations()`, operators that
torch's exporter lacks.

Legend: B batch, T time, D width, H heads, V vocabulary, F features or filters.
"""
