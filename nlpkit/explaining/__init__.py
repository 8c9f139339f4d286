"""Explain answers: the words of a document, what is left when some are left out, and how much the
model's score changes. The methods are in `nlpkit/explainers/`."""
