"""A teacher's rows, cleaned rows and a picked evaluation set, as a user makes them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from keyboard import Type, keyboard

from outdo.data.chats import read_conversations
from outdo.data.frozen import read_frozen
from outdo.records import Answer, Conversation, Example, Message, Metric, Prompt, Score
from outdo.tasks import Task

# ------------------------------------------------------------------ a task of one's own


def _prompt(example: Example, *, variant: str, shots: object = ()) -> Prompt:
    asked = f"{variant}: capital of {example.given['land']}?"
    said = Message(role="system", content="Answer in one word, and never more than that one word.")
    return Prompt(messages=(said, Message(role="user", content=asked)))


def _parse(reply: str, example: Example) -> Answer:
    if not reply.strip():
        return Answer(value=None, problem="the reply is empty")
    if reply.startswith("{"):
        return Answer(value=None, problem="the reply is JSON")
    if reply.endswith("."):
        return Answer(value=reply[:-1], repaired_by="full stop")
    return Answer(value=reply)


def _score(example: Example, answer: Answer, outcome: object) -> tuple[Score, ...]:
    if answer.value is None:
        return (Score(metric="known", by="x", value=0.0),)
    known = answer.value.split()[0] in example.given["places"]
    return (
        Score(metric="known", by="x", value=float(known)),
        Score(metric="told", by="x", value=None if "?" in answer.value else 1.0),
    )


def _conversation(example: Example, *, variant: str) -> Conversation:
    raise NotImplementedError


task = Task(
    name="capital",
    version="1",
    metrics=(
        Metric(name="known", heading="Known", better="higher"),
        Metric(name="told", heading="Told", better="higher"),
    ),
    variants=("direct", "politely"),
    prompt=_prompt,
    parse=_parse,
    program=lambda *_: None,
    score=_score,
    gold=lambda example: str(example.wanted.get("capital", "")),
    bait=lambda _: "nowhere",
    conversation=_conversation,
)

LANDS = {
    "Norway": ["Oslo"],
    "Peru": ["Lima Lima Lima"],
    "Chad": ["{not this}"],
    "Cuba": ["Havana."],
    "Oman": ["Atlantis"],
    "Mali": ["Bamako ?"],
    "Fiji": [""],
    "Togo": ["Lomé Lomé"],
    "Iran": ["Tehran"],
    "Iraq": ["Baghdad"],
}
"""A land to what the teacher says of it."""

STUDY = """\
study: capitals
task: test_gather:task
data:
  lands: {source: rows, path: lands.jsonl, columns: {id: id, group: group, split: split,
    land: land, about: about, places: places, license: license, wanted.capital: capital}}
models: {teacher: scripted/teacher.jsonl}
answer:
  base: {model: teacher}
