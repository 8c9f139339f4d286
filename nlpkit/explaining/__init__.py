"""Explain answers: leave words out of a document and measure how much the model's score changes.

The methods are in `nlpkit/explainers/`.
"""
