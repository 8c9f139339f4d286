"""What --to json prints."""

from __future__ import annotations

import json
from typing import Any

from nlpkit.wording import rounded


def print_json(value: Any) -> None:
    """Print plain values on one line, with numbers rounded as people read them."""
    print(json.dumps(rounded(value), ensure_ascii=False))
