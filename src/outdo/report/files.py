"""The report on disk: every file is written beside its place and then put there.

The results for programs come last, so that whoever waits for them finds all else in place.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from outdo.errors import StoreError
from outdo.report.figures import figures
from outdo.report.findings import Findings
from outdo.report.page import render, render_items, render_judges
from outdo.report.results import Results
from outdo.report.shape import as_json
from outdo.report.tables import markdown, tables

OURS = {"tables": (".csv", ".tex"), "figures": (".png", ".svg")}
"""Folders of the report, and the kinds of file in them that it made and may take away again."""

JUDGES, ITEMS = "judges.html", "items.html"
PAGES = (JUDGES, ITEMS)
"""Pages beside the first one, which some findings have and others have not."""


def write(findings: Findings, found: Results, folder: Path) -> None:
    """Put all files of a report into `folder`, and take away those of an earlier one."""
    written = set()
    try:
        for name, content in _contents(findings, found):
            put(folder / name, content)
            written.add(folder / name)
        for name in PAGES:
            if folder / name not in written:
                (folder / name).unlink(missing_ok=True)
        for part, kinds in OURS.items():
            for path in (folder / part).glob("*"):
                if path.suffix in kinds and path not in written:
                    path.unlink()
    except OSError as error:
        raise StoreError(
            f"the report can't be written: {error.strerror or error}",
            "free space or choose another folder, then run `outdo report` again",
            where=str(folder),
        ) from error


def _contents(findings: Findings, found: Results) -> Iterator[tuple[str, bytes]]:
    for name, text in tables(findings, found):
        yield f"tables/{name}", encoded(text)
    for name, content in figures(findings, found):
        yield f"figures/{name}", content
    yield "report.md", encoded(markdown(findings, found))
    if findings.judges:
        yield JUDGES, encoded(render_judges(findings))
    if findings.contestants:
        yield ITEMS, encoded(render_items(findings, found))
    yield "index.html", encoded(render(findings, found))
    data = json.dumps(as_json(findings, found), indent=1, ensure_ascii=False, allow_nan=False)
    yield "results.json", encoded(f"{data}\n")


def encoded(text: str) -> bytes:
    """UTF-8; half a surrogate pair, which a model can write, becomes a question mark."""
    return text.encode("utf-8", "replace")


def put(path: Path, content: bytes) -> None:
    """Write a file beside its place, and then put it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
