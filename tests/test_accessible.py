"""Pages have no fault that axe finds; skipped where no browser or axe is.

npm install axe-core && AXE=node_modules/axe-core/axe.min.js pytest tests/test_accessible.py
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from conftest import PATIENCE, Cli

Made = Callable[[str], Path]
AXE = Path(os.environ.get("AXE", "node_modules/axe-core/axe.min.js"))
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
RUN = """
<script>%s</script>
<script>axe.run().then(found => {
  const told = document.createElement("pre");
  told.id = "found";
  told.textContent = JSON.stringify(found.violations);
  document.body.append(told);
});</script>
"""
pytestmark = [
    pytest.mark.skipif(not (BROWSER and AXE.is_file()), reason="needs Chromium and axe-core"),
    pytest.mark.filterwarnings("ignore::nlpkit.errors.Note"),
]


def faults(page: Path, folder: Path, *, dark: bool) -> list[dict[str, Any]]:
    """Return the violations that axe finds in a page, on a light or a dark screen."""
    script = AXE.read_text(encoding="utf-8")
    content = page.read_text(encoding="utf-8").replace("</body>", f"{RUN % script}</body>")
    checked = folder / f"checked-{dark}.html"
    checked.write_text(content, encoding="utf-8")
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += ["--virtual-time-budget=20000", f"--user-data-dir={folder / 'profile'}"]
    command += ["--blink-settings=preferredColorScheme=0"] if dark else []
    done = subprocess.run(
        [*command, checked.as_uri()], capture_output=True, timeout=PATIENCE, check=True
    )
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout.decode(), re.DOTALL)
    assert found, "axe did not run"
    return list(json.loads(unescape(found[1])))


def told(found: list[dict[str, Any]]) -> list[str]:
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"][:3]]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("kind", ["report", "explain", "training"])
def test_pages_have_no_fault(
    kind: str, dark: bool, quick_cli: Cli, tmp_path: Path, tiny_run: Made
) -> None:
    reviews = Path(__file__).parents[1] / "examples/shop.csv"
    args: dict[str, list[Any]] = {
        "report": ["report", reviews, "-c", "review", "--by", "store", "--date", "date"],
        "explain": ["explain", reviews, "-c", "review"],
        "training": ["report", tiny_run("lstm")],
    }
    done = quick_cli(*args[kind], "-o", "page.html")
    assert done.returncode == 0, done.stderr
    found = told(faults(tmp_path / "page.html", tmp_path, dark=dark))
    assert not found, "\n".join(found)
