"""Pairs whose lengths say nothing: some programs say the types of their names, which costs nothing.

A slower way of the same program is mostly a longer one, so that whoever always takes the shorter
program seems to judge. `total = 0` may as well be `total: int = 0`: the same bytecode, two tokens
more. Where the shorter program of a pair says a few types it becomes the longer one; in as many
other pairs the longer one says them, so that types say nothing either.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from outdo import tokens
from outdo.data.pair_gates import longer
from outdo.data.pairs import CodePair
from outdo.data.verified.spots import Change, Source
from outdo.records import digest

TYPED = "types said by"
"""Under this name a pair's evidence tells which side says types."""


def evened(
    pairs: Sequence[CodePair], *, seed: int, dropped: Counter[str] | None = None
) -> list[CodePair]:
    """The pairs in their order, of each criterion, source and split as many longer as shorter.

    Pairs are drawn by the seed. Where too few programs have names whose types can be said, those
    that are left of the more frequent kind are left out, and counted in `dropped`.
    """
    dropped = Counter() if dropped is None else dropped
    parts: dict[tuple[str, str, str], list[CodePair]] = defaultdict(list)
    for pair in pairs:
        parts[pair.criterion, pair.source, pair.split].append(pair)
    made = {one.id: one for part in parts.values() for one in _part(part, seed)}
    for pair in pairs:
        dropped[f"pairs of {pair.criterion} that lengths give away"] += pair.id not in made
    return [made[pair.id] for pair in pairs if pair.id in made]


def _part(pairs: Sequence[CodePair], seed: int) -> list[CodePair]:
    """As many pairs whose better side is longer as others, and those of equal length."""
    kinds: dict[int, list[CodePair]] = {-1: [], 0: [], 1: []}
    for pair in sorted(pairs, key=lambda one: digest([seed, "evened", one.id])):
        kinds[longer(pair)].append(pair)
    most = max((1, -1), key=lambda kind: len(kinds[kind]))
    excess = len(kinds[most]) - len(kinds[-most])
    turned, typed = _changed(kinds[most], most, excess // 2)
    known = {pair.id for pair in (*turned, *typed)}
    plain = [pair for pair in kinds[most] if pair.id not in known]
    return [*kinds[0], *kinds[-most], *turned, *typed, *plain[: len(kinds[-most])]]


def _changed(
    pairs: Sequence[CodePair], kind: int, most: int
) -> tuple[list[CodePair], list[CodePair]]:
    """As many pairs that are turned as others of which the longer side says a type."""
    turned: list[CodePair] = []
    others: list[CodePair] = []
    for pair in pairs:
        own, found = (turned, _turned) if len(turned) <= len(others) else (others, _typed)
        if len(own) < most and (new := found(pair, kind)) is not None:
            own.append(new)
    return turned[: len(others)], others[: len(turned)]


def _turned(pair: CodePair, kind: int) -> CodePair | None:
    """The pair with enough types in its shorter side to make that the longer one."""
    side = "worse" if kind > 0 else "better"
    return _with_types(pair, side, than=pair.better if kind > 0 else pair.worse)


def _typed(pair: CodePair, kind: int) -> CodePair | None:
    """The pair with a type in its longer side, which stays the longer one."""
    side = "better" if kind > 0 else "worse"
    return _with_types(pair, side, than=getattr(pair, side))


def _with_types(pair: CodePair, side: str, *, than: str) -> CodePair | None:
    code = typed(getattr(pair, side), than=than)
    if code is None:
        return None
    evidence = {**pair.evidence, TYPED: side}
    if side == "better":
        return replace(pair, better=code, evidence=evidence)
    return replace(pair, worse=code, evidence=evidence)


def _tokens(code: str) -> int:
    return len(tokens.code_tokens(code))


# ------------------------------------------------------------------ types


def typed(code: str, *, than: str) -> str | None:
    """The program with types of local names said, as few as make it longer `than` another.

    It is longer in tokens and in characters then. None where it has too few names that begin as a
    constant or an empty collection, or no tree.
    """
    source = Source.of(code)
    if source is None:
        return None
    changes: list[Change] = []
    for name, kind in _beginnings(source.tree):
        end = source.at(name)[1]
        changes.append(Change(end, end, f": {kind}"))
        changed = source.changed(changes)
        if changed and len(changed) > len(than) and _tokens(changed) > _tokens(than):
            return changed
    return None


def _beginnings(tree: ast.Module) -> Iterator[tuple[ast.Name, str]]:
    """Local names where a function first sets them to something whose type is plain, by type."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if any(isinstance(node, ast.Global | ast.Nonlocal) for node in ast.walk(function)):
            continue
        arguments = {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}
        seen = set(arguments)
        for statement in function.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=id) as name], value=value) if id not in seen:
                    kind = _kind(value)
                    if kind and kind not in arguments:
                        yield name, kind
            seen |= {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}


def _kind(value: ast.expr) -> str | None:
    """The name of a value's type, None where it doesn't say it."""
    match value:
        case ast.Constant(value=bool() | int() | float() | str() | bytes() as said):
            return type(said).__name__
        case ast.List() | ast.ListComp():
            return "list"
        case ast.Dict() | ast.DictComp():
            return "dict"
        case ast.Set() | ast.SetComp():
            return "set"
        case ast.Tuple():
            return "tuple"
        case ast.Call(func=ast.Name(id="list" | "dict" | "set" as name)):
            return name
        case ast.Call(func=ast.Name(id="len")):
            return "int"
    return None
