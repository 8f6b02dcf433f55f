"""What a check finds, what it leaves alone, and that neither hangs on luck."""

from __future__ import annotations

import json
import os
from pathlib import Path

import planted
import pytest

from outdo.data.check import Checked, Finding, check, gather, gathered
from outdo.data.check.reading import evaluation_of
from outdo.errors import DataError
from outdo.records import Conversation, Example

ROOT = Path(__file__).parents[3]


def named(checked: Checked, name: str, side: str | None = None) -> Finding:
    """The one finding of this name, on this side."""
    (one,) = (f for f in checked.findings if f.name == name and side in (None, f.side))
    return one


def checked(rows: list[dict[str, object]], folder: Path) -> Checked:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return check(gather(path))


# ------------------------------------------------------------------ published pairs


@pytest.fixture(scope="module")
def published() -> Checked:
    folder = Path(os.environ.get("OUTDO_DATA", ROOT.parent / "shared" / "data"))
    path = folder / "thesis-sft-dpo" / "dpo-2000.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"{path} isn't there: set OUTDO_DATA")
    against = evaluation_of(path.parent / "test-100.jsonl")
    return check(gather(path), against=against)


def test_published_pairs_have_a_fence_in_rejected_replies_alone(published: Checked) -> None:
    fence = named(published, "fence")
    assert fence.rows == 1179 and fence.of == published.rows == 2000
    assert fence.side == "rejected" and fence.serious and published.serious
    assert fence.what.endswith("0 chosen, 1,179 rejected")
    assert fence.separates is not None and fence.separates.value == 0.5 + 1179 / 2000 / 2
    assert fence.separates.low is not None and fence.separates.low > 0.75
    assert fence.shown[0].where.endswith("dpo-2000.jsonl.gz:1") and len(fence.shown) == 3


def test_published_pairs_differ_in_length(published: Checked) -> None:
    assert "455 characters on average, rejected 814" in named(published, "length").what


def test_published_pairs_are_sometimes_the_same(published: Checked) -> None:
    same = named(published, "identical pair")
    assert same.rows == 7 and same.shown[0].where.endswith(":432")
    assert named(published, "near-identical pair").rows > 20


def test_published_answers_do_not_all_parse(published: Checked) -> None:
    # 1,760 of the chosen replies, none of which has a fence, parse as they stand.
    assert named(published, "doesn't parse", "chosen").rows == 2000 - 1760
    assert named(published, "doesn't parse", "rejected").rows > 400


def test_published_rejected_replies_hold_a_template(published: Checked) -> None:
    (found,) = (f for f in published.findings if f.name == "template" and f.separates is None)
    assert found.side == "rejected" and found.rows > 164 and found.serious


def test_published_pairs_hold_rows_of_the_published_test(published: Checked) -> None:
    leak = named(published, "leak text")
    assert leak.serious and leak.rows >= 10
    assert "test-100.jsonl:57" in leak.shown[0].text


# ------------------------------------------------------------------ planted flaws, and none


@pytest.mark.parametrize("kind", planted.KINDS)
def test_nothing_is_found_in_clean_rows(kind: str, tmp_path: Path) -> None:
    rows = planted.written(planted.rows_of(kind, count=200, seed=1), tmp_path)
    assert check(rows).findings == ()


@pytest.mark.slow
@pytest.mark.parametrize("kind", planted.KINDS)
def test_nothing_is_found_in_many_clean_sets(kind: str, tmp_path: Path) -> None:
    for seed in range(100, 120):
        rows = planted.written(planted.rows_of(kind, count=1000, seed=seed), tmp_path)
        assert check(rows).findings == (), seed


def flawed(flaw: planted.Flaw, *, count: int, share: float, folder: Path) -> set[str]:
    rows = planted.rows_of(flaw.kind, count=count, seed=1, plant=flaw.plant, share=share)
    return {finding.name for finding in check(planted.written(rows, folder)).findings}


FLAWS = pytest.mark.parametrize("flaw", planted.FLAWS, ids=lambda flaw: flaw.name)


@FLAWS
def test_a_flaw_in_a_fifth_of_the_rows_is_found(flaw: planted.Flaw, tmp_path: Path) -> None:
    assert flaw.finds in flawed(flaw, count=120, share=0.2, folder=tmp_path)


@pytest.mark.slow
@FLAWS
@pytest.mark.parametrize("share", [0.05, 0.2])
def test_a_flaw_in_a_twentieth_of_the_rows_is_found(
    flaw: planted.Flaw, share: float, tmp_path: Path
) -> None:
    assert flaw.finds in flawed(flaw, count=1000, share=share, folder=tmp_path)


@pytest.mark.parametrize("name", ["first word"])
def test_a_check_is_the_same_again(name: str, tmp_path: Path) -> None:
    (flaw,) = (one for one in planted.FLAWS if one.name == name)
    rows = planted.rows_of(flaw.kind, count=120, seed=3, plant=flaw.plant, share=0.2)
    assert check(planted.written(rows, tmp_path)) == check(planted.written(rows, tmp_path))


# ------------------------------------------------------------------ what is a row


