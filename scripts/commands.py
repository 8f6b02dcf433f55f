"""Writes docs/commands.md: every verb with what `--help` says of it.

    python scripts/commands.py

A test compares the page with what this makes, so that the page can't fall behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import typer
from typer.testing import CliRunner

from outdo.cli.app import app

PAGE = Path(__file__).resolve().parent.parent / "docs" / "commands.md"

HEAD = """# Commands

A user's mistake is one line with a hint and exit code 2; a verdict other than the one that
`--expect` names is exit code 1; Ctrl-C is 130. An option goes before its environment variable, and
that before the study file.
"""


def page() -> str:
    """The page's text."""
    parts = (f"## outdo {' '.join(words)}\n\n```\n{help_of(words)}\n```\n" for words in verbs(app))
    return "\n".join([HEAD, *parts])


def verbs(of: typer.Typer, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every verb as its words, those of groups after the others."""
    for command in of.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        yield (*before, name.replace("_", "-"))
    for group in of.registered_groups:
        if group.typer_instance is not None:
            yield from verbs(group.typer_instance, (*before, str(group.name)))


def help_of(words: tuple[str, ...]) -> str:
    """What `outdo <words> --help` prints, 96 letters wide."""
    runner = CliRunner(env={"COLUMNS": "96", "TERMINAL_WIDTH": "96", "NO_COLOR": "1"})
    shown = runner.invoke(app, [*words, "--help"], prog_name="outdo")
    return "\n".join(line.rstrip() for line in shown.output.strip().splitlines())


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
