"""Decoders, one file each: networks that write a text token by token.

A decoder's file has a frozen keyword-only `Config` and a class `Decoder(config, source)`; `source`
is the width of the encoder's states that it reads, 0 for a language model, which has no source.

    embed                        the embedding of the tokens, which is the output layer too
    memory(states_BSD, mask_BS)  -> arrays of the source by name, computed once, with the mask as
                                 MASK; `memory_axes` has their axes
    start(memory)                -> states that follow from the source; `start_axes` has their axes
    state_axes                   the axes of all states, which pass from token to token; no state
                                 has the name of an array of `memory`
    forward(ids_BU, memory, states) -> (hidden_BUD, states)
    logits(hidden)               -> logits, V last
    one_by_one                   whether `forward` computes token after token, so that a graph of it
                                 reads one token at a time; False without a source, since a language
                                 model is asked for the surprise of a whole text at once

`forward` reads U tokens after those that made `states`, and returns their hidden states and the new
states. From empty states it reads a whole text (teacher forcing); with U = 1 it is a step of
generation, so that both compute the same. Empty states are zeros; the axis PAST, over earlier
tokens, has length 0. A language model's memory is {}.

Legend: B batch, S source, U new tokens, D width, V vocabulary.
"""

from __future__ import annotations