def test_the_formats_that_people_have_are_read(tmp_path: Path) -> None:
    forms: list[dict[str, object]] = [
        {"instruction": "Say a.", "input": "x", "output": "a b<|im_end|>"},
        {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "</s>"}]},
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "<eos>"}]},
        {"prompt": "q", "completion": "<|endoftext|>"},
        {"prompt": "q", "chosen": "a<|eot_id|>", "rejected": "b"},
    ]
    for form in forms:
        found = named(checked([form], tmp_path), "end-of-sequence")
        assert (found.rows, found.of) == (1, 1)


def test_rows_that_training_refuses_are_findings(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"prompt": "Count.", "completion": "One, two and three."},
        {"prompt": "Count.", "completion": ""},
        {"prompt": "Sum.", "completion": None},
    ]
    found = checked(rows, tmp_path)
    empty = named(found, "empty")
    assert (empty.rows, empty.of) == (1, 3) and empty.shown[0].where.endswith("rows.jsonl:2")
    assert "the row has no completion" in named(found, "unusable").what


def test_a_file_without_a_row_to_use_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "q", "completion": ""}\n')
    with pytest.raises(DataError, match="no row could be used"):
        gather(path)


def test_an_id_that_stands_twice_is_told(tmp_path: Path) -> None:
    rows = [{"id": "1", "prompt": f"Say {n}.", "completion": f"{n}."} for n in range(3)]
    assert named(checked(list(rows), tmp_path), "unusable").rows == 2


@pytest.mark.parametrize(
    "text",
    [
        "\0" * 9,
        "\ud800",
        "(" * 5000,
        "```",
        "#",
        " \n",
        "x" * 300_000,
        "```python\n" * 99,
        "é" * 999,
    ],
)
def test_no_text_is_too_odd(text: str, tmp_path: Path) -> None:
    rows = [{"prompt": "q", "chosen": f"{text}a{n}", "rejected": f"b{n}{text}"} for n in range(3)]
    assert checked(list(rows), tmp_path).rows == 3


# ------------------------------------------------------------------ single kinds of findings


def test_groups_and_prompts_across_splits(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"prompt": f"Say {n}.", "completion": f"{n}.", "group": f"g{n % 3}", "split": split}
        for n, split in enumerate(["train", "train", "test", "test"])
    ]
    found = checked(rows, tmp_path)
    assert named(found, "group across splits").rows == 2 and found.serious
    rows[3]["group"], rows[3]["prompt"] = "g9", "Say  0."
    found = checked(rows, tmp_path)
    assert named(found, "prompt across splits").rows == 2
    assert not any(one.name.startswith("group") for one in found.findings)


def test_a_shared_instruction_is_no_leak(tmp_path: Path) -> None:
    head = "Answer the following question as well as you possibly can, please."
    rows = [{"instruction": head, "input": f"n{n}", "output": f"It is {n}."} for n in range(50)]
    path, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows[:40]))
    other.write_text("".join(json.dumps(row) + "\n" for row in rows[40:]))
    found = check(gather(path), against=evaluation_of(other)).findings
    assert not [one for one in found if one.name.startswith("leak")]


def test_labels_that_are_uneven(tmp_path: Path) -> None:
    def labels(yes: int) -> Checked:
        rows = [
            {"prompt": f"Is {n} so?", "completion": "yes" if n < yes else "no"} for n in range(200)
        ]
        return checked(list(rows), tmp_path)

    assert named(labels(170), "label imbalance").rows == 170
    assert not [one for one in labels(105).findings if one.name == "label imbalance"]


def test_pairs_of_one_prompt_count_as_one(tmp_path: Path) -> None:
    """One reply, rejected against many, is one accident, however often it stands there."""
    rows = [
        {"prompt": f"Tell {n % 5}", "chosen": f"word{n} is right", "rejected": "```\nbad\n```"}
        for n in range(100)
    ]
    assert not [one for one in checked(list(rows), tmp_path).findings if one.separates]
    for number, row in enumerate(rows):
        row["prompt"] = f"Tell {number}"
    assert [one for one in checked(list(rows), tmp_path).findings if one.separates]


def test_rows_that_are_too_long(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [{"prompt": "q", "completion": "word " * n} for n in (1, 50, 100)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def count(talk: Conversation) -> int | None:
        words = len(talk.messages[-1].content.split())
        return None if words == 1 else words

    found = check(gather(path), count=count, limit=60)
    long = named(found, "too long")
    assert long.rows == 1 and "up to 100" in long.what and long.shown[0].where.endswith(":3")
    assert named(found, "template refuses").rows == 1


def test_examples_of_a_task_are_looked_at_too() -> None:
    def example(id: str, text: str, split: str) -> Example:
        return Example(
            id=id,
            task="repair",
            given={"problem": "p", "program": text},
            wanted={},
            group="p",
            split=split,  # type: ignore[arg-type]
            source="s",
        )

    rows = [
        example("1", "x = 1", "train"),
        example("2", "x = 1", "test"),
        example("3", "x = '\ufffd'", "train"),
    ]
    (one,) = gathered("slips", rows)
    found = check(one)
    assert {finding.name for finding in found.findings} == {
        "duplicate",
        "prompt across splits",
        "encoding",
    }
