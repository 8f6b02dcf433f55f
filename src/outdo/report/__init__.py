"""What a study found, as files that anybody can open.

`Findings` holds all that a report knows, `write` makes the page, the results for programs, the
tables and the figures of it.
"""

from outdo.report.findings import (
    Contestant,
    Cost,
    Environment,
    Findings,
    Match,
    Row,
    Slice,
    Training,
)

__all__ = [
    "Contestant",
    "Cost",
    "Environment",
    "Findings",
    "Match",
    "Row",
    "Slice",
    "Training",
]
