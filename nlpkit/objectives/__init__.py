"""Pretraining objectives, one file each: losses that need text but no labels.

A file provides a frozen `Config` (the keys of `[objective]`) and a class `Objective`, a torch
module with

    Objective(config, encoder, pieces)  `encoder`: an architecture's Encoder; `pieces`: each id's
                                        text. Raises UsageError for an unsuitable encoder
    views(batch, rng)                   named numpy arrays made of a Batch, the inputs of `forward`;
                                        every random choice comes from `rng` (numpy)
    forward(**views)                    the mean loss, a torch scalar; the views are tensors here
    metrics                             scores of the last forward, floats or scalar tensors

or, for an objective that does not learn by gradient descent, a function

    fit(config, encoder, pieces, corpus, seed=, threads=)  sets the encoder's weights in one call
                                        and returns scores; LEARNED is the name prefix of the
                                        weights that it sets

Only the encoder's weights are kept: `nlpkit train --init RUN` starts from them.

Legend: B batch, T time, D width, V vocabulary, M predicted positions.
"""
