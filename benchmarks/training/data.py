"""The rows that both contenders train on, made from real programs and real pull requests.

A row of `sft` is a question and an answer, one of `dpo` a question and two answers, of which the
first is better. Questions about the same program or diff begin with it, byte for byte.
"""

from __future__ import annotations

import ast
import difflib
import gzip
import json
import os
import random
import re
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = Path(os.environ.get("OUTDO_DATA", ROOT.parent / "shared" / "data"))
NO_LIBRARY = {"site-packages", "test", "tests", "idlelib", "lib2to3", "turtledemo", "pydoc_data"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is asked, and the answer; of a pair also the worse one. `group` names its context."""

    group: str
    prompt: str
    reply: str
    rejected: str | None = None


def lines_of(*parts: str) -> list[dict[str, Any]]:
    """The rows of a file of JSON lines below the data folder."""
    path = DATA.joinpath(*parts)
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    return [json.loads(line) for line in text.splitlines()]


# ------------------------------------------------------------------ functions


def stdlib() -> Iterator[Row]:
    """Functions with docstrings of Python's own standard library: docstring to body."""
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.rglob("*.py")):
        if NO_LIBRARY & set(path.relative_to(root).parts):
            continue
        try:
            source = path.read_text(encoding="utf-8")
            tree = ast.parse(source)
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and len(node.body) > 1:
                yield from _documented(node, source, str(path.relative_to(root)))


def _documented(node: Any, source: str, where: str) -> Iterator[Row]:
    """The function as a row, if it says what it does."""
    said = ast.get_docstring(node)
    if not said:
        return
    lines = source.splitlines()
    head = "\n".join(lines[node.lineno - 1 : node.body[0].lineno - 1])
    body = "\n".join(lines[node.body[1].lineno - 1 : node.end_lineno])
    if not head.strip():
        return
    yield Row(group=f"{where}:{node.lineno}", prompt=f"{head}\n\n{said}", reply=f"{head}\n{body}")


def algorithms() -> Iterator[Row]:
    """Functions of thealgorithms-python: signature and what it shall do, to the function."""
    for row in lines_of("thealgorithms-python", "functions.jsonl.gz"):
        asked = f"{row['signature']}\n\n{row['instruction']}"
        yield Row(
            group=f"{row['path']}:{row['name']}",
            prompt=asked,
            reply=f"{row['signature']}\n{row['body']}",
        )


# ------------------------------------------------------------------ student programs


def students() -> tuple[dict[str, Any], dict[str, list[str]], dict[str, list[str]]]:
    """The problems by name, and their correct and their wrong programs, each text once."""
    problems = {one["problem"]: one for one in lines_of("refactory-intropynus", "problems.jsonl")}
    right: dict[str, list[str]] = {name: [] for name in problems}
    wrong: dict[str, list[str]] = {name: [] for name in problems}
    for one in lines_of("refactory-intropynus", "programs.jsonl.gz"):
        if one["split"] == "correct" and one["all_pass"]:
            right[one["problem"]].append(one["code"].strip())
        elif one["split"] == "wrong" and not one["all_pass"]:
            wrong[one["problem"]].append(one["code"].strip())
    return problems, *(
        {name: list(dict.fromkeys(c)) for name, c in d.items()} for d in (right, wrong)
    )


def nearest(code: str, programs: Sequence[str]) -> str:
    """The program that takes the fewest edits from `code`, itself aside."""
    from rapidfuzz import process
    from rapidfuzz.distance import Levenshtein

    others = [one for one in programs if one != code]
    found = process.extractOne(code, others, scorer=Levenshtein.distance)
    return str(found[0])


def shown(problem: dict[str, Any], code: str, *, tests: int) -> str:
    """Problem, program and tests, as every question on a student's program begins."""
    cases = [f"{test['call']} -> {test['expected']}" for test in problem["tests"][:tests]]
    return "\n\n".join([problem["description"], f"```python\n{code}\n```", "\n".join(cases)])


def repair_and_hint() -> Iterator[Row]:
    """Each buggy student program twice: its repair, and a hint that leads there."""
    problems, right, wrong = students()
    for name, programs in wrong.items():
        for number, code in enumerate(programs):
            context = shown(problems[name], code, tests=4)
            repaired = nearest(code, right[name])
            group = f"{name}/{number}"
            ask = "Repair the program so that all tests pass. Return the whole program."
            yield Row(group=group, prompt=f"{context}\n\n{ask}", reply=repaired)
            ask = "Give the student one hint that leads to the mistake, without the solution."
            yield Row(group=group, prompt=f"{context}\n\n{ask}", reply=hint(code, repaired))


def hint(code: str, repaired: str) -> str:
    """Where the first difference lies, as a teacher would point at it."""
    old, new = code.split("\n"), repaired.split("\n")
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    changes = [change for change in matcher.get_opcodes() if change[0] != "equal"]
    kind, start, stop, *_ = changes[0]
    if kind == "insert":
        place = f"Something is missing after line {start}"
        rest = "Which case reaches this point of the program without having been dealt with?"
    else:
        place = f"Look at line {start + 1}, `{old[start].strip()}`"
        rest = "What value does it give for the smallest input, and what should it give?"
    more = f" There are {len(changes)} places like it." if len(changes) > 1 else ""
    span = f" and the {stop - start - 1} lines below" if stop - start > 1 else ""
    return f"{place}{span}. {rest}{more}"


