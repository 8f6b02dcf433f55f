"""Every verb with its options; the work is done elsewhere, and imported when it is asked for."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from outdo import __version__
from outdo.cli import bench, evolve, mine, pairs, raters, verdicts
from outdo.cli.gather import add_verbs
from outdo.cli.options import (
    RUNS as RUNS,
)
from outdo.cli.options import (
    BaseUrl,
    Budget,
    DryRun,
    Expected,
    Limit,
    LocalOnly,
    LogDir,
    MaxConnections,
    Precision,
    PriceFile,
    Sandbox,
    Seed,
    Sets,
    StudyFile,
    Tier,
)
from outdo.errors import OutdoError

app = typer.Typer(
    name="outdo",
    help="Fine-tune open code models, and prove whether they outdo a reference.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data = typer.Typer(help="Make, load and look at data.", no_args_is_help=True)
app.add_typer(data, name="data")
app.add_typer(bench.app, name="bench")


@app.command()
def run(
    study: StudyFile,
    log_dir: LogDir = RUNS,
    sets: Sets = None,
    limit: Limit = None,
    seed: Seed = None,
    sandbox: Sandbox = Tier.auto,
    local_only: LocalOnly = False,
    base_url: BaseUrl = None,
    max_connections: MaxConnections = None,
    budget: Budget = None,
    prices: PriceFile = None,
    dry_run: DryRun = False,
    expect: Expected = None,
) -> None:
    """Carry a whole study out: data, training, answers, scores, report."""
    from outdo.cli.remote import Remote
    from outdo.cli.studies import run_study

    overrides = [f"limit={limit}"] if limit is not None else []
    overrides += [f"seed={seed}"] if seed is not None else []
    overrides += sets or []  # last, for a seed may come from the environment, and options go first
    code = run_study(
        study,
        log_dir=log_dir,
        overrides=overrides,
        tier=sandbox.value,
        remote=Remote(
            base_url=base_url,
            max_connections=max_connections,
            budget=budget,
            local_only=local_only,
            prices=prices,
        ),
        dry_run=dry_run,
        expect=expect.value if expect else None,
    )
    raise typer.Exit(code)


verdicts.add_verbs(app)


@app.command()
def demo(log_dir: LogDir = RUNS, sandbox: Sandbox = Tier.auto) -> None:
    """Fine-tune the embedded model to repair programs, and see whether it got better."""
    from outdo.cli.studies import quickstart, run_study

    raise typer.Exit(run_study(quickstart(), log_dir=log_dir, tier=sandbox.value))


@app.command()
def train(
    study: StudyFile,
    name: Annotated[
        str | None, typer.Argument(help="One entry of `train`; all if not given.")
    ] = None,
    log_dir: LogDir = RUNS,
    sets: Sets = None,
    sandbox: Sandbox = Tier.auto,
) -> None:
    """Make a study's data and train what it trains, and stop there."""
    from outdo.cli.studies import train_study

    train_study(study, name=name, log_dir=log_dir, overrides=sets or [], tier=sandbox.value)


@app.command()
def generate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Programs to repair.")],
    model: Annotated[
        str,
        typer.Option("--model", help="run/<study>/train <name>, embedded/..., hf/..., a folder."),
    ],
    statement: Annotated[
        str, typer.Option("--statement", help="What the program should do; a file with @.")
    ] = "",
    test: Annotated[
        list[str] | None,
        typer.Option("--test", metavar="CALL=EXPECTED", help="As in 'double(2)=4'; repeat it."),
    ] = None,
    prompt: Annotated[str, typer.Option("--prompt", help="The task's way of asking.")] = "direct",
    temperature: Annotated[float, typer.Option("--temperature", min=0.0)] = 0.0,
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1)] = 512,
    samples: Annotated[
        int, typer.Option("--samples", min=1, help="Keep the first that passes.")
    ] = 1,
    seed: Annotated[int, typer.Option("--seed")] = 1,
    write: Annotated[bool, typer.Option("--write", help="Overwrite the files.")] = False,
    log_dir: LogDir = RUNS,
    sandbox: Sandbox = Tier.auto,
) -> None:
    """Put a model to use on files of your own."""
    from outdo.cli.use import repair_files

    code = repair_files(
        files,
        model=model,
        statement=statement,
        tests=test or [],
        prompt=prompt,
        temperature=temperature,
        max_tokens=max_tokens,
        samples=samples,
        seed=seed,
        write=write,
        log_dir=log_dir,
        tier=sandbox.value,
    )
    raise typer.Exit(code)


