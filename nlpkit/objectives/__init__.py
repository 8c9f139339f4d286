"""Pretraining objectives, one file each: what is learned from text without labels.

A file provides a frozen `Config` (the keys of `[objective]`) and a class `Objective`, a torch
module with

    Objective(config, encoder, pieces)  `encoder`: an architecture's Encoder; `pieces`: each id's
                                        text. Raises UsageError for an encoder that does not suit
    views(batch, rng)                   what the network is asked, from a Batch: named arrays. `rng`
                                        (numpy) decides all that is random
    forward(**views)                    the mean loss, as a torch scalar; views as tensors
    metrics                             of the last forward, plain floats (as floats or tensors)

or, where steps of gradient descent are not how it learns, a function

    fit(config, encoder, pieces, corpus, seed=, threads=)  changes the encoder's weights once for
                                        all and returns scores; LEARNED, how their names begin

Only the encoder's weights are kept: `nlpkit train --init RUN` starts from them.

Legend: B batch, T time, D width, V vocabulary, M predicted places.
"""
