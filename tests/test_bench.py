"""nlpkit bench: one row for each configuration."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

Cli = Callable[..., subprocess.CompletedProcess[bytes]]


def test_one_row_for_each_precision_length_and_batch_size(
    cli: Cli, tiny_bundle: Callable[[str], Path]
) -> None:
    sizes = ("--lengths", "4,8", "--batches", "1,3", "--seconds", "0.01", "--device", "cpu")
    done = cli("bench", tiny_bundle("lstm"), *sizes, "--to", "json")
    rows = json.loads(done.stdout)["rows"]
    precisions = json.loads((tiny_bundle("lstm") / "bundle.json").read_text())["precisions"]
    shapes = [(row["precision"], row["length"], row["batch"]) for row in rows]
    assert shapes == [(p, t, b) for p in precisions for t in (4, 8) for b in (1, 3)]
    for row in rows:
        assert 0 < row["p50_ms"] <= row["p99_ms"]
        assert row["documents_per_second"] > 0
    assert b"docs/s" in cli("bench", tiny_bundle("lstm"), *sizes).stdout


def test_invalid_arguments_are_reported(cli: Cli, tiny_bundle: Callable[[str], Path]) -> None:
    for args, code in (
        (("nobody",), 4),
        ((tiny_bundle("lstm"), "--lengths", "a"), 2),
        ((tiny_bundle("lstm"), "--batches", "0"), 2),
        ((tiny_bundle("lstm"), "--to", "xml"), 2),
    ):
        done = cli("bench", *args)
        assert done.returncode == code, done.stderr
        assert b"Traceback" not in done.stderr
