"""Programs out of replies, and into prompts.

A reply is read leniently, for a model must not lose a repair to a missing fence; but every rule
that was needed beyond «one fenced block» is named, so that a table can say how often it was.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_REPLY = 60_000
"""Characters, thinking aside, beyond which a reply is not read.

A parser fed 10 MB takes gigabytes, and some lexers take quadratic time on rows of odd characters.
"""

_THINKING = re.compile(r"\s*<(think|thinking|thought|reasoning)>", re.IGNORECASE)
_THOUGHT = re.compile(r"</(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_FENCE = re.compile(r"(?P<indent>[ \t]*)(?P<mark>`{3,}(?=[^`]*$)|~{3,})[ \t]*(?P<info>.*)$")
_PYTHON = {"", "py", "python", "python3", "py3", "python2", "pycon"}
_BEGINS = re.compile(r"(?:async\s+def|def|class)\s+\w+|import\s+\w|from\s+[\w.]+\s+import\b|@\w")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """The program in a reply, or the `problem` that prevented one.

    `repaired_by` names the rule that was needed where the reply was not one closed block.
    """

    code: str | None
    repaired_by: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a reply: its text, what its fence says of it, and whether it is closed."""

    code: str
    info: str
    closed: bool


def plain(text: str) -> str:
    """The text without byte order mark and null bytes, its lines ended by a line feed alone."""
    text = text.removeprefix("\ufeff").replace("\x00", "")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def fence(code: str, language: str = "python") -> str:
    """The code as a fenced block, with a fence longer than any run of backticks within."""
    code = plain(code).strip("\n")
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    mark = "`" * (longest + 1)
    return f"{mark}{language}\n{code}\n{mark}"


