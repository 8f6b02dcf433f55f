"""The command as a user types it: what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from keyboard import Type, keyboard

import outdo
from outdo.cli.doctor import _extras

PROBLEMS = Path(outdo.__file__).parent / "embedded" / "problems"

STUDY = """\
study: little
task: repair
data:
  broken: {source: inject, problems: problems, count: 8, test_per_problem: 2}
models: {small: ./model}
train:
  tuned: {model: small, epochs: 1, rows_per_step: 4}
answer:
  base: {model: small, max_tokens: 8}
  tuned: {model: tuned, max_tokens: 8}
compare:
  repair: {answers: [tuned, base], floors: [reference], against: [base]}
"""

ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(Path(outdo.__file__).parents[1]),
    "OMP_NUM_THREADS": "1",
    "COLUMNS": "200",
}
COMMAND = [sys.executable, "-c", "from outdo.cli import main; main()"]


def outdo_(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture
def type_(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Type:
    """The command in this process, typed in the test's folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return keyboard(monkeypatch, capsys)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "problems").mkdir()
    shutil.copy(PROBLEMS / "running-total.yaml", tmp_path / "problems")
    (tmp_path / "study.yaml").write_text(STUDY)
    return tmp_path / "study.yaml"


# ------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "none.yaml"], "outdo: none.yaml: there is no such study file\n"),
        (
            ["run", "study.yaml", "--set", "train.tuned.epoch=2"],
            "outdo: --set train.tuned.epoch=2: unknown key 'epoch' in 'train.tuned'"
            " (did you mean 'epochs'?)\n",
        ),
        (
            ["run", "study.yaml", "--set", "answer.base.model=smal"],
            "outdo: --set answer.base.model=smal: there is no model 'smal'"
            " (did you mean 'small'?)\n",
        ),
        (["why", "nothing"], "outdo: runs: there is no stage 'nothing' (outdo ls lists them)\n"),
        (
            ["data", "load", "study.yaml", "other"],
            "outdo: there is no data 'other' (one of: broken)\n",
        ),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    study: Path, type_: Type, arguments: list[str], says: str
) -> None:
    done = type_(*arguments)
    assert (done.code, done.err, done.out) == (2, says, "")


def test_a_model_that_does_not_exist_is_one_line_and_exit_code_2(study: Path, type_: Type) -> None:
    done = type_("run", study)
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith("outdo: ")
    assert "./model: no such model" in done.err.splitlines()[-1]
    assert "Traceback" not in done.err


def test_a_file_where_runs_should_be_is_told(study: Path, type_: Type) -> None:
    (study.parent / "runs").write_text("")
    done = type_("run", study)
    assert done.code == 2
    assert done.err.startswith("outdo: runs")
    assert done.err.endswith("this can't be written (choose another folder with --log-dir)\n")


def test_a_wrong_option_is_exit_code_2(study: Path, type_: Type) -> None:
    assert type_("run", study, "--limit", "0").code == 2
    assert type_("rum").code == 2


# ------------------------------------------------------------------ looking, without doing


def test_the_version_is_told(type_: Type) -> None:
    assert type_("--version").out == f"outdo {outdo.__version__}\n"


def test_a_dry_run_says_what_would_be_done_and_does_nothing(study: Path, type_: Type) -> None:
    done = type_("run", study, "--dry-run", "--limit", "5")
    assert (done.code, done.err) == (0, "")
    words = [re.split(r"\s*[│┃]\s*", line) for line in done.out.splitlines()]
    told = [row[1:4] for row in words if len(row) > 3]
    assert ["data", "broken", "inject"] in told
    assert ["train", "tuned", "small on broken"] in told
    asked = "broken: direct, 1 sample(s), at most 5 examples"
    assert ["generate, score", "base", asked] in told
    assert ["compare", "repair", "against the best of base"] in told
    assert not (study.parent / "runs").exists()


def test_an_empty_folder_lists_nothing(type_: Type) -> None:
    done = type_("ls")
    assert (done.code, done.out) == (0, "nothing was run in runs yet\n")


def test_the_doctor_tells_of_every_tier_and_extra(type_: Type) -> None:
    done = type_("doctor")
    for word in ("sandbox linux", "sandbox namespaces", "extra train", "extra data", "HF_TOKEN"):
        assert word in done.out
    assert "OPENAI_API_KEY" in done.out and "ANTHROPIC_API_KEY" in done.out
    assert done.code in (0, 1)


def test_the_doctor_names_extras_that_are_missing_and_finds_those_that_are_there() -> None:
    told = {name: (good, said) for name, good, said in _extras()}
    for extra in ("google", "code"):  # whose libraries are imported under other names
        assert told[f"extra {extra}"] == (True, "here")
    assert told["extra vllm"] == (False, "missing vllm: pip install 'outdo[vllm]'")


# ------------------------------------------------------------------ data


def test_slips_are_written_as_examples_and_come_out_the_same_again(
    study: Path, type_: Type
) -> None:
    folder = study.parent
    said = [
        type_("data", "inject", "problems", "--out", f"{n}.jsonl", "--count", "6") for n in (1, 2)
    ]
    assert [done.code for done in said] == [0, 0]
    assert "6 broken programs, each with its repair, in 1.jsonl" in said[0].out
    first = (folder / "1.jsonl").read_text()
    assert first == (folder / "2.jsonl").read_text()
    rows = [json.loads(line) for line in first.splitlines()]
    assert len(rows) == 6
    assert all(row["given"]["program"] != row["wanted"]["repair"] for row in rows)
    assert all(row["wanted"]["slip"]["operator"] for row in rows)


