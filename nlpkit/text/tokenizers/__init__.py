"""The kinds of tokenizers, one file each; `nlpkit.text` has the contract."""
