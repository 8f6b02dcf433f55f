"""Pairs made by models as a user makes them: every reply is a pair, or is counted at a gate."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from keyboard import Type, keyboard

from outdo import replies
from outdo.data.pairs import choices, read_pairs
from outdo.engines.scripted import Scripted
from outdo.errors import PermanentError, TransientError
from outdo.records import Completion, Request, digest

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("OUTDO_DATA", ROOT.parent / "shared" / "data"))
sys.path.append(str(ROOT / "benchmarks"))

from mining import teacher  # noqa: E402  # the benchmarks are no part of the package


@pytest.fixture
def type_(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Type:
    monkeypatch.chdir(tmp_path)
    return keyboard(monkeypatch, capsys)


def words(seed: object, count: int) -> list[str]:
    """Names that no other seed has."""
    return [f"w{digest([seed, n])[:6]}" for n in range(count)]


def commit(number: int, **fields: Any) -> dict[str, Any]:
    """A commit that changes one function, unlike that of any other number."""
    names = words(number, 14)
    lines = [f"    {name} = {names[0]} + {n}" for n, name in enumerate(names[1:])]
    head = f"def f{number}({names[0]}):\n"
    before = head + "\n".join(lines) + f"\n    return {names[1]} - {number}\n"
    after = head + "\n".join(lines) + f"\n    return {names[2]} + {number}\n"
    row = {"repo": f"shop/till{number % 3}", "license": "MIT", "sha": digest(number)[:40]}
    row |= {"date": "2024-05-31", "subject": f"Mend {names[3]}", "message": f"Mend {names[3]}"}
    return {**row, "path": f"f{number}.py", "before": before, "after": after, "diff": "", **fields}


def write_rows(name: str, rows: Sequence[dict[str, Any]]) -> Path:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Path(name)


def report(name: str = "pairs") -> dict[str, Any]:
    told: dict[str, Any] = json.loads(Path(f"{name}.report.json").read_text())
    return told


def reasons(name: str = "pairs") -> dict[str, int]:
    """Why rows were dropped, over all gates."""
    found: dict[str, int] = {}
    for gate in report(name)["gates"]:
        found |= gate["reasons"]
    return found


COMMITS = ("data", "evolve", "commits", "commits.jsonl", "--teacher", "scripted/teacher.jsonl")
EVOLVE = (*COMMITS, "--out", "pairs.jsonl")

# ------------------------------------------------------------------ commits

REASONS = {
    "no improvement": ["no clear improvement"],
    "unchanged": ["both programs are one up to layout"],
    "truncated": ["cut at the limit of tokens"],
    "refused": ["refused"],
    "never answered": ["never answered"],
    "empty": ["empty"],
    "NOTE for the decision": ["neither yes nor no where that was asked"],
    "field missing": ["a field is missing"],
    "field twice": ["a field stands twice"],
}
"""Kind of reply to the reason that it is dropped for."""


@pytest.mark.parametrize("prompt", ["json", "direct"])
def test_every_reply_is_a_pair_or_counted(type_: Type, prompt: str) -> None:
    rows = write_rows("commits.jsonl", [commit(number) for number in range(120)])
    kinds = teacher.write_script(rows, Path("teacher.jsonl"), prompt=prompt)
    assert set(kinds) == set(teacher.RATES) and sum(teacher.RATES.values()) == pytest.approx(1)
    done = type_(*EVOLVE, "--prompt", prompt)
    assert done.code == 0, done.err
    told = reasons()
    for kind, (why,) in REASONS.items():
        assert told.pop(why) == kinds[kind], kind
    in_words = kinds["NOTE alone"] + kinds["refused in words"]
    assert told == {"not in the form that was asked for": in_words}
    pairs = list(read_pairs("pairs.jsonl"))
    assert len(pairs) == kinds["good"] == report()["rows_kept"]
    assert report()["rows_in"] == 120
    card = Path("pairs.card.md").read_text()
    assert f"{len(pairs)} of 120 rows are kept" in card
    assert "| neither yes nor no where that was asked |" in card


def test_a_pair_says_where_it_comes_from(type_: Type) -> None:
    rows = write_rows("commits.jsonl", [commit(number) for number in range(12)])
    teacher.write_script(rows, Path("teacher.jsonl"), prompt="json")
    type_(*EVOLVE)
    pair = next(iter(read_pairs("pairs.jsonl")))
    number = next(n for n in range(12) if f"f{n}(" in pair.better)
    row = commit(number)
    assert (
        pair.worse.strip() == row["before"].strip() and pair.better.strip() == row["after"].strip()
    )
    assert (pair.group, pair.source, pair.licence) == (row["repo"], "commits", "MIT")
    assert pair.evidence["sha"] == row["sha"] and pair.evidence["path"] == row["path"]
    assert pair.evidence["by"] == "scripted/teacher.jsonl" and pair.evidence["how"] == "commit"
    assert row["subject"] in str(pair.evidence["reasons"])
    (example,) = choices([pair], seed=1)
    assert example.given["criterion"] == pair.criterion != ""


class Cut:
    """An engine that stops after some answers, and counts what it is asked."""

    def __init__(self, engine: Callable[..., Any], *, most: int | None = None) -> None:
        self.engine, self.most, self.asked = engine, most, 0

    def __call__(
        self, own: Scripted, requests: Sequence[Request]
    ) -> Iterator[tuple[Request, Completion | PermanentError]]:
        for number, answer in enumerate(self.engine(own, requests)):
            if number == self.most:
                raise TransientError("the server went away")
            self.asked += 1
            yield answer


def test_what_was_answered_is_not_asked_again(type_: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = write_rows("commits.jsonl", [commit(number) for number in range(30)])
    teacher.write_script(rows, Path("teacher.jsonl"), prompt="json")
    whole = Scripted.complete

    def cut(most: int | None) -> Cut:
        made = Cut(whole, most=most)
        monkeypatch.setattr(Scripted, "complete", lambda own, asked: made(own, asked))
        return made

    first = cut(11)
    stopped = type_(*EVOLVE)
    assert stopped.code == 2 and "the server went away" in stopped.err
    assert "run the same command again" in stopped.err
    assert first.asked == 11 and not Path("pairs.jsonl").exists()
    second = cut(None)
    assert type_(*EVOLVE).code == 0
    assert second.asked == 19
    made = Path("pairs.jsonl").read_text()
    third = cut(None)
    assert type_(*EVOLVE, "--allow", "GPL-3.0").code == 0
    assert third.asked == 0 and Path("pairs.jsonl").read_text() == made


def test_a_larger_limit_only_adds(type_: Type) -> None:
    rows = write_rows("commits.jsonl", [commit(number) for number in range(30)])
    teacher.write_script(rows, Path("teacher.jsonl"), prompt="json")
    kept = []
    for limit in ("10", "20"):
        assert type_(*EVOLVE, "--limit", limit).code == 0
        kept.append([pair.id for pair in read_pairs("pairs.jsonl")])
    assert kept[1][: len(kept[0])] == kept[0] and len(kept[1]) > len(kept[0])


def test_rows_that_are_not_used_stand_on_the_card(type_: Type) -> None:
    good = [commit(number) for number in range(20)]
    rows = write_rows("commits.jsonl", [*good, {**good[0], "after": good[0]["before"]}])
    teacher.write_script(rows, Path("teacher.jsonl"), prompt="json")
    assert type_(*EVOLVE).code == 0
    assert report()["about"]["rows not used"] == {"before and after are the same": 1}
    bad = write_rows("commits.jsonl", [*good, {"id": 1}])
    told = type_(*EVOLVE)
    assert told.code == 2 and f"{bad}:21: no known form of commits" in told.err
    assert type_(*EVOLVE, "--drop").code == 0
    assert report()["about"]["rows not used"].keys() == {
        "no known form of commits: the row has 'id'"
    }


def test_gates_of_pairs_apply_too(type_: Type) -> None:
    rows = [commit(number) for number in range(40)]
    script = []
    for number, row in enumerate(rows):
        value = {
            "reasons": "It says so.",
            "improves": True,
            "criterion": "correctness",
            "instruction": f"Write {row['subject']}.",
            "naive_code": row["before"],
            "improved_code": row["after"],
            "feedback": "It is better.",
        }
        if number == 0:
            value["improved_code"] = "def (:"
        if number == 1:
            value["naive_code"] = row["before"].replace("def f1(", "def f1_naive(")
        if number == 2:
            row["license"] = "GPL-3.0"
        reply = json.dumps(value)
        script.append({"match": f"Mend {words(number, 14)[3]}", "reply": reply})
    write_rows("commits.jsonl", rows)
    write_rows("teacher.jsonl", script)
    write_rows("known.jsonl", [{"id": "a", "group": "x", "text": rows[3]["before"]}])
    assert type_(*EVOLVE, "--evaluation", "known.jsonl").code == 0
    told = reasons()
    assert told.pop("the better side isn't Python") == 1
    assert told.pop("a word in one program tells which it is") == 1
    assert told.pop("GPL-3.0 is not permitted") == 1
    assert sum(told.values()) == 1 and "evaluation" in next(iter(told))
    assert len(list(read_pairs("pairs.jsonl"))) == 36


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--out", "pairs.csv"), "pairs.csv: rows are written as .jsonl"),
        (("--evaluation", "none.jsonl"), "none.jsonl: there is no such file (check the path)"),
        (
            ("--prompt", "loud"),
            "commit-instruct has no variant 'loud' (one of direct, json, brief)",
        ),
        (("--teacher", "scripted/none.jsonl"), "scripted/none.jsonl: no such script"),
        (("--before", "long ago"), "'long ago' is no date (like 2024-05-31)"),
        (("--context", "20"), "a prompt of commit-instruct takes more than 20 tokens"),
        ((), "pairs.jsonl: no row is left; most (3) were dropped by answered"),
    ],
)
def test_mistakes_are_a_line(type_: Type, more: tuple[str, ...], says: str) -> None:
    write_rows("commits.jsonl", [commit(number) for number in range(3)])
    write_rows("teacher.jsonl", [{"prompt": "none", "reply": "a"}])
    done = type_(*EVOLVE, *more)
    assert done.code == 2, done.out
    assert done.err.splitlines()[-1].startswith(f"outdo: {says}")
    assert not Path("pairs.jsonl").exists()


def test_a_dry_run_asks_nobody(type_: Type) -> None:
    write_rows("commits.jsonl", [commit(number) for number in range(3)])
    done = type_(*COMMITS[:-1], "openai/some-model", "--out", "pairs.jsonl", "--dry-run")
    assert done.code == 0, done.err
    assert "commits" in done.out and "openai" in done.out
    assert not Path("pairs.jsonl").exists()


# ------------------------------------------------------------------ critiques


def instruction(number: int) -> dict[str, str]:
    row = commit(number)
    return {"instruction": f"Write {row['subject']}.", "output": row["after"]}


def revised(number: int, **fields: Any) -> str:
    value = {
        "reflection": "It returns the wrong name.",
        "good_enough": False,
        "criterion": "correctness",
        "revision": commit(number)["after"],
        "feedback": "It returns the right one.",
    }
    return replies.write({**value, **fields}, form="json")


def write_critics(names: str = "both") -> None:
    """A drafter and a critic of twelve instructions: each goes wrong in a way of its own."""
    write_rows("write.jsonl", [instruction(number) for number in range(12)])
    subjects = [words(number, 14)[3] for number in range(12)]
    drafts: list[Any] = [commit(number)["before"] for number in range(12)]
    drafts[0] = {"text": "def f0(", "finish": "length"}
    drafts[1] = "I can't do that."
    script = [
        {"match": f"Mend {one}", "reply": draft}
        for one, draft in zip(subjects, drafts, strict=True)
    ]
    write_rows("drafter.jsonl", script)
    critiques: list[Any] = [revised(number) for number in range(12)]
    critiques[2] = json.dumps({"reflection": "It is fine.", "good_enough": True})
    critiques[3] = revised(3, revision=f"# again\n{commit(3)['before']}\n")
    critiques[4] = "NOTE"
    critiques[5] = revised(5, good_enough="NOTE")
    critiques[6] = {"text": revised(6), "finish": "refused"}
    script = [
        {"match": f"Mend {one}", "reply": reply}
        for one, reply in zip(subjects, critiques, strict=True)
    ]
    write_rows("critic.jsonl", script)


CRITIQUES = ("data", "evolve", "critiques", "--drafter", "scripted/drafter.jsonl")
CRITICISE = (*CRITIQUES, "--critic", "scripted/critic.jsonl", "--out", "pairs.jsonl")
OWN = ("--instructions", "write.jsonl", "--license", "own")


def test_a_critic_revises_drafts_or_stops(type_: Type) -> None:
    write_critics()
    done = type_(*CRITICISE, *OWN)
    assert done.code == 0, done.err
    assert "warning" not in done.err
    assert reasons() == {
        "cut at the limit of tokens": 1,
        "no program": 1,
        "good enough": 1,
        "both programs are one up to layout": 1,
        "not in the form that was asked for": 1,
        "neither yes nor no where that was asked": 1,
        "refused": 1,
    }
    pairs = {pair.statement: pair for pair in read_pairs("pairs.jsonl")}
    assert len(pairs) == 5
    pair = pairs[instruction(7)["instruction"]]
    assert pair.worse.strip() == commit(7)["before"].strip()
    assert pair.better.strip() == commit(7)["after"].strip()
    assert (pair.source, pair.criterion, pair.licence) == ("critiques", "correctness", "own")
    assert pair.evidence["by"] == "scripted/critic.jsonl"
    assert pair.evidence["drafter"] == "scripted/drafter.jsonl"
    gates = [gate["gate"] for gate in report()["gates"]][:6]
    assert gates == ["draft answered", "draft", "answered", "readable", "decided", "changed"]


STUDY = """\
study: writing
task: write
data:
  sums: {source: instructions, path: write.jsonl, hold_out: 3}
