"""The verb that compares two files of answers: verdicts, exit codes, what is told and stored."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from keyboard import Type, keyboard

from outdo.cli.remote import Remote
from outdo.data.bridges import AnswerSet, matched
from outdo.engines.scripted import Scripted
from outdo.judging.folding import Folded
from outdo.pipeline.duel import Terms, known_between, verdict_of

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "compare"
JUDGE = f"scripted/{EXAMPLES / 'judge.jsonl'}"


@pytest.fixture
def type_(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Type:
    monkeypatch.chdir(tmp_path)
    return keyboard(monkeypatch, capsys, "compare")


def answers(path: Path, rows: dict[str, str | None], *, prompts: bool = True) -> Path:
    lines = [
        {"id": id, "answer": said, **({"prompt": f"Say {id}."} if prompts else {})}
        for id, said in rows.items()
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.mark.parametrize(
    ("word", "sentence", "better", "not_worse"),
    [
        ("better", "better is better than reference", 0, 0),
        ("worse", "worse is worse than reference", 1, 1),
        ("equivalent", "equivalent and reference are equivalent", 1, 0),
        ("inconclusive", "inconclusive against reference: inconclusive", 1, 1),
    ],
)
def test_each_example_draws_its_verdict_and_exit_code(
    type_: Type, word: str, sentence: str, better: int, not_worse: int
) -> None:
    files = (EXAMPLES / f"{word}.jsonl", EXAMPLES / "reference.jsonl", "--judge", JUDGE)
    code, out, _ = type_(*files)
    assert (code, out.partition(":")[0]) == (0, sentence.partition(":")[0])
    assert out.startswith(sentence)
    assert type_(*files, "--expect", "better")[0] == better
    assert type_(*files, "--expect", "not-worse")[0] == not_worse


def test_nothing_is_judged_twice(type_: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    whole = Scripted.complete

    def counted(self: Scripted, requests):  # type: ignore[no-untyped-def]
        asked.append(len(requests))
        return whole(self, requests)

    monkeypatch.setattr(Scripted, "complete", counted)
    files = (EXAMPLES / "better.jsonl", EXAMPLES / "reference.jsonl", "--judge", JUDGE)
    type_(*files, "--limit", "20")
    first = sum(asked)
    assert 0 < first <= 40
    type_(*files, "--limit", "20", "--ties", "dropped")
    assert sum(asked) == first
    type_(*files)
    assert sum(asked) <= 120


def test_what_came_of_it_is_stored(type_: Type) -> None:
    _, out, _ = type_(
        EXAMPLES / "better.jsonl", EXAMPLES / "reference.jsonl", "--judge", JUDGE, "--limit", "20"
    )
    folder = Path(out.rpartition("stored: ")[2].strip())
    assert folder.parent == Path("runs") and folder.name.startswith("compare-")
    told = json.loads((folder / "verdict.json").read_text())
    assert told["verdict"]["word"] == "better"
    assert told["standing"]["won"] > 0
    lines = (folder / "judgements.jsonl").read_text().splitlines()
    assert {json.loads(line)["order"] for line in lines} == {"ab", "ba"}


def test_it_needs_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from outdo.cli import main\n"
        "try:\n    main()\nexcept SystemExit as e:\n"
        "    print(sorted({'torch', 'transformers', 'openai', 'pandas'} & set(sys.modules)))\n"
        "    sys.exit(e.code)\n"
    )
    files = [str(EXAMPLES / "better.jsonl"), str(EXAMPLES / "reference.jsonl")]
    done = subprocess.run(
        [sys.executable, "-c", code, "compare", *files, "--judge", JUDGE, "--limit", "20"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


# ------------------------------------------------------------------ what doesn't fit


def test_ids_that_do_not_fit_are_told(type_: Type, tmp_path: Path) -> None:
    a = answers(tmp_path / "a.jsonl", {"1": "x", "2": "yy", "3": ""})
    b = answers(tmp_path / "b.jsonl", {"2": "y", "3": "z", "4": "w"})
    code, out, _ = type_(a, b, "--judge", "floor/longer")
    assert code == 0
    assert "1 ids only in a left out, '1' first" in out
    assert "1 ids only in b left out, '4' first" in out
    assert "answers are empty, '3' first" in out
    assert "the verdict is of 2 ids in both; 2 are in one alone" in out


def test_files_without_a_shared_id_or_with_one_twice_are_refused(
    type_: Type, tmp_path: Path
) -> None:
    a = answers(tmp_path / "a.jsonl", {"1": "x"})
    b = answers(tmp_path / "b.jsonl", {"2": "y"})
    code, _, err = type_(a, b, "--judge", "floor/longer")
    assert code == 2 and "share no id" in err
    b.write_text(a.read_text() * 2)
    code, _, err = type_(a, b, "--judge", "floor/longer")
    assert code == 2 and "b.jsonl:2" in err and "stood before" in err


def test_mistakes_about_judges_are_one_line(type_: Type, tmp_path: Path) -> None:
    a = answers(tmp_path / "a.jsonl", {"1": "x"})
    for judge, told in (
        ("floor/nicer", "there is no judge 'floor/nicer'"),
        ("nobody/model", "no such form of a model's name"),
        ("scripted/none.jsonl", "no such script"),
    ):
        code, _, err = type_(a, a, "--judge", judge)
        assert code == 2 and told in err and err.count("\n") == 1
    code, _, err = type_(a, a, "--judge", "floor/longer", "--judge", "floor/longer")
    assert code == 2 and "there twice" in err
    code, _, err = type_(a, a, "--judge", "openai/gpt-4o", "--local-only")
    assert code == 2 and "would leave this machine" in err


def test_a_judge_by_length_is_not_believed_unless_nobody_tries_it(
    type_: Type, tmp_path: Path
) -> None:
    names = [f"n{i:02d}" for i in range(30)]
    a = answers(tmp_path / "a.jsonl", {name: f"{name} said well" for name in names})
    b = answers(tmp_path / "b.jsonl", {name: f"{name}" for name in names})
    code, out, _ = type_(a, b, "--judge", "floor/longer", "--expect", "better")
    assert code == 1
    assert "the verdict is withheld, for no judge is believed" in out
    assert "judge floor/longer, withheld:" in out
    code, out, _ = type_(a, b, "--judge", "floor/longer", "--known", "0", "--expect", "better")
    assert code == 0
    assert "on trust: it was not tried on a task whose answer is known, as was asked" in out
    code, out, _ = type_(a, b, "--judge", "floor/shorter", "--known", "0", "--expect", "better")
    assert code == 1 and "a is worse than b" in out


def test_a_judge_that_is_not_tried_says_why(type_: Type, tmp_path: Path) -> None:
    a = answers(tmp_path / "a.jsonl", {"1": "x", "2": "yy", "3": "zzz"})
    b = answers(tmp_path / "b.jsonl", {"1": "y", "2": "z", "3": "w"})
    _, out, _ = type_(a, b, "--judge", "floor/longer")
    assert "judge floor/longer, on trust: it was not tried" in out
    assert "it takes 10 known prompts whose replies differ, and there are 3" in out
    bare = answers(tmp_path / "c.jsonl", {"1": "x", "2": "yy"}, prompts=False)
    _, out, _ = type_(bare, bare, "--judge", "floor/longer")
    assert "and there are none" in out
    files = (EXAMPLES / "better.jsonl", EXAMPLES / "reference.jsonl", "--judge", JUDGE)
    _, out, _ = type_(*files, "--limit", "20")
    assert "on trust: it was not tried" in out and "a script replays what it was given" in out


def test_the_published_form_is_of_written_verdicts(type_: Type, tmp_path: Path) -> None:
    a = answers(tmp_path / "a.jsonl", {"1": "x"})
    arguments = (a, a, "--judge", JUDGE, "--way", "choice", "--form", "published")
    code, _, err = type_(*arguments)
    assert code == 2 and "writes no verdict" in err and "--form" in err


def test_a_dry_run_tells_calls_tokens_and_cost_and_asks_nobody(
    type_: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    prices = tmp_path / "prices.yaml"
    prices.write_text("prices:\n  openai/gpt-4o: {in: 2.5, out: 10.0}\n")
    names = [f"n{i:02d}" for i in range(12)]
    a = answers(tmp_path / "a.jsonl", {name: f"{name} said well" for name in names})
    b = answers(tmp_path / "b.jsonl", {name: f"{name}" for name in names})
    (tmp_path / "judge.jsonl").write_text((EXAMPLES / "judge.jsonl").read_text())
    judges = ("--judge", "openai/gpt-4o", "--judge", "scripted/judge.jsonl")
    code, out, _ = type_(a, b, *judges, "--max-tokens", "100", "--prices", prices, "--dry-run")
    assert code == 0
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines()]
    told = {(row[0], row[2]): row[3:] for row in rows if len(row) == 7}
    assert told["openai", "known task"][0] == "24"
    calls, _, tokens_out, cost = told["openai", "the answers"]
    assert (calls, tokens_out) == ("24", "2,400")
    assert told["openai", "in all"][0] == "48" and cost.startswith("$0.0")
    assert told["this machine", "the answers"][0] == "24"
    assert ("this machine", "known task") not in told, "a script isn't tried"
    assert not (tmp_path / "runs").exists()


# ------------------------------------------------------------------ the parts


def test_the_known_task_pairs_a_reply_with_one_to_another_request() -> None:
    ids = [str(i) for i in range(12)]
    a = AnswerSet(
        name="a", answers={i: (f"a{i}",) for i in ids}, prompts={i: f"Say {i}." for i in ids}
    )
    b = AnswerSet(name="b", answers={i: (f"b{i}",) for i in ids}, prompts=a.prompts)
    contests = known_between(a, b, matched(a, b), Terms(known=50))
    assert len(contests) == 12
    for one in contests:
        own, other = one.replies
        assert own is not None and other is not None
        assert own[1:] == one.comparison.example != other[1:]
        assert own[0] == other[0], "both of one contestant, so that nothing else tells them apart"
    assert {own[0] for one in contests if (own := one.replies[0])} == {"a", "b"}
    few = AnswerSet(name="b", answers={"1": ("x",)}, prompts=a.prompts)
    assert known_between(a, few, matched(a, few), Terms()) == []


def test_ties_count_as_the_terms_say() -> None:
    folded = {str(i): Folded(value=v) for i, v in enumerate([1.0, 1.0, 0.5, 0.5, 0.0])}
    half, loss, dropped = (
        verdict_of(folded, Terms(ties=ties)).found for ties in ("half", "loss", "dropped")
    )
    assert half.difference == pytest.approx(1 / 5)
    assert loss.difference == pytest.approx(-1 / 5)
    assert (dropped.difference, dropped.n) == (pytest.approx(1 / 3), 3)


def test_a_verdict_turns_with_its_sides() -> None:
    folded = {str(i): Folded(value=v) for i, v in enumerate([1.0] * 20 + [0.5] * 5 + [0.0] * 3)}
    mine = verdict_of(folded, Terms())
    theirs = verdict_of({id: one.swapped() for id, one in folded.items()}, Terms())
    assert (mine.word, theirs.word) == ("better", "worse")
    assert mine.found.difference == pytest.approx(-(theirs.found.difference or 0))


def test_what_could_not_be_read_is_missing_and_not_a_loss() -> None:
    folded = {"1": Folded(value=1.0), "2": Folded(value=None, missing="unreadable")}
    found = verdict_of(folded, Terms()).found
    assert (found.n, found.missing, found.losses) == (1, 1, 0)


def test_a_remote_is_checked_before_anything_is_asked() -> None:
    Remote(local_only=True).check("embedded/seedling")
    Remote(local_only=True, base_url="http://localhost:9/v1").check("openai/gpt-4o")
