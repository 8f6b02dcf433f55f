"""Pairs out of commits as they are: the function that a commit changed, after it against before it.

That people took a change is weak evidence that it is better, and the words of its message are weak
evidence of what for; both are said in the pair. Nothing is run and no model is asked.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from outdo import secrets, text
from outdo.data.bridges.commits import Commit
from outdo.data.pairs import CORRECTNESS, EFFICIENCY, GENERAL, SECURITY, CodePair
from outdo.records import Split, digest

READABILITY = "readability"

SHORTEST, LONGEST = 2, 2_000
"""Lines that a function has at least, and characters that it has at most."""

NEVER, SEEN = "repositories never seen", "repositories seen"

_WORDS: dict[str, str] = {
    SECURITY: r"secur\w*|vulnerab\w*|cve\b|injection|xss|sanitiz\w*|sanitis\w*|unsafe|escap(e|ing)",
    EFFICIENCY: r"fast(er)?|speed\w*|slow\w*|perf(ormance)?\b|optimi[sz]\w*|efficien\w*|cach\w+",
    CORRECTNESS: r"fix(e[sd])?|bugs?|wrong\w*|incorrect\w*|crash\w*|regression|broken|mistake",
    READABILITY: r"refactor\w*|clean\w*|simplif\w*|readab\w*|renam\w*|tidy|style|clarify",
}
"""Words of a message by what they say that a change is for; the first kind that occurs counts."""

_FOR = {criterion: re.compile(rf"\b({words})", re.I) for criterion, words in _WORDS.items()}


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method: its dotted name, and its lines at the margin."""

    name: str
    code: str


def commit_pairs(
    commits: Iterable[Commit],
    *,
    seed: int,
    hold_out: int = 6,
    count: int | None = None,
    dropped: Counter[str] | None = None,
) -> list[CodePair]:
    """The pairs of commits that changed one function of Python, by repository in turn.

    Of the repositories `hold_out`, at most a third, are for testing alone. With `count` at most so
    many pairs are taken, as many of each repository as there are. What gave no pair is counted in
    `dropped`.
    """
    dropped = Counter() if dropped is None else dropped
    found: dict[str, list[CodePair]] = defaultdict(list)
    seen: set[tuple[str, str]] = set()
    for commit in commits:
        pair = _pair(commit, dropped)
        if pair is not None and (pair.worse, pair.better) in seen:
            dropped["the same change of a function again"] += 1
        elif pair is not None:
            seen.add((pair.worse, pair.better))
            found[commit.repo].append(pair)
    order = sorted(found, key=lambda repo: digest([seed, "repository", repo]))
    unseen = set(order[: min(hold_out, len(order) // 3)])
    drawn = [sorted(found[repo], key=lambda pair: digest([seed, pair.id])) for repo in order]
    taken = list(_in_turns(drawn))[:count]
    return [_placed(pair, unseen=pair.group in unseen) for pair in taken]


def criterion_of(message: str) -> str:
    """What a message says that its change is for; "general" where it says nothing known."""
    return next((kind for kind, words in _FOR.items() if words.search(message)), GENERAL)


def changed_function(before: str, after: str) -> tuple[Function, Function] | str:
    """The one function that differs between two files, on both sides, or why there is none.

    Functions inside of functions count as part of these. Comments and layout are no difference.
    """
    sides = [_functions(side) for side in (before, after)]
    if None in sides:
        return "a side isn't Python"
    old, new = ({one.name: one for one in side or ()} for side in sides)
    names = [name for name in old if name in new and _differ(old[name].code, new[name].code)]
    if len(names) != 1:
        return "no function was changed" if not names else "several functions were changed"
    return old[names[0]], new[names[0]]


def _pair(commit: Commit, dropped: Counter[str]) -> CodePair | None:
    functions = changed_function(commit.before, commit.after)
    if isinstance(functions, str):
        dropped[functions] += 1
        return None
    worse, better = (secrets.scrub(side.code).text for side in functions)
    if max(len(worse), len(better)) > LONGEST:
        dropped[f"the function has more than {LONGEST:,} characters"] += 1
        return None
    if min(worse.count("\n"), better.count("\n")) + 1 < SHORTEST:
        dropped[f"the function has less than {SHORTEST} lines"] += 1
        return None
    said = secrets.scrub(commit.subject or commit.message.strip().split("\n")[0]).text
    if not said.strip() or worse == better:
        dropped["the message says nothing" if worse != better else "only a secret differs"] += 1
        return None
    name = functions[0].name
    return CodePair(
        id=f"commit/{commit.id}",
        group=commit.repo,
        source=SEEN,
        criterion=criterion_of(commit.message or commit.subject),
        statement=f"{said.strip()}\n\nThe change is to {name} in {commit.path}.",
        better=better,
        worse=worse,
        evidence={"by": "commit", "sha": commit.sha, "path": commit.path, "function": name},
        licence=commit.licence,
    )


def _placed(pair: CodePair, *, unseen: bool) -> CodePair:
    split: Split = "test" if unseen else "train"
    values = {name: getattr(pair, name) for name in pair.__slots__}
    return CodePair(**{**values, "split": split, "source": NEVER if unseen else SEEN})


def _in_turns(rows: Sequence[Sequence[CodePair]]) -> Iterator[CodePair]:
    """One of each list, then the next of each."""
    for place in range(max(map(len, rows), default=0)):
        for own in rows:
            if place < len(own):
                yield own[place]


def _functions(source: str) -> list[Function] | None:
    """The functions and methods of a file, none inside of another; None if it isn't Python."""
    tree = text.syntax_tree(source)
    if tree is None:
        return None
    lines = source.split("\n")
    return list(_within(tree, lines, ""))


def _within(node: ast.AST, lines: Sequence[str], above: str) -> Iterator[Function]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([child.lineno, *(one.lineno for one in child.decorator_list)])
            code = "\n".join(lines[first - 1 : child.end_lineno])
            yield Function(f"{above}{child.name}", textwrap.dedent(code))
        elif isinstance(child, ast.ClassDef):
            yield from _within(child, lines, f"{above}{child.name}.")
        elif isinstance(child, (ast.If, ast.Try, ast.With)):
            yield from _within(child, lines, above)


def _differ(one: str, other: str) -> bool:
    """Whether two programs differ in more than layout and comments."""
    if one == other:
        return False
    trees = [text.syntax_tree(code) for code in (one, other)]
    return None in trees or len({ast.dump(tree) for tree in trees if tree}) > 1