models: {drafter: scripted/drafter.jsonl}
answer:
  base: {model: drafter}
"""


def test_a_studys_training_examples_are_drafted_and_its_test_kept_apart(type_: Type) -> None:
    write_critics()
    Path("study.yaml").write_text(STUDY)
    done = type_(*CRITICISE, "--study", "study.yaml", "--license", "own")
    assert done.code == 0, done.err
    assert report()["rows_in"] == 9
    assert report()["about"]["evaluation rows"] == 3


def test_a_critic_that_is_its_drafter_is_warned_of(type_: Type) -> None:
    write_critics()
    Path("critic.jsonl").write_bytes(Path("drafter.jsonl").read_bytes())
    done = type_(*CRITICISE, *OWN)
    assert "warning: the critic is the drafter itself: a published study" in done.err
    assert "2.5 to 9.4%" in done.err
    kin = type_(
        *("data", "evolve", "critiques", "--out", "pairs.jsonl", *OWN, "--dry-run"),
        *("--drafter", "openai-api/one/qwen-7b", "--critic", "openai-api/one/qwen-72b"),
        *("--base-url", "http://127.0.0.1:9/v1"),
    )
    assert kin.code == 0, kin.err
    assert "warning: critic and drafter are of one family, qwen" in kin.err


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ((), "drafts need instructions (give --study or --instructions, one of them)"),
        ((*OWN, "--study", "study.yaml"), "drafts need instructions"),
        (("--instructions", "none.jsonl"), "none.jsonl: there is no such file"),
        (("--instructions", "write.jsonl"), "pairs.jsonl: no row is left; most (5) were dropped"),
        ((*OWN, "--prompt", "few"), "critique has no variant 'few'"),
    ],
)
def test_mistakes_of_critiques_are_a_line(type_: Type, more: tuple[str, ...], says: str) -> None:
    write_critics()
    done = type_(*CRITICISE, *more)
    assert done.code == 2, done.out
    assert done.err.splitlines()[-1].startswith(f"outdo: {says}")
    assert not Path("pairs.jsonl").exists()


# ------------------------------------------------------------------ pairs made elsewhere


def test_pairs_made_elsewhere_come_through_the_same_gates(type_: Type) -> None:
    rows = [
        {
            "seed_info": {"commit": digest(number)},
            "instruction": f"Write {commit(number)['subject']}.",
            "criteria": "correctness",
            "naive_code": commit(number)["before"],
            "improved_code": "def (:" if number == 2 else commit(number)["after"],
            "feedback": "It is better.",
        }
        for number in range(5)
    ]
    write_rows("rows.jsonl", rows)
    asked = ("data", "evolve", "pairs", "rows.jsonl", "--out", "pairs.jsonl")
    assert type_(*asked).code == 2  # nobody says under which licence they stand
    assert type_(*asked, "--license", "CC-BY-4.0").code == 0
    assert len(list(read_pairs("pairs.jsonl"))) == 4
    assert reasons() == {"the better side isn't Python": 1}


# ------------------------------------------------------------------ the whole chain


@pytest.mark.slow
def test_all_real_commits_go_through_in_bounded_memory(tmp_path: Path) -> None:
    commits = DATA / "commits-permissive" / "commits.jsonl.gz"
    if not commits.is_file():
        pytest.skip("../shared/data/commits-permissive is not here")
    kinds = teacher.write_script(commits, tmp_path / "teacher.jsonl", prompt="json")
    command = [sys.executable, "-m", "outdo", "data", "evolve", "commits", str(commits)]
    command += ["--teacher", f"scripted/{tmp_path / 'teacher.jsonl'}"]
    command += ["--out", str(tmp_path / "pairs.jsonl"), "--log-dir", str(tmp_path / "runs")]
    subprocess.run(command, check=True, capture_output=True)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1_000_000
    told = reasons(str(tmp_path / "pairs"))
    for kind, (why,) in REASONS.items():
        if kind != "unchanged":
            assert told[why] == kinds[kind], kind
    for kind, count in kinds.items():
        assert count / kinds.total() == pytest.approx(teacher.RATES[kind], abs=0.02)
    # Real definitions may differ in nothing but comments, which is no change either.
    assert told["both programs are one up to layout"] >= kinds["unchanged"]
    pairs = list(read_pairs(tmp_path / "pairs.jsonl"))
    assert len(pairs) > kinds["good"] / 2
    assert len({pair.group for pair in pairs}) > 20
