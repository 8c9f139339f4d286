"""Methods that weigh the words of a document for a label or an entity, one file each.

A method's file has

    OPENS     "any", "bundle" or "run": which models it explains; "bundle" opens it with `attention`
    SIGNED    whether a weight below 0 speaks against the label
    CAUTION   a sentence that is shown with every explanation, or ""
    weigh(model, score, asked) -> [weights of one document's units, ...]

`asked` are documents with their units and targets, and `score` asks the model for the scores of
variants (`nlpkit.explaining.scores`). Weights have any scale; a larger one supports the target
more.
"""
