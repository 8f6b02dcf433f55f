"""The report of a benchmark of preferences on disk: a page, pages of cases, tables and figures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from outdo.errors import StoreError
from outdo.report import preference_plots, preference_rows
from outdo.report.files import encoded, put
from outdo.report.page import framed
from outdo.report.preference import (
    Case,
    PreferenceFindings,
    as_json,
    headline,
    sentence,
    shown,
)
from outdo.report.tables import as_csv, md_table, slug

OURS = {"tables": ("*.csv",), "figures": ("*.png", "*.svg"), ".": ("cases-*.html",)}
"""What an earlier report may have left, by folder."""


def write(findings: PreferenceFindings, folder: Path) -> None:
    """Put the report into `folder`: index.html, cases-*.html, report.md, tables/*.csv, figures.

    results.json comes last. Raises StoreError where nothing can be written.
    """
    written = set()
    try:
        for name, content in _contents(findings):
            put(folder / name, content)
            written.add(folder / name)
        for part, patterns in OURS.items():
            for path in (one for each in patterns for one in (folder / part).glob(each)):
                if path not in written:
                    path.unlink()
    except OSError as error:
        raise StoreError(
            f"the report can't be written: {error.strerror or error}",
            "free space or choose another folder, then run the command again",
            where=str(folder),
        ) from error


def _contents(findings: PreferenceFindings) -> Iterator[tuple[str, bytes]]:
    plots = preference_plots.plots(findings.examined)
    for name, rows in preference_rows.tables(findings):
        yield f"tables/{name}.csv", encoded(as_csv(rows))
    for name, content in preference_plots.files(plots):
        yield f"figures/{name}", content
    cases = {
        f"cases-{slug(criterion)}.html": (criterion, own)
        for criterion in findings.criteria
        if (own := [one for one in findings.cases if one.criterion == criterion])
    }
    for name, (criterion, own) in cases.items():
        yield name, encoded(_cases_page(findings, criterion, own))
    yield "report.md", encoded(_markdown(findings))
    page = framed(
        "preference.html.jinja",
        findings=findings,
        first=headline(findings),
        sentence=sentence,
        tables=list(shown(findings)),
        plots=[(plot.title, preference_plots.drawn(plot)) for plot in plots],
        cases={name: (criterion, len(own)) for name, (criterion, own) in cases.items()},
    )
    yield "index.html", encoded(page)
    data = json.dumps(as_json(findings), indent=1, ensure_ascii=False, allow_nan=False)
    yield "results.json", encoded(f"{data}\n")


def _cases_page(findings: PreferenceFindings, criterion: str, cases: list[Case]) -> str:
    sides = {
        side: [one for one in cases if one.side == side] for side in ("won", "lost", "neither")
    }
    return framed(
        "cases.html.jinja",
        findings=findings,
        criterion=criterion,
        sides={side: own for side, own in sides.items() if own},
    )


def _markdown(findings: PreferenceFindings) -> str:
    parts = [f"# {findings.study}", findings.about, f"**{sentence(headline(findings))}**"]
    parts += [f"- {note}" for note in findings.notes]
    for title, heads, rows in shown(findings):
        parts += [f"## {title}", md_table(list(heads), rows)]
    parts += ["## Run it again", f"```\n{findings.command}\n```"] if findings.command else []
    return "\n\n".join(part for part in parts if part) + "\n"
