"""What a report says of many texts: shares, changes over time, aspects, words and quotes.

Plain functions over counts and texts; `nlpkit/jobs/report.py` runs the models and puts the parts
together.
"""
