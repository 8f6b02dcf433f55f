"""Options that several verbs have."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Tier(StrEnum):
    """How programs that nobody trusts are held."""

    auto = "auto"
    linux = "linux"
    namespaces = "namespaces"
    none = "none"


class Expect(StrEnum):
    """What the first comparison has to show for exit code 0."""

    better = "better"
    not_worse = "not-worse"


class Precision(StrEnum):
    """What a model's weights are held in, or written in."""

    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"
    nf4 = "nf4"


StudyFile = Annotated[Path, typer.Argument(metavar="STUDY", help="A study's YAML file.")]
LogDir = Annotated[
    Path, typer.Option("--log-dir", envvar="OUTDO_LOG_DIR", help="Where runs are kept.")
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a value, as in train.tuned.epochs=2."),
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="Try no more than this many test examples.")
]
Seed = Annotated[int | None, typer.Option("--seed", envvar="OUTDO_SEED", help="The study's seed.")]
Sandbox = Annotated[
    Tier, typer.Option("--sandbox", envvar="OUTDO_SANDBOX", help="Tier of the sandbox.")
]
LocalOnly = Annotated[
    bool,
    typer.Option("--local-only", envvar="OUTDO_LOCAL_ONLY", help="Nothing leaves this machine."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done and asked; ask nobody.")
]
BaseUrl = Annotated[
    str | None,
    typer.Option("--base-url", help="Where a model behind an API is asked, as http://host/v1."),
]
MaxConnections = Annotated[
    int | None, typer.Option("--max-connections", min=1, help="Calls to a provider at once.")
]
Budget = Annotated[
    float | None,
    typer.Option("--budget", min=0, metavar="DOLLARS", help="Stop before more than this is spent."),
]
PriceFile = Annotated[
    Path | None,
    typer.Option("--prices", envvar="OUTDO_PRICES", help="Your own prices of models, as YAML."),
]
Expected = Annotated[
    Expect | None, typer.Option("--expect", help="Exit code 1 for any other verdict.")
]

RUNS = Path("runs")
