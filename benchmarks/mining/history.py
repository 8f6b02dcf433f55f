"""A long history to mine: small edits of Python modules, the same in every run."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

MODULES = 200
FUNCTIONS = 12
BEGIN = 1_600_000_000

VERBS = ("read", "write", "count", "merge", "split", "check", "load", "store", "find", "clean")
NOUNS = ("rows", "names", "paths", "totals", "words", "users", "items", "orders", "dates", "keys")
REASONS = (
    "an empty list went wrong",
    "the last one was left out",
    "a default was shared between calls",
    "it was slow for long inputs",
    "the message didn't say which one",
)
LICENCE = (
    "MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy of"
    " this software, to deal in it without restriction.\n\nThe above copyright notice and this"
    " permission notice shall be included in all copies of it.\n"
)


def made(folder: Path, *, commits: int) -> None:
    """A bare repository of so many commits after its first, each an edit of one module."""
    subprocess.run(["git", "init", "--quiet", "--bare", str(folder)], check=True)
    command = ["git", "-C", str(folder), "fast-import", "--quiet", "--force"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as importer:
        assert importer.stdin is not None
        for piece in stream(commits):
            importer.stdin.write(piece)
        importer.stdin.close()
        if importer.wait():
            raise SystemExit("git fast-import failed")
    subprocess.run(
        ["git", "-C", str(folder), "symbolic-ref", "HEAD", "refs/heads/main"], check=True
    )


def stream(commits: int) -> Iterator[bytes]:
    """The history as `git fast-import` reads it."""
    draw = random.Random(7)
    modules = {f"src/part{n % 20}/module{n}.py": _module(draw) for n in range(MODULES)}
    names = sorted(modules)
    files = {"LICENSE": LICENCE, **{name: "\n".join(lines) for name, lines in modules.items()}}
    yield _commit(0, "Begin", files)
    for number in range(1, commits + 1):
        name = draw.choice(names)
        what = _edited(modules[name], draw)
        yield _commit(number, what, {name: "\n".join(modules[name])})


def _commit(number: int, message: str, files: dict[str, str]) -> bytes:
    who = f"Person {number % 17} <person{number % 17}@example.org> {BEGIN + 600 * number} +0000"
    parts = [f"commit refs/heads/main\ncommitter {who}\n", _data(message)]
    parts += [f"M 100644 inline {name}\n{_data(text)}" for name, text in files.items()]
    return "".join(parts).encode()


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


def _module(draw: random.Random) -> list[str]:
    lines = ['"""What this part of the program does with what it is given."""', "", "import json"]
    for place in range(FUNCTIONS):
        lines += _function(f"{draw.choice(VERBS)}_{draw.choice(NOUNS)}_{place}", draw)
    return lines


def _function(name: str, draw: random.Random) -> list[str]:
    noun = draw.choice(NOUNS)
    return [
        "",
        "",
        f"def {name}({noun}, least={draw.randrange(100)}):",
        f'    """Return those of the {noun} that are large enough, in their order."""',
        "    found = []",
        f"    for number, each in enumerate({noun}):",
        f"        if each is not None and number >= least - {draw.randrange(50)}:",
        f"            found.append((number, each, {draw.randrange(1000)}))",
        "    return found",
    ]


def _edited(lines: list[str], draw: random.Random) -> str:
    """Change a few lines of a module in place; what was done, as its author says it."""
    starts = [place for place, line in enumerate(lines) if line.startswith("def ")]
    start = draw.choice(starts)
    name = lines[start][4:].partition("(")[0]
    kind = draw.randrange(3)
    if kind == 0:
        lines[start + 4] = f"        if each and number > least + {draw.randrange(10_000)}:"
    elif kind == 1:
        lines[start + 5] = f"            found.append((each, number * {draw.randrange(10_000)}))"
    else:
        noun = draw.choice(NOUNS)
        lines[start + 2 : start + 3] = [f"    found = [{draw.randrange(10_000)}]  # {noun}"]
    return f"Let {name} do it right, for {draw.choice(REASONS)}\n\nSeen with {draw.choice(NOUNS)}."
