"""The data that checks read and the findings that they report; the checks are `nlpkit.checks`."""
