"""Safe against unsafe: real code, and the same with one known weakness, told by a rule and its CWE.

The weakness is put into code in which the rule finds nothing, or taken out of code in which it
finds it; both sides are read by the rules, and only pairs that they tell apart are kept. Nothing
is run. A pair shows the function around the place, with the imports that it needs before it.
"""

from __future__ import annotations

import ast
import itertools
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from outdo import text
from outdo.data.pairs import SECURITY, CodePair
from outdo.data.place import content_name
from outdo.data.verified.findings import Finding, findings, signature
from outdo.data.verified.spots import Change, Source
from outdo.data.verified.weakening import WEAKNESSES, Weakness
from outdo.records import Json, Split, digest

WEAKENED, MENDED = "weakened code", "mended code"
"""Which side was made, as a pair's source."""

MOST_LINES = 80
"""Lines of a function that a pair shows."""

CUT = 12
"""Lines at either end of a piece of code that may be left out where it has no tree with them."""

LONGEST_CUT = 100
"""Lines of a piece of code beyond which nothing is left out of it to find a tree."""

PLACES = 2
"""Places of one weakness in a piece of code that are tried."""

NO_TREE = "pieces of code without a syntax tree"
NO_PLACE = "programs with no place for a weakness"
NOT_TOLD = "changes that the rule doesn't tell apart"
OTHER_FAULT = "changes that bring another finding with them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A piece of real code: `group` is what holds pieces together, such as a repository."""

    id: str
    group: str
    code: str
    statement: str = ""
    licence: str = ""
    split: Split = "train"


@dataclass(frozen=True, slots=True)
class _Draft:
    """Both sides of a pair that the rules haven't read yet."""

    code: Code
    weakness: Weakness
    preamble: str
    safe: str
    unsafe: str
    title: str


def safer(
    codes: Sequence[Code],
    *,
    way: Literal["weaken", "mend"] = "weaken",
    per_program: int = 3,
    seed: int = 1,
    dropped: Counter[str] | None = None,
) -> list[CodePair]:
    """Pairs of safe and unsafe code, at most `per_program` of each piece, each weakness once.

    To "weaken" is to put weaknesses into code, to "mend" to take them out. `dropped` counts what
    gave no pair, and why. Raises MissingExtra where Bandit isn't installed.
    """
    dropped = Counter() if dropped is None else dropped
    by = signature()
    drafts = _distinct(_all(codes, way, dropped))
    both = [f"{one.preamble}{side}" for one in drafts for side in (one.safe, one.unsafe)]
    read = findings(both)
    told: dict[str, list[tuple[_Draft, dict[str, Json]]]] = {}
    for one, safe, unsafe in zip(drafts, read[::2], read[1::2], strict=True):
        evidence = _evidence(one, safe, unsafe, by)
        if isinstance(evidence, str):
            dropped[evidence] += 1
        else:
            told.setdefault(one.code.id, []).append((one, evidence))
    return [
        _pair(one, evidence, WEAKENED if way == "weaken" else MENDED)
        for found in told.values()
        for one, evidence in _chosen(found, per_program, seed)
    ]


def _all(codes: Sequence[Code], way: str, dropped: Counter[str]) -> Iterator[_Draft]:
    for code in codes:
        source = readable(code.code)
        if source is None:
            dropped[NO_TREE] += 1
            continue
        drafts = list(_drafts(code, source, way))
        dropped[NO_PLACE] += not drafts
        yield from drafts


def _distinct(drafts: Iterator[_Draft]) -> list[_Draft]:
    """The drafts, of those with the same sides the first."""
    found: dict[tuple[str, str], _Draft] = {}
    for one in drafts:
        found.setdefault((one.safe, one.unsafe), one)
    return list(found.values())


def _chosen(
    found: Sequence[tuple[_Draft, dict[str, Json]]], most: int, seed: int
) -> list[tuple[_Draft, dict[str, Json]]]:
    """One of each weakness, at most so many, drawn by the seed."""
    by_rule: dict[str, tuple[_Draft, dict[str, Json]]] = {}
    for one in sorted(found, key=lambda one: digest([seed, one[0].safe, one[0].unsafe])):
        by_rule.setdefault(one[0].weakness.name, one)
    return list(by_rule.values())[:most]


def readable(code: str) -> Source | None:
    """The code as a source, less indent and less a few lines at its ends where it needs that."""
    if (source := Source.of(code)) is not None:
        return source
    lines = text.plain(code).split("\n")
    if len(lines) > LONGEST_CUT:
        return None
    cuts = [(first, last) for first in range(CUT) for last in range(CUT)]
    for first, last in sorted(cuts, key=sum):
        part = lines[first : len(lines) - last]
        if sum(bool(line.strip()) for line in part) < 3:
            continue
        if (source := Source.of(textwrap.dedent("\n".join(part)))) is not None:
            return source
    return None


# ------------------------------------------------------------------ drawing up


