"""Rows that say the same: pairs of equal replies, rows that return, answers that return."""

from __future__ import annotations

import ast
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from outdo.data.check.nouns import Entry, Finding, Gathered, Shown, excerpt, finding
from outdo.data.near import near_duplicates
from outdo.text import extract, syntax_tree

COMMON = 0.02
"""Lines in more than this share of the rows (and in more than `FEW`) tell no row from another."""

FEW = 10
SHORTEST = 40
"""Characters from which on a text that returns is no accident."""

LABELS = 20
"""Different answers that a set of labels has at most."""

LABELLED = 100
"""Rows from which on labels are counted."""

_BLANK = re.compile(r"\s+")
_COMMENT = re.compile(r"#.*")
_NO_WORD = re.compile(r"\W+")


# ------------------------------------------------------------------ within a row


def alike_pairs(rows: Gathered) -> Iterator[Finding]:
    """Pairs whose replies are equal, or differ in nothing that matters."""
    if not rows.pairs:
        return
    equal, near = [], []
    for entry in rows.entries:
        chosen, rejected = entry.replies
        if chosen == rejected:
            equal.append(Shown(entry.where, excerpt(chosen)))
        elif same_but_for_form(chosen, rejected):
            near.append(Shown(entry.where, f"{excerpt(chosen)} | {excerpt(rejected)}"))
    yield from finding(
        "identical pair",
        equal,
        side="pair",
        of=len(rows.entries),
        what="chosen and rejected are the same text, which teaches nothing",
        todo="drop them",
        serious_from=0.05,
    )
    yield from finding(
        "near-identical pair",
        near,
        side="pair",
        of=len(rows.entries),
        what="chosen and rejected differ in layout, comments, case or fence alone",
        todo="drop them, unless that form is what the model should learn",
        serious_from=0.05,
    )


def same_but_for_form(one: str, other: str) -> bool:
    """Whether two replies are the same but for blanks, fence, comments, quotes, or for case.

    What stands behind a # counts as a comment only where the programs' syntax trees agree.
    """
    codes = [_code(text) for text in (one, other)]
    a, b = (_BLANK.sub("", code) for code in codes)
    if a == b:
        return True
    a, b = (_BLANK.sub("", _COMMENT.sub("", code)).replace("'", '"') for code in codes)
    if a and a == b:
        trees = [syntax_tree(code) for code in codes]
        return all(trees) and ast.dump(trees[0]) == ast.dump(trees[1])  # type: ignore[arg-type]
    a, b = (_NO_WORD.sub("", code).lower() for code in codes)
    return bool(a) and a == b and not any(syntax_tree(code) for code in codes)


def _code(text: str) -> str:
    """The program in the fence of a reply, or all of it."""
    return (extract(text).code or text) if "```" in text else text


def echoes(rows: Gathered) -> Iterator[Finding]:
    """Answers that stand word for word in what is asked."""
    for side in rows.sides[:1]:
        hits = []
        for entry in rows.entries:
            answer = entry.replies[0].strip()
            if len(answer) >= SHORTEST and answer in entry.prompt:
                hits.append(Shown(entry.where, excerpt(answer)))
        yield from finding(
            "echo",
            hits,
            side=side,
            of=len(rows.entries),
            what="the answer stands word for word in its prompt",
            todo="take it out of the prompt, unless copying is the task",
            serious_from=0.05,
        )


# ------------------------------------------------------------------ between rows


