"""The checks of `nlpkit debug-data`: one file is one check, named after the file with - for _.

A new check is a new file here, or an entry point of the group `nlpkit.checks` in another package.
The first line of its docstring says what it finds. The file provides

    check(data)        yields a Finding for each problem of the `nlpkit.checking.data.Data`
    SAMPLE             rows with the problem, for the tests: {split: [(text, label)]}, label None
                       for a row without one; the tests expect texts in Portuguese, the labels
                       "yes" and "no", and at most 8 words

and may provide

    find(text, lang)   the problem of one text, shown as the note of an example, or "".
                       It is called for every text while the files are read, because rows do not
                       keep their texts. `lang` is the language that texts should be in, or "any".
                       `check` then returns `nlpkit.checking.texts.texts_with(data, find, ...)`.
    ORDER = 45         position among findings of the same severity; checks without one come last,
                       sorted by name

The top of a check's file imports the standard library and light modules of `nlpkit`; ftfy, spaCy
and other heavy packages are imported inside functions. Shared code is in `nlpkit.checking`.
"""
