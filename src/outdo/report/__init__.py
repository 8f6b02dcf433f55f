"""What a study found, as files that anybody can open.

`Findings` holds all that a report knows; `write` makes the page, the results for programs, the
tables and the figures of it.
"""

from __future__ import annotations

from pathlib import Path

from outdo.report.findings import (
    Contestant,
    Cost,
    Environment,
    Findings,
    Judge,
    Match,
    ModelCard,
    Published,
    Row,
    Rubric,
    Slice,
    Training,
)
from outdo.report.replicated import Cell, Replicated
from outdo.report.results import Results, results

__all__ = [
    "Cell",
    "Contestant",
    "Cost",
    "Environment",
    "Findings",
    "Judge",
    "Match",
    "ModelCard",
    "Published",
    "Replicated",
    "Results",
    "Row",
    "Rubric",
    "Slice",
    "Training",
    "results",
    "write",
]


def write(findings: Findings, folder: Path) -> Results:
    """The results of a study, with its report written to `folder`.

    `folder` then holds index.html, results.json, report.md, tables/*.csv|tex and
    figures/*.png|svg; each file is whole or isn't there. Raises DataError for findings that
    contradict themselves, StoreError where nothing can be written.
    """
    from outdo.report import files

    found = results(findings)
    files.write(findings, found, folder)
    return found
