"""spaCy's tokenizer rules, without what a tokenizer does not need.

`import spacy` takes 2.2 s where torch is installed: thinc imports torch, and spaCy its own command
line. A blank tokenizer uses neither. In our own process (LEAN) both are left out while spaCy is
imported, as if they were not installed; trained pipelines, which may need torch, need it whole.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import machinery, util
from pathlib import Path
from typing import Any

LEAN = False  # True in our command line; a program that imports nlpkit gets the whole spaCy


def blank(lang: str) -> Any:
    """Return spaCy's blank pipeline of a language: its tokenizer."""
    if LEAN and "spacy" not in sys.modules and "torch" not in sys.modules:
        with _left_out():
            import spacy
    else:
        import spacy
    return spacy.blank(lang)


@contextmanager
def _left_out() -> Iterator[None]:
    """Make `import torch` fail and spaCy's command line an empty module, for a while."""
    cli, info = types.ModuleType("spacy.cli"), types.ModuleType("spacy.cli.info")
    cli.__path__ = []
    info.info = None  # type: ignore[attr-defined]
    stubs: dict[str, Any] = {"torch": None, "spacy.cli": cli, "spacy.cli.info": info}
    sys.modules.update(stubs)
    try:
        yield
    finally:
        for name in stubs:
            sys.modules.pop(name, None)


def stop_words(lang: str) -> frozenset[str]:
    """Return spaCy's list, read from its file alone: it is data that imports nothing."""
    package = util.find_spec("spacy")
    assert package is not None and package.origin is not None  # a dependency of ours
    path = Path(package.origin).parent / "lang" / lang / "stop_words.py"
    module = types.ModuleType("stop_words")
    machinery.SourceFileLoader("stop_words", str(path)).exec_module(module)
    return frozenset(module.STOP_WORDS)
