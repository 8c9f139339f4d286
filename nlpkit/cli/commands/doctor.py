"""nlpkit doctor: report what works on this machine, and how to fix the rest."""

from __future__ import annotations

from typing import Annotated, Any

import typer

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: nlpkit doctor")
def doctor(
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="text or json.")] = "text",
) -> None:
    """Report what works on this machine: versions, extras, and devices that pass a test run."""
    from nlpkit.cli.screen.json import print_json
    from nlpkit.errors import UsageError
    from nlpkit.jobs.doctor import examine

    if to not in ("text", "json"):
        raise UsageError(f"--to {to}: not one of text, json")
    report = examine()
    if to == "json":
        print_json(report)
    else:
        _show(report)
    if report["problems"]:
        raise typer.Exit(1)


def _show(report: dict[str, Any]) -> None:
    from rich.markup import escape

    from nlpkit.cli.screen.console import Console
    from nlpkit.errors import install_extra
    from nlpkit.wording import plural

    console = Console(highlight=False)
    console.soft_wrap = not console.is_terminal  # wrap between words on a terminal only
    console.print(
        f"nlpkit {report['nlpkit']}, Python {report['python']}, {report['platform']}, "
        f"{plural(report['cores'], 'core')}"
    )
    listed = [f"{name} {version}" for name, version in report["versions"].items()]
    console.print(f"  [dim]{', '.join(listed)}[/]")
    for extra, versions in report["extras"].items():
        missing = [name for name, version in versions.items() if not version]
        listed = [f"{name} {version}" for name, version in versions.items() if version]
        advice = escape(f"not installed; {install_extra(extra)}")
        state = advice if missing else ", ".join(listed)
        console.print(f"{_mark(not missing, optional=True)} extra {extra}: {state}")
    for name, state in report["devices"].items():
        detail = state["provider"] if state["works"] else escape(state["reason"])
        console.print(f"{_mark(state['works'], optional=name != 'cpu')} {name}: {detail}")
        if missing := state.get("missing"):
            advice = escape(install_extra("cuda"))
            console.print(f"  [dim]libraries that do not load: {', '.join(missing)}; {advice}[/]")
    models = report["models"]
    console.print(f"{_mark(bool(models))} models: {', '.join(models) or 'none'}")
    for problem in report["problems"]:
        console.print(f"{_mark(False)} {escape(problem)}")


def _mark(good: bool, *, optional: bool = False) -> str:
    if good:
        return "[green]✓[/]"
    return "[yellow]-[/]" if optional else "[red]✗[/]"