def test_a_data_entry_is_shown_with_its_splits(study: Path, type_: Type) -> None:
    done = type_("data", "load", study, "broken")
    assert done.code == 0, done.err
    assert "running-total" in done.out
    assert re.search(r"1 groups\s*│\s*\d+\s*│\s*\d+\s*│\s*2\b", done.out)
    stage = re.search(r"\S*examples\.jsonl", done.out.replace("\n", ""))
    assert stage
    assert (study.parent / stage[0]).is_file()


# ------------------------------------------------------------------ a whole study, with a model


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a little study was interrupted once, then carried out."""
    pytest.importorskip("torch", reason="training needs outdo[train]")
    import tiny

    folder = tmp_path_factory.mktemp("study")
    tiny.save(folder / "model", max_position_embeddings=4096)
    (folder / "problems").mkdir()
    shutil.copy(PROBLEMS / "running-total.yaml", folder / "problems")
    (folder / "study.yaml").write_text(STUDY)
    interrupted(folder)
    ran = outdo_("run", "study.yaml", "--expect", "better", folder=folder)
    (folder / "said").write_text(ran.stdout)
    (folder / "code").write_text(str(ran.returncode))
    return folder


def _heed_ctrl_c() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def interrupted(folder: Path) -> None:
    """Ctrl-C while the study trains."""
    process = subprocess.Popen(
        [*COMMAND, "run", "study.yaml"],
        cwd=folder,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=_heed_ctrl_c,
    )
    assert process.stderr
    for line in process.stderr:
        if line.startswith("train tuned ..."):
            process.send_signal(signal.SIGINT)
            break
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert list((folder / "runs" / ".stages").glob("data-*/done.json"))
    assert not list((folder / "runs" / ".stages").glob("train-*/done.json"))


@pytest.mark.slow
def test_after_ctrl_c_the_same_command_goes_on_to_a_verdict(done: Path) -> None:
    said = (done / "said").read_text()
    assert "report: runs/little/report/index.html" in said
    assert (done / "runs" / "little" / "report" / "index.html").is_file()
    assert (done / "code").read_text() == "1"  # better was expected, and could not be told


@pytest.mark.slow
def test_an_expectation_decides_the_exit_code_and_no_expectation_is_met_by_doubt(
    done: Path,
) -> None:
    results = json.loads((done / "runs/little/report/results.json").read_text())
    (compared,) = results["tasks"]["repair"]["metrics"]["rpass"]["comparisons"]
    assert compared["verdict"] == "inconclusive"
    assert outdo_("run", "study.yaml", "--expect", "not-worse", folder=done).returncode == 1
    assert outdo_("run", "study.yaml", folder=done).returncode == 0


@pytest.mark.slow
def test_the_report_of_a_finished_study_is_written_anew(done: Path) -> None:
    (done / "runs/little/report/index.html").unlink()
    assert outdo_("report", "study.yaml", folder=done).returncode == 0
    assert (done / "runs/little/report/index.html").is_file()
    more = outdo_("report", "study.yaml", "--set", "answer.base.max_tokens=9", folder=done)
    assert more.returncode == 2
    assert more.stderr.endswith(
        "outdo: the study isn't finished: something is still owed"
        " (outdo run study.yaml --set answer.base.max_tokens=9)\n"
    )


@pytest.mark.slow
def test_what_was_run_is_listed_and_explained(done: Path) -> None:
    listed = outdo_("ls", folder=done)
    assert listed.returncode == 0
    for word in ("little", "train tuned", "generate base", "2 rows", "whole"):
        assert word in listed.stdout
    why = outdo_("why", "generate tuned", folder=done)
    assert re.match(r"generate-[0-9a-f]{12} is named by\n  model: ", why.stdout)
    assert "differs in\n  model: " in why.stdout


@pytest.mark.slow
def test_a_model_is_put_to_use_on_a_file(done: Path) -> None:
    (done / "mine.py").write_text("def double(x):\n    return x + x + 1\n")
    before = (done / "mine.py").read_text()
    ran = outdo_(
        "generate",
        "mine.py",
        "--model",
        "run/little/train tuned",
        "--statement",
        "Return twice x.",
        "--test",
        "double(2)=4",
        "--max-tokens",
        "8",
        "--write",
        folder=done,
    )
    assert ran.returncode == 1, ran.stderr
    assert ran.stdout.startswith("mine.py: fails the tests")
    assert (done / "mine.py").read_text() == before


@pytest.mark.slow
def test_two_commands_on_one_folder_take_turns(done: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    command = [*COMMAND, "run", "study.yaml", "--log-dir", str(runs)]
    both = [
        subprocess.Popen(
            command,
            cwd=done,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert said[0][0] == said[1][0]
    waited = [re.search(r"waiting for process (\d+)", err) for _, err in said]
    pids = [str(process.pid) for process in both]
    told = [match[1] for match in waited if match]
    assert told == [pid for pid, match in zip(reversed(pids), waited, strict=True) if match]
    assert len(told) == 1
    for rows in runs.glob(".stages/*/rows.jsonl"):
        keys = [json.loads(line)["key"] for line in rows.read_text().splitlines()]
        assert len(keys) == len(set(keys))
