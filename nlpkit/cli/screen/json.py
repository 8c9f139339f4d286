"""Print the output of --to json."""

from __future__ import annotations

import json
from typing import Any

from nlpkit.wording import rounded


def print_json(value: Any) -> None:
    """Print plain values as one line of JSON, with floats rounded by `nlpkit.wording.rounded`."""
    print(json_text(value), end="")


def json_text(value: Any) -> str:
    """Return plain values as one line of JSON."""
    return json.dumps(rounded(value), ensure_ascii=False) + "\n"