def _drafts(code: Code, source: Source, way: str) -> Iterator[_Draft]:
    for weakness in WEAKNESSES:
        for changes in itertools.islice(getattr(weakness, way)(source), PLACES):
            cut = _cut_out(source, changes)
            if cut is None:
                continue
            before, after, title = cut
            preamble = _imports(source, before, after, weakness)
            safe, unsafe = (before, after) if way == "weaken" else (after, before)
            yield _Draft(code, weakness, preamble, safe, unsafe, title)


def _cut_out(source: Source, changes: Sequence[Change]) -> tuple[str, str, str] | None:
    """The function around the changes, before and after them, and what it is; or the whole program.

    None where that would be too long, or isn't a program of its own.
    """
    start, end = min(one.start for one in changes), max(one.end for one in changes)
    around = None
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first, last = _span(source, node)
            if first <= start and end <= last:
                around = node
                break
    first, last = _span(source, around) if around else (0, len(source.data))
    moved = [Change(one.start - first, one.end - first, one.text) for one in changes]
    whole = source.data[first:last].decode("utf-8")
    if whole.count("\n") >= MOST_LINES:
        return None
    whole_after = _applied(whole, moved)
    before, after = textwrap.dedent(whole), textwrap.dedent(whole_after)
    if text.syntax_tree(before) is None or text.syntax_tree(after) is None:
        return None
    return before.strip("\n"), after.strip("\n"), _title(around)


def _span(source: Source, node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, int]:
    """The lines of a function with its decorators, from the first one's beginning."""
    start = min(source.at(one)[0] for one in (node, *node.decorator_list))
    end = source.data.find(b"\n", source.at(node)[1])
    return source.data.rfind(b"\n", 0, start) + 1, len(source.data) if end < 0 else end


def _applied(code: str, changes: Sequence[Change]) -> str:
    data = code.encode("utf-8")
    for change in sorted(changes, key=lambda one: -one.start):
        data = data[: change.start] + change.text.encode("utf-8") + data[change.end :]
    return data.decode("utf-8")


def _title(function: ast.FunctionDef | ast.AsyncFunctionDef | None) -> str:
    """What a function is for, as it says of itself: its docstring's first part, and its name."""
    if function is None:
        return ""
    said = (ast.get_docstring(function) or "").partition("\n\n")[0]
    name = f"Write the function `{function.name}({ast.unparse(function.args)})`."
    return f"{name} {' '.join(said.split())}".strip()


def _imports(source: Source, before: str, after: str, weakness: Weakness) -> str:
    """The imports that either side needs and neither holds, for both alike."""
    trees = [text.syntax_tree(side) for side in (before, after)]
    used = {
        node.id for tree in trees if tree for node in ast.walk(tree) if isinstance(node, ast.Name)
    }
    held = trees[0] is not None and any(
        isinstance(node, ast.Import | ast.ImportFrom) for node in trees[0].body
    )
    lines = []
    for node in [] if held else source.tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [a for a in node.names if (a.asname or a.name.partition(".")[0]) in used]
            if names and getattr(node, "module", "") != "__future__":
                kept = ast.copy_location(type(node)(**{**dict(ast.iter_fields(node)),
                                                       "names": names}), node)  # fmt: skip
                lines.append(ast.unparse(kept))
    bound = {*source.modules}
    lines += [f"import {name}" for name in weakness.needs if name in used - bound]
    return "".join(f"{line}\n" for line in sorted(lines)) + ("\n\n" if lines else "")


# ------------------------------------------------------------------ what the rules say


def _evidence(
    one: _Draft, safe: Sequence[Finding] | None, unsafe: Sequence[Finding] | None, by: str
) -> dict[str, Json] | str:
    """What sets the sides apart, or why they aren't kept."""
    if safe is None or unsafe is None:
        return NOT_TOLD
    found = [each for each in unsafe if each.rule == one.weakness.rule]
    if not found or any(each.rule == one.weakness.rule for each in safe):
        return NOT_TOLD
    known = {each.rule for each in unsafe}
    if any(each.rule not in known and each.severity != "low" for each in safe):
        return OTHER_FAULT
    above = one.preamble.count("\n")
    first = found[0]
    return {
        "tool": by,
        "weakness": one.weakness.name,
        "rule": first.rule,
        "rule_name": first.name,
        "cwe": f"CWE-{first.cwe}",
        "line": first.line - above,
        "severity": first.severity,
        "confidence": first.confidence,
        "safe_findings": [each.rule for each in safe],
        "unsafe_findings": [each.rule for each in unsafe],
    }


def _pair(one: _Draft, evidence: dict[str, Json], source: str) -> CodePair:
    code = one.code
    return CodePair(
        id=f"safer/{code.id}/{one.weakness.name}/{content_name(one.safe + one.unsafe)}",
        group=code.group,
        problem=code.id,
        source=source,
        split=code.split,
        criterion=SECURITY,
        statement=code.statement.strip() or one.title or f"Write what {code.id} does.",
        preamble=one.preamble.strip("\n"),
        better=one.safe,
        worse=one.unsafe,
        evidence=evidence,
        licence=code.licence,
    )