def syntax_tree(code: str) -> ast.Module | None:
    """The syntax tree of a Python program, or None if it has none, for whatever reason."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # Null bytes and lone surrogates are ValueErrors; nesting ends in the last two.
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """The syntax tree of some lines of a program, out of their context.

    A node of line n stands in line n - `above` of those lines, counted from 1, and its columns
    are `left` bytes less than there.
    """

    tree: ast.Module
    above: int
    left: int


def fragment(lines: Sequence[str]) -> Fragment | None:
    """The tree of lines cut out of a program, or None if they are none, whatever stood around.

    Indents are taken off, blocks that began above are begun again, and those that go on below
    are ended. An open bracket or text that was cut has no tree.
    """
    written = [line for line in lines if line.strip()]
    if not written or any("\t" in _indent(line) for line in written):
        return None
    left = min(len(_indent(line)) for line in written)
    body = [line[left:] if line.strip() else "" for line in lines]
    above = _begun_above(body)
    last = next(line for line in reversed(body) if line.strip())
    below = [f"{_indent(last)} pass"] if _code_of(last).endswith(":") else []
    if last.lstrip().startswith("@"):
        below = [f"{_indent(last)}def _(): pass"]
    tree = syntax_tree("\n".join([*above, *body, *below]))
    return None if tree is None else Fragment(tree=tree, above=len(above), left=left)


def _begun_above(body: Sequence[str]) -> list[str]:
    """A first line for each block that the lines are in, and which ends among them."""
    written = [line for line in body if line.strip() and not line.lstrip().startswith("#")]
    deepest = len(_indent(written[0])) if written else 0
    begun: dict[int, str] = {}
    for line in written:
        depth = len(_indent(line))
        word = re.match(r"\w+", line.lstrip())
        clause = word[0] if word else ""
        if depth < deepest:
            begun[depth] = _HEADS.get(clause, "if _:")
            deepest = depth
        elif line is written[0] and clause in _HEADS:
            begun[depth] = f"{_HEADS[clause]} pass"
    return [f"{' ' * depth}{head}" for depth, head in sorted(begun.items())]


_HEADS = {"elif": "if _:", "else": "if _:", "except": "try:", "finally": "try:"}
"""What must stand above a clause that was cut from its beginning."""


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _code_of(line: str) -> str:
    """A line without the comment behind it, as far as that can be told without its strings."""
    return re.sub(r"\s#[^'\"]*$", "", line).rstrip()


def extract(reply: str, *, entry: str | None = None) -> Extract:
    """The program that a reply offers, without the blank lines around it.

    Of several fenced blocks the last closed one that defines `entry` is taken, else the last
    that defines it, else the longest that parses, else the longest. Without any fence the code
    is what stands between the first line of code and the prose after it.
    """
    said = spoken(plain(reply))
    if said is None:
        return Extract(code=None, problem="the reply ends within its thinking")
    if len(said) > LONGEST_REPLY:
        return Extract(code=None, problem=f"the reply is longer than {LONGEST_REPLY:,} characters")
    if not said.strip():
        return Extract(code=None, problem="the reply is empty")
    lines = said.split("\n")
    if unopened := _before_lone_fence(lines):
        return Extract(code=unopened, repaired_by="fence not opened")
    if fenced := [block for block in blocks(lines) if block.code.strip()]:
        return _chosen(fenced, entry)
    if code := _bare(lines):
        return Extract(code=code, repaired_by="no fence")
    return Extract(code=None, problem="the reply holds no program")


def spoken(reply: str) -> str | None:
    """The reply after its thinking; None if the thinking never ends.

    Thinking stands at the beginning only, perhaps without its opening tag, which some chat
    templates put into the prompt. A tag within the code is part of the code.
    """
    if _THINKING.match(reply):
        end = _THOUGHT.search(reply)
        return reply[end.end() :] if end else None
    if _FENCE.match(reply.lstrip().partition("\n")[0]):
        return reply
    return reply[max((end.end() for end in _THOUGHT.finditer(reply)), default=0) :]


def blocks(lines: Sequence[str]) -> list[Block]:
    """The fenced blocks in order; one that is not closed ends at the next opening or the end."""
    found: list[Block] = []
    opening: re.Match[str] | None = None
    start = 0
    for number, line in enumerate(lines):
        match = _FENCE.match(line)
        if match is None:
            continue
        if opening is None:
            opening, start = match, number + 1
        elif match["mark"].startswith(opening["mark"]):
            closes = not match["info"].strip()
            found.append(_block(opening, lines[start:number], closed=closes))
            opening, start = (None, 0) if closes else (match, number + 1)
    if opening is not None:
        found.append(_block(opening, lines[start:], closed=False))
    return found


def _block(opening: re.Match[str], lines: Sequence[str], *, closed: bool) -> Block:
    indent = opening["indent"]
    # A fence in a list is indented with its code; where only the fence is, the code keeps its own.
    if all(line.startswith(indent) or not line.strip() for line in lines):
        lines = [line[len(indent) :] for line in lines]
    info = opening["info"].strip().lower()
    return Block("\n".join(lines).strip("\n"), info, closed)


def _chosen(fenced: Sequence[Block], entry: str | None) -> Extract:
    python = [block for block in fenced if block.info.split(" ")[0].strip("{}.") in _PYTHON]
    pool = python or fenced
    if len(pool) == 1:
        rule = None if pool[0].closed else "fence not closed"
        return Extract(code=pool[0].code, repaired_by=rule)
    if defining := [block for block in pool if entry and _defines(block.code, entry)]:
        last = ([block for block in defining if block.closed] or defining)[-1]
        return Extract(code=last.code, repaired_by="last block that defines the entry")
    whole = [block for block in pool if syntax_tree(block.code) is not None] or pool
    longest = max(reversed(whole), key=lambda block: len(block.code))
    return Extract(code=longest.code, repaired_by="longest block")


def _defines(code: str, entry: str) -> bool:
    name = re.escape(entry)
    return bool(re.search(rf"^(?:(?:async\s+def|def|class)\s+{name}\b|{name}\s*=)", code, re.M))


def _before_lone_fence(lines: Sequence[str]) -> str | None:
    """The code before the only fence of a reply, whose opening the prompt or nobody wrote."""
    fences = [number for number, line in enumerate(lines) if _FENCE.match(line)]
    if len(fences) != 1 or lines[fences[0]].strip().strip("`~"):
        return None
    if _bare(lines[fences[0] + 1 :]):
        return None
    return _bare(lines[: fences[0]])


def _bare(lines: Sequence[str]) -> str | None:
    """The code among lines without a fence, or None."""
    first = next((i for i, line in enumerate(lines) if _is_code(line)), None)
    if first is None:
        return None
    code = "\n".join(lines[first:]).strip("\n")
    if syntax_tree(code) is not None:
        return code
    return "\n".join(_until_prose(lines[first:])).strip("\n") or None


def _until_prose(lines: Sequence[str]) -> list[str]:
    """The lines before the first that stands at the margin, after a blank one, and is no code."""
    for number, line in enumerate(lines):
        apart = number > 0 and not lines[number - 1].strip()
        if apart and line[:1].strip() and not _is_code(line) and line[0] not in "#)]}":
            return list(lines[:number])
    return list(lines)


def _is_code(line: str) -> bool:
    """Whether a line at the margin is a statement, and not a word or two that happen to parse."""
    if _BEGINS.match(line):
        return True
    if not line[:1].strip():
        return False
    stem = line.rstrip()
    tree = syntax_tree(f"{stem} pass" if stem.endswith(":") else stem)
    if tree is None or not tree.body:
        return False
    statement = tree.body[0]
    if isinstance(statement, ast.Expr):
        return any(isinstance(node, ast.Call) for node in ast.walk(statement))
    return not (isinstance(statement, ast.AnnAssign) and statement.value is None)
