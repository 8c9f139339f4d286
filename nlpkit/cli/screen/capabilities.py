"""Print the failure rates of a model by capability, and the sentences that failed."""

from __future__ import annotations

from nlpkit.cli.screen.console import Console, printable
from nlpkit.cli.screen.table import Column, show_table
from nlpkit.jobs.capabilities import Failure, Report
from nlpkit.wording import plural


def show(report: Report, *, failures: bool) -> None:
    """Print a table with a row for each capability; then, if asked for, the failures."""
    console = Console(highlight=False)
    tallies = {name: tally.to_dict() for name, tally in report.tallies.items()}
    languages = sorted({name for tally in tallies.values() for name in tally["languages"]})
    named = languages if len(languages) > 1 else []
    tests = sum(tally["tests"] for tally in tallies.values())
    count = plural(len(tallies), "capability", "capabilities")
    head = f"{report.model}: {plural(tests, 'test')} of {count} on {report.provider}"
    console.print(head, markup=False)
    columns = [
        *(Column("capability", narrow="wrap"), Column("tests", drop=1, right=True)),
        Column("failure rate", right=True),
        *(Column(name or "other", drop=2, right=True) for name in named),
    ]
    rows = []
    for name, tally in tallies.items():
        by_language = (tally["languages"].get(language) for language in named)
        shares = (_percent(each["failure_rate"]) if each else "–" for each in by_language)
        rows.append([name, f"{tally['tests']:,}", _percent(tally["failure_rate"]), *shares])
    rows.append(["mean", f"{tests:,}", _percent(report.failure_rate), *("" for _ in named)])
    show_table(console, columns, rows)
    if failures:
        for name, failed in report.tallies.items():
            if failed.failures:
                console.print(f"\n{name}", style="bold", markup=False)
            for failure in failed.failures:
                line = _line(failure)
                console.print(f"  {printable(line, len(line))}", markup=False)


def _line(failure: Failure) -> str:
    shown = failure.to_dict()
    if "expected" in shown:
        return f"{shown['text']}  →{shown['label']}, not {' or '.join(shown['expected'])}"
    return f"{shown['text']}  →{shown['label']}, but {shown['but_text']}  →{shown['but_label']}"


def _percent(share: float) -> str:
    return f"{share:.1%}"
