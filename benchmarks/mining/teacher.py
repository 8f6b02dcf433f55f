"""A teacher of Commit-Instruct whose replies vary at stated rates, written as a script.

    python benchmarks/mining/teacher.py COMMITS --out teacher.jsonl
    outdo data evolve commits COMMITS --teacher scripted/teacher.jsonl --out pairs.jsonl

Which reply a commit gets follows from its id alone. Good ones hold real code: a definition of the
file as it was before and after. Beside the script lies `<out>.kinds.json`: how many of each kind.
"""

from __future__ import annotations

import argparse
import ast
import json
import textwrap
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from outdo import replies, text
from outdo.data.bridges.commits import Commit, commit_examples, read_commits
from outdo.records import Example, digest
from outdo.tasks import commit_instruct
from outdo.tasks.rewriting import CRITERIA

RATES: Mapping[str, float] = {
    "good": 0.50,
    "no improvement": 0.20,
    "unchanged": 0.05,
    "truncated": 0.05,
    "refused": 0.04,
    "refused in words": 0.03,
    "never answered": 0.01,
    "empty": 0.01,
    "NOTE alone": 0.02,
    "NOTE for the decision": 0.03,
    "field missing": 0.03,
    "field twice": 0.03,
}
"""Kind of reply to its share of the commits; together 1."""

Reply = str | dict[str, str] | None


def kind_of(example: Example) -> str:
    """Which kind of reply an example gets: a draw that follows from its id."""
    drawn, below = int(digest(["teacher", example.id])[:12], 16) / 16**12, 0.0
    for kind, rate in RATES.items():
        below += rate
        if drawn < below:
            return kind
    return "good"


def reply_to(commit: Commit, example: Example, *, form: str) -> Reply:
    """What the teacher says; an object where it doesn't end by itself, None for no answer."""
    kind = kind_of(example)
    value = rewritten(commit, example)
    whole = said(value, example, form)
    match kind:
        case "no improvement":
            return said({"reasons": value["reasons"], "improves": False}, example, form)
        case "unchanged":
            same = f"\n{value['naive_code']}\n\n# the same\n"
            return said({**value, "improved_code": same}, example, form)
        case "truncated":
            return {"text": whole[: 2 * len(whole) // 3], "finish": "length"}
        case "refused":
            return {"text": "", "finish": "refused"}
        case "refused in words":
            return "I'm sorry, but I can't help with this commit."
        case "never answered":
            return None
        case "empty":
            return "\n"
        case "NOTE alone":
            return "NOTE"
        case "NOTE for the decision":
            return said({**value, "improves": "NOTE"}, example, form)
        case "field missing":
            fields = [name for name in value if name not in ("reasons", "improves")]
            gone = fields[int(digest(example.id)[:8], 16) % len(fields)]
            return said({n: v for n, v in value.items() if n != gone}, example, form)
        case "field twice":
            return twice(value, form)
    return whole


def rewritten(commit: Commit, example: Example) -> dict[str, Any]:
    """A whole reply to a commit: a definition as it was and as it is, and words about it."""
    before, after = definitions(commit)
    subject = str(example.given["subject"]) or "a change"
    return {
        "reasons": f"The commit says: {subject}. What it changes can be seen in {commit.path}.",
        "improves": True,
        "criterion": CRITERIA[int(digest(commit.sha)[:8], 16) % len(CRITERIA)],
        "instruction": f"Write what {commit.path} of {commit.repo} needs here: {subject}",
        "naive_code": before,
        "improved_code": after,
        "feedback": f"The second program does what was meant by: {subject}",
    }


def definitions(commit: Commit) -> tuple[str, str]:
    """The shortest definition that reads otherwise after a commit; else both sides whole."""
    old, new = (named(side) for side in (commit.before, commit.after))
    found = [(code, new[name]) for name, code in old.items() if new.get(name, code) != code]
    return min(found, key=lambda pair: len(pair[0]), default=(commit.before, commit.after))


def named(code: str) -> dict[str, str]:
    """The functions of a program and the methods of its classes, by their full names."""
    tree, lines = text.syntax_tree(code), code.split("\n")
    found: dict[str, str] = {}
    for node in tree.body if tree is not None else ():
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        head = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
        for one in inside:
            if isinstance(one, ast.FunctionDef):
                rows = lines[one.lineno - 1 : one.end_lineno]
                found[f"{head}{one.name}"] = textwrap.dedent("\n".join(rows))
    return found


def said(value: Mapping[str, Any], example: Example, form: str) -> str:
    """The reply as models write it: every fourth in a fence, every fourth after a sentence."""
    written = replies.write(dict(value), form="json" if form == "json" else "yaml")
    fenced = text.fence(written, language=form)
    return [written, written, fenced, f"Here is what I found.\n\n{fenced}"][
        int(digest(["form", example.id])[:8], 16) % 4
    ]


def twice(value: Mapping[str, Any], form: str) -> str:
    """A reply that first decides one way and then the other."""
    if form == "json":
        whole = json.dumps(dict(value))
        return f'{whole[:-1]}, "improves": false}}'
    return f"{replies.write(dict(value))}\nimproves: false"


def write_script(commits: Path, out: Path, *, prompt: str) -> Counter[str]:
    """Write the script, and how many replies of each kind are in it."""
    kinds: Counter[str] = Counter()
    form = "json" if prompt == "json" else "yaml"
    read = {f"commit-instruct/{one.id}": one for one in read_commits(commits)}
    with out.open("w", encoding="utf-8") as script:
        for example in commit_examples(commits):
            kinds[kind_of(example)] += 1
            reply = reply_to(read[example.id], example, form=form)
            if reply is not None:
                asked = commit_instruct.task.prompt(example, variant=prompt)
                script.write(json.dumps({"prompt": asked.key, "reply": reply}) + "\n")
    told = {"commits": kinds.total(), "kinds": dict(kinds.most_common()), "rates": dict(RATES)}
    out.with_suffix(".kinds.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    return kinds


def main() -> None:
    """Write a script for a file of commits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commits", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--prompt", choices=("json", "direct"), default="json")
    said = parser.parse_args()
    kinds = write_script(said.commits, said.out, prompt=said.prompt)
    for kind, count in kinds.most_common():
        print(f"{count:6,}  {kind}")


if __name__ == "__main__":
    main()
