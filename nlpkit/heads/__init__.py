"""Torch modules that stand on an encoder. One file is one kind of head; a task chooses among them.

A head has

    forward(states_BTD, mask_BT, **forced) -> {name: Tensor}   # what the task's loss takes
    graphs(encoder) -> {name: nlpkit.heads.graph.Graph}        # to export and to answer with
    FORCED                     names of the task's targets that enter `forward` (teacher forcing)
"""
