"""Heads: torch modules that turn an encoder's states into a task's outputs.

A head has

    forward(states_BTD, mask_BT, **forced) -> {name: Tensor}   # the outputs that the loss reads
    graphs(encoder) -> {name: nlpkit.heads.graph.Graph}        # the graphs to export and to run
    FORCED                     names of the task's targets that enter `forward` (teacher forcing)
"""
