"""Kinds of tokenizers, one file each; the contract is in `nlpkit.text`."""
