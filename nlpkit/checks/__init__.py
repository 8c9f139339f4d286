"""Checks of data before a training: one file is one check, its name with - for _ the check's name.

A new check is a new file here, or an entry point of the group `nlpkit.checks` in another package.
Its docstring begins with a line that says what it finds. It provides

    check(data)        yields a Finding for each thing that it found in `nlpkit.checking.data.Data`
    SAMPLE             rows in which it finds something, for the tests: {split: [(text, label)]},
                       label None for a row without one; the tests take it that rows should be
                       in Portuguese, labelled "yes" or "no", and no longer than 8 words

and, where it needs them,

    find(text, lang)   what is wrong with one text, as the note beside an example; "" is nothing.
                       It is asked of every text while the files are read, for their rows do not
                       keep the texts. `lang` is the language that texts should be in, or "any".
                       `check` then returns `nlpkit.checking.texts.texts_with(data, find, ...)`.
    ORDER = 45         its place among findings of one severity; checks without one come last,
                       by name

The top of a check's file imports the standard library and light modules of `nlpkit`; ftfy, spaCy
and the like are imported inside functions. What checks share lies in `nlpkit.checking`.
"""
