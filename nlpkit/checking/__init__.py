"""What the checks of `nlpkit.checks` share: the rows they see and the findings they make."""
