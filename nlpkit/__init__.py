"""nlpkit: NLP for people who work in a shell, Portuguese first.

Importing this package costs nothing: the public names are resolved when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nlpkit.chain import pipeline as pipeline
    from nlpkit.runtime.model import load as load

__version__ = "0.1.0"
__all__ = ["__version__", "load", "pipeline"]


def __getattr__(name: str) -> Any:
    if name == "load":
        from nlpkit.runtime.model import load

        return load
    if name == "pipeline":
        from nlpkit.chain import pipeline

        return pipeline
    raise AttributeError(f"module 'nlpkit' has no attribute {name!r}")