"""


def about(land: str) -> str:
    return " ".join(f"{land}{n}" for n in range(60))


def row(land: str, **fields: object) -> dict[str, object]:
    told = {"id": land, "group": f"region of {land}", "split": "train", "land": land}
    places = ["Oslo", "Lima", "Havana", "Bamako", "Lomé", "Tehran", "Baghdad"]
    more = {"about": about(land), "places": places, "license": "MIT", "capital": "Bern"}
    return {**told, **more, **fields}


@pytest.fixture
def type_(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Type:
    monkeypatch.chdir(tmp_path)
    rows = [row(land) for land in LANDS]
    rows[7] |= {"license": "GPL-3.0"}
    rows[8] |= {"group": "region of Tests"}
    # The same words but for the name of the land, which counts as a near-duplicate.
    rows.append(row("Norge", about=about("Norway").replace("Norway7 ", "Noreg7 ")))
    rows += [row(f"Test{n}", split="test", group="region of Tests") for n in range(3)]
    rows.append(row("Copy", about=about("Test1") + " and some words more"))
    Path("lands.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    replies = {**LANDS, "Norge": ["Oslo"], "Copy": ["Oslo"]}
    script = [{"match": f"of {land}\\?", "reply": said} for land, said in replies.items()]
    del script[9]  # Iraq is never answered
    Path("teacher.jsonl").write_text("".join(json.dumps(one) + "\n" for one in script))
    Path("study.yaml").write_text(STUDY)
    return keyboard(monkeypatch, capsys)


TEACH = ("data", "teach", "study.yaml", "--model", "scripted/teacher.jsonl", "--out", "rows.jsonl")
FIRM = ("--grounded", "known", "--grounded", "told", "--license-field", "given.license")


def gates(name: str = "rows") -> dict[str, tuple[int, list[str]]]:
    """Gate to how many rows it dropped, and the ids it shows."""
    told = json.loads(Path(f"{name}.report.json").read_text())
    return {g["gate"]: (g["dropped"], [one["id"] for one in g["shown"]]) for g in told["gates"]}


# ------------------------------------------------------------------ teach


def test_a_teachers_rows_are_kept_or_dropped_for_a_reason(type_: Type) -> None:
    done = type_(*TEACH, *FIRM)
    assert done.code == 0, done.err
    told = gates()
    near = told.pop("near-duplicate")
    assert near[0] == 1 and near[1][0] in ("Norway", "Norge")
    assert told == {
        "answered": (2, ["Fiji", "Iraq"]),
        "readable": (1, ["Chad"]),
        "form": (1, ["Cuba"]),
        "grounded": (2, ["Mali", "Oman"]),
        "licence": (1, ["Togo"]),
        "evaluation: group": (1, ["Iran"]),
        "evaluation: text": (0, []),
        "evaluation: n-grams": (1, ["Copy"]),
    }
    kept = {one.id: one for one in read_conversations("rows.jsonl")}
    assert len(kept) == 2 and "Peru" in kept
    assert [turn.role for turn in kept["Peru"].messages] == ["system", "user", "assistant"]
    assert kept["Peru"].messages[1].content == "direct: capital of Peru?"
    assert kept["Peru"].messages[2].content == "Lima Lima Lima"
    assert kept["Peru"].group == "region of Peru"
    assert done.out.startswith("2 rows kept; dropped: 2 by answered, 1 by readable, ")


def test_the_report_and_the_card_say_why(type_: Type) -> None:
    type_(*TEACH, *FIRM)
    told = json.loads(Path("rows.report.json").read_text())
    assert (told["rows_in"], told["rows_kept"]) == (12, 2)
    assert told["about"]["teacher"] == "scripted/teacher.jsonl"
    assert told["about"]["evaluation rows"] == 3
    by_gate = {gate["gate"]: gate for gate in told["gates"]}
    assert by_gate["grounded"]["reasons"] == {
        "known is not at full marks": 1,
        "told could not be told": 1,
    }
    assert by_gate["readable"]["shown"][0]["detail"] == "the reply is JSON"
    assert by_gate["licence"]["reasons"] == {"GPL-3.0 is not permitted": 1}
    assert [gate["seen"] for gate in told["gates"]] == [12, 10, 9, 8, 6, 5, 4, 4, 3]
    card = Path("rows.card.md").read_text()
    assert "2 of 12 rows are kept (17%)." in card
    assert "| Copy | shares 13-grams with the evaluation |" in card
    assert "| MIT | 2 |" in card


def test_nothing_is_asked_twice_and_gates_can_be_changed(type_: Type) -> None:
    type_(*TEACH, *FIRM)
    before = Path("rows.jsonl").read_text()
    stages = sorted(Path("runs/.stages").glob("generate-*/rows.jsonl"))
    stored = [path.read_text() for path in stages]
    assert type_(*TEACH, *FIRM).code == 0
    assert Path("rows.jsonl").read_text() == before
    loose = ("--repaired", "--license", "own", "--same-groups", "--learn", "politely")
    assert type_(*TEACH, *loose).code == 0
    kept = {one.id: one for one in read_conversations("rows.jsonl")}
    assert {"Cuba", "Mali", "Oman", "Togo", "Iran"} <= set(kept)
    assert kept["Cuba"].messages[1].content == "politely: capital of Cuba?"
    assert [path.read_text() for path in stages] == stored


def test_a_larger_limit_only_adds(type_: Type) -> None:
    kept = []
    for limit in ("3", "6"):
        type_(*TEACH, "--license", "own", "--limit", limit, "--repaired")
        kept.append(json.loads(Path("rows.report.json").read_text()))
    assert [one["rows_in"] for one in kept] == [3, 6]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--grounded", "nown"), "no task has the metric 'nown' (did you mean 'known'?)"),
        (("--prompt", "dirct"), "capital has no prompt 'dirct' (did you mean 'direct'?)"),
        (("--data", "seas"), "there is no data 'seas' of examples (--data, one of: lands)"),
        (("--before", "2024-01-01"), "no field says how old a row is (name one with --date-field)"),
        (
            ("--license", "MIT", "--license-field", "given.license"),
            "a licence of all rows and a field for it are given (give one of them)",
        ),
        (("--evaluation", "none.jsonl"), "none.jsonl: there is no such file (check the path)"),
        (("--out", "rows.csv"), "rows.csv: rows are written as .jsonl"),
        (
            (),
            "rows.jsonl: no row is left; most (8) were dropped by licence (see rows.card.md)",
        ),
    ],
)
def test_mistakes_in_teaching_are_a_line(type_: Type, more: tuple[str, ...], says: str) -> None:
    done = type_(*TEACH, *more)
    assert done.code == 2
    assert done.err.splitlines()[-1] == f"outdo: {says}"
    assert not Path("rows.jsonl").exists()


def test_local_only_lets_nothing_leave_the_machine(type_: Type) -> None:
    remote = [*TEACH[:4], "openai/some-model", *TEACH[5:]]
    done = type_(*remote, "--license", "own", "--local-only")
    assert done.code == 2
    assert "its prompts would leave this machine" in done.err
    assert not Path("rows.jsonl").exists()


# ------------------------------------------------------------------ clean


def chat(id: str, said: str, **more: object) -> dict[str, object]:
    system = {"role": "system", "content": "A long instruction " * 40}
    user = {"role": "user", "content": about(id)}
    turns = [system, user, {"role": "assistant", "content": said}]
    return {"id": id, "messages": turns, "group": id, "license": "MIT", **more}


def write(name: str, rows: list[dict[str, object]]) -> None:
    Path(name).write_text("".join(json.dumps(one) + "\n" for one in rows))


def test_rows_of_a_file_are_cleaned_as_they_stand(type_: Type) -> None:
    rows = [
        chat("a", "one", day="2023-01-01", note={"kept": [1, None]}),
        chat("b", "two", day="2024-06-01"),
        chat("c", "three", license="GPL-3.0", day="2020-01-01"),
        chat("d", "four", group="tested", day="2020-01-01"),
        chat("e", "five", day=None),
    ]
    write("in.jsonl", rows)
    write("eval.jsonl", [chat("z", "six", group="tested")])
    options = ("--license-field", "license", "--before", "2024-01-01", "--date-field", "day")
    done = type_(
        "data", "clean", "in.jsonl", "--out", "out.jsonl", *options, "--evaluation", "eval.jsonl"
    )
    assert done.code == 0, done.err
    assert [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()] == rows[:1]
    told = {gate: dropped for gate, (dropped, _) in gates("out").items()}
    assert told["licence"] == told["evaluation: group"] == 1
    assert told["evaluation: time"] == 2


def test_replies_in_a_file_are_graded_by_their_task(type_: Type) -> None:
    type_("data", "load", "study.yaml")
    (examples,) = Path("runs/.stages").glob("data-*/examples.jsonl")
    write("in.jsonl", [chat("Peru", "Lima"), chat("Oman", "Atlantis"), chat("Nowhere", "Oslo")])
    clean = ("data", "clean", "in.jsonl", "--out", "out.jsonl", "--license", "own")
    graded = ("--task", "test_gather:task", "--examples", examples, "--grounded", "known")
    assert type_(*clean, *graded).code == 0
    assert gates("out")["example"] == (1, ["Nowhere"])
    assert gates("out")["grounded"] == (1, ["Oman"])
    assert type_(*clean, "--grounded", "known").err == (
        "outdo: replies are graded with --task and --examples (give both)\n"
    )
    write("bad.jsonl", [{"id": "x"}])
    done = type_(*clean, "--task", "test_gather:task", "--examples", "bad.jsonl")
    assert done.err.startswith("outdo: bad.jsonl:1: the row is no example: Example: field 'task'")


def test_a_row_without_an_id_that_stands_twice_is_a_near_duplicate(type_: Type) -> None:
    once = chat("a", "one")
    del once["id"]
    write("in.jsonl", [once, once])
    assert type_("data", "clean", "in.jsonl", "--out", "o.jsonl", "--license", "own").code == 0
    assert gates("o")["near-duplicate"][0] == 1


# ------------------------------------------------------------------ pick

PICK = ("data", "pick", "study.yaml", "--count", "2", "--by", "group", "--review", "review.csv")


def judge(verdicts: dict[str, tuple[str, str]]) -> list[str]:
    """Fill the review file in; the ids that stand in it."""
    with Path("review.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for one in rows:
        one["verdict"], one["reason"] = verdicts.get(one["id"], (one["verdict"], one["reason"]))
    with Path("review.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return [one["id"] for one in rows]


def test_a_set_is_proposed_looked_through_topped_up_and_frozen(type_: Type) -> None:
    done = type_(*PICK, "--show", "given.land", "--show", "given.nothing")
    assert done.out.endswith(
        "2 rows to look through: write accept or reject, and why, in review.csv\n"
    )
    first = judge({})
    assert len(first) == 2
    header = Path("review.csv").read_text().splitlines()[0]
    assert header == "id,verdict,reason,group,given.land,given.nothing"
    freeze = (*PICK, "--freeze", "evaluation.json")
    assert "2 rows have no verdict yet" in type_(*freeze).err
    judge({first[0]: ("accept", ""), first[1]: ("Reject", "no question")})
    assert "1 rejected rows can be replaced (pick without --freeze" in type_(*freeze).err
    assert type_(*PICK).out.endswith("1 rows added; 1 without a verdict in review.csv\n")
    (third,) = set(judge({})) - set(first)
    judge({third: ("accept", "good")})
    assert type_(*freeze).code == 0
    frozen = read_frozen(Path("evaluation.json"))
    assert set(frozen.rows) == {first[0], third}
    assert frozen.rejected == {first[1]: "no question"}
    assert type_(*freeze).code == 0, "freezing the same set again changes nothing"
    judge({third: ("reject", "bad after all")})
    done = type_(*freeze)
    assert "1 short: no other row of region of Tests" in done.out
    assert "another evaluation set is frozen here" in done.err


def test_a_study_tests_with_its_frozen_set_or_not_at_all(type_: Type) -> None:
    type_(*PICK)
    kept, gone = judge({})
    judge({kept: ("accept", ""), gone: ("reject", "dull")})
    type_(*PICK)
    judge({one: ("accept", "") for one in judge({}) if one not in (kept, gone)})
    type_(*PICK, "--freeze", "evaluation.json")
    load = ("data", "load", "study.yaml", "--set", "data.lands.frozen=evaluation.json")
    assert type_(*load).code == 0
    read = [
        {
            one["id"]
            for one in map(json.loads, path.read_text().splitlines())
            if one["split"] == "test"
        }
        for path in Path("runs/.stages").glob("data-*/examples.jsonl")
    ]
    assert sorted(map(len, read)) == [2, 3]
    assert min(read, key=len) == set(read_frozen(Path("evaluation.json")).rows)
    lands = Path("lands.jsonl").read_text()
    Path("lands.jsonl").write_text(lands.replace(about(kept), about(kept) + " and more"))
    assert f"the row {kept!r} isn't what it was when it was frozen" in type_(*load).err
    Path("lands.jsonl").write_text(lands)
    text = Path("evaluation.json").read_text()
    Path("evaluation.json").write_text(text.replace(kept, "another"))
    assert "evaluation.json: the frozen set was changed" in type_(*load).err
    missing = ("data", "load", "study.yaml", "--set", "data.lands.frozen=none.json")
    assert "none.json: there is no such file" in type_(*missing).err


def test_mistakes_in_picking_are_a_line(type_: Type) -> None:
    assert "review.csv: there is no such review file" in type_(*PICK, "--freeze", "e.json").err
    many = [*PICK[:4], "9", *PICK[5:]]
    assert type_(*many).err.endswith("outdo: 9 rows can't be picked (there are 3)\n")
    wrong = [*PICK[:6], "given.size", *PICK[7:]]
    assert "the examples have no field 'given.size'" in type_(*wrong).err