def student_pairs() -> Iterator[Row]:
    """Buggy student programs; the nearest correct program is better than another wrong one."""
    problems, right, wrong = students()
    ask = "Repair the program so that all tests pass. Return the whole program."
    for name, programs in wrong.items():
        for number, code in enumerate(programs):
            yield Row(
                group=f"{name}/{number}",
                prompt=f"{shown(problems[name], code, tests=8)}\n\n{ask}",
                reply=nearest(code, right[name]),
                rejected=nearest(code, programs),
            )


def thesis_pairs() -> Iterator[Row]:
    """dpo-2000: instructions of a line or two, and two programs for each."""
    for number, row in enumerate(lines_of("thesis-sft-dpo", "dpo-2000.jsonl.gz")):
        if row["chosen"].strip() and row["rejected"].strip():
            yield Row(
                group=str(number),
                prompt=row["prompt"],
                reply=row["chosen"],
                rejected=row["rejected"],
            )


# ------------------------------------------------------------------ pull requests

QUESTIONS = (
    "Describe this pull request: a title, what it changes, and why.",
    "Review this pull request: name the places that deserve a second look.",
    "Propose improvements of this pull request, place by place.",
)


def pull_requests() -> Iterator[Row]:
    """Three questions on each pull request, in an order drawn once; answers still uncut."""
    rows = lines_of("pull-requests-permissive", "prs.jsonl.gz")
    random.Random(0).shuffle(rows)
    for row in rows:
        hunks = list(_hunks(row["diff"]))
        if not hunks or not (row["body"] or "").strip():
            continue
        answers = (_described(row, hunks), _reviewed(hunks), _improved(hunks))
        for ask, answer in zip(QUESTIONS, answers, strict=True):
            yield Row(
                group=f"{row['repo']}#{row['number']}",
                prompt=f"```diff\n{row['diff']}\n```\n\n{ask}",
                reply=answer,
            )


@dataclass(frozen=True, slots=True)
class Hunk:
    """A place of a diff: its file, its first line there, and what goes and comes."""

    path: str
    line: int
    gone: tuple[str, ...]
    come: tuple[str, ...]


def _hunks(diff: str) -> Iterator[Hunk]:
    for part in re.split(r"(?m)^diff --git ", diff)[1:]:
        path = part.split(" b/", 1)[-1].split("\n", 1)[0]
        for at, text in re.findall(r"(?ms)^@@ -\S+ \+(\d+)\S* @@(.*?)(?=^@@ |\Z)", part):
            lines = text.split("\n")
            gone = tuple(
                one[1:].strip() for one in lines if one.startswith("-") and one[1:].strip()
            )
            come = tuple(
                one[1:].strip() for one in lines if one.startswith("+") and one[1:].strip()
            )
            if gone or come:
                yield Hunk(path, int(at), gone, come)


def _described(row: dict[str, Any], hunks: Sequence[Hunk]) -> str:
    said = [row["title"], row["body"].strip()]
    told = {
        h.path: f"- `{h.path}`: from line {h.line}, {len(h.come)} lines come and {len(h.gone)} go"
        for h in reversed(hunks)
    }
    said.append("\n".join(reversed(told.values())))
    said += [f"`{h.path}` gains `{line}`." for h in hunks for line in h.come[:4]]
    return "\n\n".join(said)


def _reviewed(hunks: Sequence[Hunk]) -> str:
    told = []
    for number, h in enumerate(hunks, 1):
        was = f" where `{h.gone[0]}` stood" if h.gone else ""
        now = f"`{h.come[0]}`" if h.come else "nothing"
        told.append(
            f"{number}. `{h.path}`, line {h.line}: {now} comes{was}. "
            f"Is every caller of it covered by a test, and what happens on an empty input?"
        )
        told += [f"   See also `{line}`." for line in h.come[1:4]]
    return "\n".join(told)


def _improved(hunks: Sequence[Hunk]) -> str:
    told = []
    for h in hunks:
        line = (h.come or h.gone)[-1]
        told.append(f"In `{h.path}`, give `{line}` a name that says what it holds:")
        told.append("```suggestion\n" + "\n".join(h.come or h.gone) + "\n```")
    return "\n".join(told)


SFT: dict[str, Callable[[], Iterator[Row]]] = {"stdlib": stdlib, "thealgorithms": algorithms}
SHARED: dict[str, Callable[[], Iterator[Row]]] = {
    "repair_and_hint": repair_and_hint,
    "pull_requests": pull_requests,
}
DPO: dict[str, Callable[[], Iterator[Row]]] = {"student_pairs": student_pairs}
SHORT: dict[str, Callable[[], Iterator[Row]]] = {"thesis_pairs": thesis_pairs}
ALL = SFT | SHARED | DPO | SHORT
