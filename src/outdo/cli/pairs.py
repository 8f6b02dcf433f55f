"""The verbs under `outdo data pairs`: pairs verified by running or by rules, and their gates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outdo.cli.gather import Alike, Allow, Evaluation, Overlap
from outdo.cli.options import Sandbox, Tier

Out = Annotated[
    Path, typer.Option("--out", help="A .jsonl or .parquet file, or a folder for `datasets`.")
]
Seed = Annotated[int, typer.Option("--seed", help="Of whatever is drawn.")]
Licence = Annotated[str, typer.Option("--license", help="Of the programs, told in every pair.")]
Programs = Annotated[
    Path | None, typer.Option("--programs", metavar="FILE", help="Programs handed in for them.")
]
Right = Annotated[
    list[str] | None, typer.Option("--correct", help="Kinds of programs said to pass; repeat it.")
]
Problems = Annotated[
    str, typer.Argument(metavar="PROBLEMS", help="Problem files, or rows; `embedded` for ours.")
]


def add_verbs(data: typer.Typer) -> None:
    """Give `outdo data` the group `pairs`."""
    pairs = typer.Typer(
        help="Make pairs of programs that are verified without a teacher.", no_args_is_help=True
    )
    for name, verb in (
        ("correct", correct_pairs),
        ("faster", faster_pairs),
        ("safer", safer_pairs),
        ("sift", sift_pairs),
    ):
        pairs.command(name=name)(verb)
    data.add_typer(pairs, name="pairs")


def correct_pairs(
    problems: Problems,
    out: Out,
    count: Annotated[int, typer.Option("--count", min=1, help="How many with a bug.")] = 2000,
    programs: Programs = None,
    correct: Right = None,
    buggy: Annotated[
        list[str] | None, typer.Option("--buggy", help="Kinds said to fail; repeat it.")
    ] = None,
    test: Annotated[
        list[str] | None, typer.Option("--test", help="A problem to test with; repeat it.")
    ] = None,
    licence: Licence = "",
    seed: Seed = 1,
    sandbox: Sandbox = Tier.auto,
) -> None:
    """Right against wrong: bugs put into solutions, or, with --programs, what was handed in."""
    from outdo.cli.paired import make_correct

    make_correct(
        problems,
        out=out,
        count=count,
        programs=programs,
        kinds=(tuple(correct or ()), tuple(buggy or ())),
        test=test or [],
        licence=licence,
        seed=seed,
        tier=sandbox.value,
    )


def faster_pairs(
    problems: Problems,
    out: Out,
    programs: Programs = None,
    correct: Right = None,
    most: Annotated[
        int, typer.Option("--most", min=1, help="Programs of a problem that are looked at.")
    ] = 24,
    per_problem: Annotated[
        int | None, typer.Option("--per-problem", min=1, help="Pairs of a problem, at most.")
    ] = None,
    licence: Licence = "",
    seed: Seed = 1,
    sandbox: Sandbox = Tier.auto,
) -> None:
    """Fast against slow, both right: solutions and slow variants, measured on growing inputs."""
    from outdo.cli.paired import make_faster

    make_faster(
        problems,
        out=out,
        programs=programs,
        correct=tuple(correct or ()),
        most=most,
        per_problem=per_problem,
        licence=licence,
        seed=seed,
        tier=sandbox.value,
    )


def safer_pairs(
    rows: Annotated[Path, typer.Argument(metavar="ROWS", help="Code by row: JSONL, Parquet, CSV.")],
    out: Out,
    mend: Annotated[
        bool, typer.Option("--mend", help="The code is unsafe: take weaknesses out of it.")
    ] = False,
    column: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="FIELD=NAME", help="The column of a field; repeat it."),
    ] = None,
    per_program: Annotated[
        int, typer.Option("--per-program", min=1, help="Pairs of a piece of code, at most.")
    ] = 3,
    licence: Licence = "",
    seed: Seed = 1,
) -> None:
    """Safe against unsafe: known weaknesses put into code, told by Bandit's rules and their CWE."""
    from outdo.cli.paired import make_safer

    make_safer(
        rows,
        out=out,
        way="mend" if mend else "weaken",
        columns=column or [],
        per_program=per_program,
        licence=licence,
        seed=seed,
    )


def sift_pairs(
    pairs: Annotated[list[Path], typer.Argument(metavar="PAIRS...", help="Files of pairs.")],
    out: Out,
    card: Annotated[
        Path | None, typer.Option("--card", help="The data card to write, in Markdown.")
    ] = None,
    problems: Annotated[
        str | None, typer.Option("--problems", help="Run sides on the tests of these problems.")
    ] = None,
    least: Annotated[
        float, typer.Option("--least", min=0, max=1, help="Share of tokens in common, at least.")
    ] = 0.3,
    alike: Alike = 0.8,
    evaluation: Evaluation = None,
    overlap: Overlap = 0.2,
    permissive: Annotated[
        bool, typer.Option("--permissive", help="Keep pairs of a permissive licence alone.")
    ] = False,
    allow: Allow = None,
    even: Annotated[
        bool, typer.Option("--even", help="As many better sides longer as shorter.")
    ] = False,
    balance: Annotated[
        float | None, typer.Option("--balance", min=1, help="Times the least criterion, at most.")
    ] = None,
    comments: Annotated[
        str, typer.Option("--comments", help="keep, strip, or bare: docstrings go as well.")
    ] = "keep",
    seed: Seed = 1,
    sandbox: Sandbox = Tier.auto,
) -> None:
    """Let pairs through the gates, write those that are kept, and a card of what befell all."""
    from outdo.cli.paired import Gating, sift_files

    sift_files(
        pairs,
        out=out,
        card=card,
        gating=Gating(
            problems=problems,
            least=least,
            alike=alike,
            evaluation=tuple(evaluation or ()),
            overlap=overlap,
            licences=tuple(allow or ()) if permissive or allow else None,
            even=even,
            balance=balance,
            comments=comments,
        ),
        seed=seed,
        tier=sandbox.value,
    )