@app.command()
def merge(
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL...", help="run/<study>/train <name>, hf/..., a folder."),
    ],
    out: Annotated[Path, typer.Option("--out", help="The folder to write; new, or empty.")],
    weight: Annotated[
        list[float] | None,
        typer.Option("--weight", help="Of each model in turn; without any they count alike."),
    ] = None,
    base: Annotated[
        str | None, typer.Option("--base", help="What adapters stand on, if it lies elsewhere now.")
    ] = None,
    dtype: Annotated[
        Precision | None,
        typer.Option("--dtype", help="What to write; as the base is, if not given."),
    ] = None,
    lossy: Annotated[
        bool, typer.Option("--lossy", help="Write it though its answers differ, and say how far.")
    ] = False,
    gguf: Annotated[bool, typer.Option("--gguf", help="A GGUF file too, by llama.cpp.")] = False,
    licence: Annotated[str, typer.Option("--license", help="As the card says it.")] = "unknown",
    log_dir: LogDir = RUNS,
) -> None:
    """Fold an adapter into its base, or average models: a directory that anybody loads."""
    from outdo.cli.merge import merge_models

    merge_models(
        models,
        out=out,
        weights=weight or [],
        base=base,
        dtype=dtype.value if dtype else None,
        lossy=lossy,
        gguf=gguf,
        licence=licence,
        log_dir=log_dir,
    )


@app.command()
def report(study: StudyFile, log_dir: LogDir = RUNS, sets: Sets = None) -> None:
    """Write a finished study's report anew from what is stored; nothing is trained or asked."""
    from outdo.cli.studies import report_study

    report_study(study, log_dir=log_dir, overrides=sets or [])


@app.command(name="ls")
def list_runs(log_dir: LogDir = RUNS) -> None:
    """List studies and the stages that they stand on."""
    from outdo.cli.listing import list_studies

    list_studies(log_dir)


@app.command()
def why(
    stage: Annotated[str, typer.Argument(help="A stage, as `outdo ls` names it.")],
    log_dir: LogDir = RUNS,
) -> None:
    """Say what a stage is named by, and what sets it apart from its nearest neighbour."""
    from outdo.cli.listing import explain_stage

    explain_stage(stage, log_dir)


@app.command()
def doctor() -> None:
    """Say what this machine can do: sandbox, devices, precision, extras, keys."""
    from outdo.cli.doctor import examine

    raise typer.Exit(examine())


@data.command()
def inject(
    problems: Annotated[
        str, typer.Argument(help="A folder of problem files; `embedded` for ours.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The JSONL file to write.")],
    count: Annotated[int, typer.Option("--count", min=1, help="How many broken programs.")] = 2000,
    double: Annotated[
        float, typer.Option("--double", min=0, max=1, help="Share of programs with two bugs.")
    ] = 0.0,
    seed: Annotated[int, typer.Option("--seed")] = 1,
    sandbox: Sandbox = Tier.auto,
) -> None:
    """Break correct programs as students do; every bug is verified by running."""
    from outdo.cli.data import inject_slips

    inject_slips(problems, out=out, count=count, double=double, seed=seed, tier=sandbox.value)


@data.command(name="load")
def load_data(
    study: StudyFile,
    name: Annotated[str | None, typer.Argument(help="One entry of `data`.")] = None,
    log_dir: LogDir = RUNS,
    sets: Sets = None,
    sandbox: Sandbox = Tier.auto,
) -> None:
    """Read a study's data, and say what is in it."""
    from outdo.cli.data import load_entry

    load_entry(study, name=name, log_dir=log_dir, overrides=sets or [], tier=sandbox.value)


@data.command(name="check")
def check_data(
    path: Annotated[
        Path, typer.Argument(metavar="FILE|STUDY", help="Rows to learn from, or a study's YAML.")
    ],
    against: Annotated[
        list[Path] | None,
        typer.Option("--against", metavar="FILE", help="Rows of the evaluation; repeat it."),
    ] = None,
    tokenizer: Annotated[
        str | None, typer.Option("--tokenizer", metavar="MODEL", help="The model that counts.")
    ] = None,
    max_length: Annotated[
        int | None, typer.Option("--max-length", min=1, help="Tokens that training takes of a row.")
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="Of the rows; told by their fields if not given.")
    ] = "auto",
    column: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="FIELD=NAME", help="The column of a field; repeat it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print findings as JSON.")] = False,
    log_dir: LogDir = RUNS,
    sets: Sets = None,
    sandbox: Sandbox = Tier.auto,
) -> None:
    """Tell what a model can learn from rows instead of the task; exit code 1 if it is serious."""
    from outdo.cli.check import check_rows

    code = check_rows(
        path,
        against=against or [],
        tokenizer=tokenizer,
        max_length=max_length,
        form=form,
        columns=column or [],
        as_json=as_json,
        log_dir=log_dir,
        overrides=sets or [],
        tier=sandbox.value,
    )
    raise typer.Exit(code)


add_verbs(data)
raters.add_verbs(data)
mine.add_verbs(data)
evolve.add_verbs(data)
pairs.add_verbs(data)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"outdo {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Fine-tune open code models, and prove whether they outdo a reference."""


def main() -> None:
    """The command `outdo`; exits with the verb's code."""
    try:
        _do()
    except OutdoError as error:
        print(f"outdo: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def _do() -> None:
    """The verb; of several processes of a launcher the first does it, the others help to train."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        app()
        return
    from outdo.training.following import follow, release

    if int(os.environ.get("RANK", "0")) > 0:
        follow()
        return
    try:
        app()
    finally:
        release()