def duplicates(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Rows that stand before, blanks aside."""
    first: dict[bytes, Entry] = {}
    again: list[Shown] = []
    for entry in entries:
        name = _own_name(entry)
        if name in first:
            again.append(Shown(entry.where, f"as {first[name].where}: {excerpt(entry.prompt)}"))
        else:
            first[name] = entry
    yield from finding(
        "duplicate",
        again,
        side="row",
        of=len(entries),
        what="the row stands before, blanks aside",
        todo="keep one of each: outdo data clean does",
        serious_from=0.05,
    )


def _own_name(entry: Entry) -> bytes:
    return _name(entry.prompt, *entry.said, *entry.replies)


def returning(rows: Gathered) -> Iterator[Finding]:
    """Rows that stand before, as they are or nearly, and pairs that contradict each other."""
    entries = rows.entries
    yield from duplicates(entries)
    left = {_own_name(entry): entry for entry in reversed(entries)}
    yield from finding(
        "near-duplicate",
        _near(list(left.values())[::-1]),
        side="row",
        of=len(entries),
        what="the row is like another one: at least 0.8 of the 5-word runs of both, "
        "lines that many rows share aside",
        todo="keep one of each: outdo data clean does",
        serious_from=0.1,
    )
    yield from _contradictions(rows)


def _near(entries: Sequence[Entry]) -> list[Shown]:
    texts = ["\n\n".join((entry.prompt, *entry.replies)) for entry in entries]
    own = without_common(texts)
    named = {str(place): text for place, text in enumerate(own) if len(text.split()) >= 5}
    dropped = near_duplicates(named)
    places = sorted(int(name) for name in dropped)
    return [
        Shown(
            entries[place].where,
            f"{(like := dropped[str(place)]).similarity:.2f} like "
            f"{entries[int(like.kept)].where}: {excerpt(own[place])}",
        )
        for place in places
    ]


def without_common(texts: Sequence[str]) -> list[str]:
    """The texts without lines that many of them have: a template's, an instruction's."""
    counts = Counter(line for text in texts for line in {*text.splitlines()})
    most = max(FEW, COMMON * len(texts))
    return ["\n".join(line for line in text.splitlines() if counts[line] <= most) for text in texts]


def _contradictions(rows: Gathered) -> Iterator[Finding]:
    """Pairs that stand elsewhere the other way round, and prompts that have several answers."""
    if rows.pairs:
        seen: dict[bytes, str] = {}
        hits = []
        for entry in rows.entries:
            chosen, rejected = entry.replies
            if chosen.split() == rejected.split():
                continue
            seen[_name(entry.prompt, chosen, rejected)] = entry.where
            if other := seen.get(_name(entry.prompt, rejected, chosen)):
                hits.append(Shown(entry.where, f"against {other}: {excerpt(entry.prompt)}"))
        name, what = "contradiction", "the same pair stands there the other way round"
        todo, serious = "decide which of the two is right, and drop the other", 0.02
    elif rows.sides:
        answers: dict[bytes, dict[str, str]] = defaultdict(dict)
        hits = []
        for entry in rows.entries:
            known = answers[_name(entry.prompt, *entry.said)]
            if known and entry.replies[0] not in known:
                first = next(iter(known.values()))
                hits.append(Shown(entry.where, f"as {first}: {excerpt(entry.prompt)}"))
            known.setdefault(entry.replies[0], entry.where)
        name, what = "several answers", "the prompt stands before, with another answer"
        todo, serious = "keep the best answer, unless the model should learn to vary", 0.2
    else:
        return
    yield from finding(
        name, hits, side="row", of=len(rows.entries), what=what, todo=todo, serious_from=serious
    )


def _name(*texts: str) -> bytes:
    """A short name of texts, blanks made one."""
    whole = "\0".join(" ".join(text.split()) for text in texts)
    return hashlib.blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=16).digest()


# ------------------------------------------------------------------ answers that hang on nothing


def boilerplate(rows: Gathered) -> Iterator[Finding]:
    """First and last lines of prose that many answers share, and whole answers that return."""
    if rows.sides != ("answer",):
        return
    total = len(rows.entries)
    for name, part in (("first line", 0), ("last line", -1)):
        lines = [_line(entry.replies[0], part) for entry in rows.entries]
        counts = Counter(line for line in lines if line)
        often = {line for line, count in counts.items() if count >= max(FEW, COMMON * total)}
        hits = [
            Shown(entry.where, excerpt(line))
            for entry, line in zip(rows.entries, lines, strict=True)
            if line in often
        ]
        said = "; ".join(f"«{excerpt(line)}» {counts[line]:,} times" for line in sorted(often)[:3])
        yield from finding(
            f"same {name}",
            hits,
            side="answer",
            of=total,
            what=f"many answers have one {name}: {said}",
            todo="take it out, unless every answer should have it",
            serious_from=0.2,
        )


def _line(text: str, part: int) -> str | None:
    """The first or last line of a reply of several, if it is prose of three words or more."""
    lines = text.strip().splitlines()
    if len(lines) < 2 or len((line := lines[part].strip()).split()) < 3:
        return None
    prose = line[0] not in "#/\"'<" and syntax_tree(line) is None
    return line if _speaks(line) or (prose and not line.endswith((":", "{", ";", ")"))) else None


def _speaks(line: str) -> bool:
    """Whether a line that ends like code is a sentence all the same."""
    words = line.rstrip(":;").split()
    return len(words) >= 3 and all(word.strip(",.'’!").isalpha() for word in words)


def same_answers(rows: Gathered) -> Iterator[Finding]:
    """Long answers that stand under several prompts, and labels of which one is much too common."""
    if rows.sides != ("answer",):
        return
    answers = Counter(entry.replies[0].strip() for entry in rows.entries)
    if len(rows.entries) >= LABELLED and 2 <= len(answers) <= LABELS:
        yield from _labels(rows, answers)
        return
    prompts: dict[str, set[str]] = defaultdict(set)
    for entry in rows.entries:
        prompts[entry.replies[0].strip()].add(entry.prompt)
    hits = [
        Shown(entry.where, excerpt(entry.replies[0]))
        for entry in rows.entries
        if len(answer := entry.replies[0].strip()) >= SHORTEST and len(prompts[answer]) > 2
    ]
    yield from finding(
        "same answer",
        hits,
        side="answer",
        of=len(rows.entries),
        what="the answer stands under more than two prompts",
        todo="look whether it answers them at all; keep one of each",
        serious_from=0.05,
    )


def _labels(rows: Gathered, answers: Counter[str]) -> Iterator[Finding]:
    """The commonest label, where it is beyond what equal shares would bring, and by a fifth."""
    from scipy.special import bdtrc

    n, label, count = len(rows.entries), *answers.most_common(1)[0]
    p = len(answers) * float(bdtrc(count - 1, n, 1 / len(answers)))
    if p > 1e-3 or count * len(answers) < 1.2 * n:
        return
    hits = [
        Shown(entry.where, excerpt(entry.prompt))
        for entry in rows.entries
        if entry.replies[0].strip() == label
    ]
    yield from finding(
        "label imbalance",
        hits,
        side="answer",
        of=n,
        what=f"of {len(answers)} labels «{excerpt(label)}» is the answer to so many rows, where "
        f"equal shares would be {1 / len(answers):.0%}",
        todo="even the labels out, or tell the model's score beside that of always saying it",
        serious_from=max(0.6, 1.5 / len(answers)),
    )
