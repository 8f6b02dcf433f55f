"""Instructions with code that follows them, and tests where there are some, as they are published.

Eight forms are read as they are: Alpaca's rows, HumanEval, MBPP (whole and sanitized), EvalPlus,
functions with doctests, Self-OSS-Instruct, EditPackFT and CodeFavor's pairs. Whatever the form,
tests become calls with literal answers wherever they are nothing more.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from outdo import text
from outdo.data.asserts import calls_of_check, self_contained
from outdo.data.doctests import doctests
from outdo.data.expected import Ordered, expected_outputs, ordered
from outdo.data.load import checked_program, mapped, own_id, reasons
from outdo.data.place import Place, content_name, read_text
from outdo.data.problems import SHOWN, Test
from outdo.data.rows import Mistakes, Row, read_rows
from outdo.data.trial import Runs
from outdo.errors import DataError
from outdo.records import Example, Json, Split, digest, to_json

Fields = Mapping[str, Json]
FORMS: Mapping[str, tuple[str, ...]] = {
    "evalplus": ("task_id", "prompt", "entry_point", "canonical_solution", "base_input"),
    "humaneval": ("task_id", "prompt", "entry_point", "canonical_solution", "test"),
    "mbpp": ("task_id", "code", "test_list"),
    "doctests": ("instruction", "code", "docstring"),
    "alpaca": ("instruction", "output"),
    "edits": ("instruction", "old_contents", "new_contents"),
    "favored": ("instruction", "naive_code", "improved_code"),
    "self-oss-instruct": ("instruction", "response"),
}
"""Form to the fields that its rows have; the first that fits is taken."""
TESTED = ("evalplus", "humaneval")
"""Forms that are made for testing: all of their rows are held out."""
MBPP_TEST, MBPP_TRAIN = range(11, 511), range(511, 975)
"""Ids as the set's authors divide them; the first ten are for prompts."""

MAX_JSON_BYTES = 64 * 2**20
TESTED_ON = "training rows that are tested on elsewhere"
AGAIN = "the same instruction and code as an earlier row"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructions:
    """Examples of `write`, and how many rows or tests were left out for which reason."""

    examples: tuple[Example, ...]
    dropped: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """One row: an example without the expected outputs that are still to be made."""

    example: Example
    owed: Ordered | None = None


def read_instructions(
    path: Path | str,
    *,
    form: str = "auto",
    columns: Mapping[str, str] | None = None,
    seed: int = 1,
    hold_out: int | None = 100,
    most: int | None = None,
    apart: Collection[str] = (),
    sandbox: Runs | None = None,
    mistakes: Mistakes | None = None,
) -> Instructions:
    """The examples of a file or a folder of files.

    Training rows of the ids in `apart` are left out: they are tested on elsewhere.

    Of rows that don't say where they belong, `hold_out` are drawn for testing, or half if there
    are fewer than twice as many, fewer where whole groups come to fewer; if it is None all rows are
    for testing. Of EvalPlus, whose
    expected outputs are made by running the canonical solution, at most `most` inputs are added to
    the base ones. Raises DataError for a form that isn't known and at a row that can't be used,
    unless `mistakes` drops those.
    """
    mistakes = mistakes or Mistakes()
    _known_form(form, path)
    read: dict[str, _Read] = {}
    for row in _rows(Path(path), mistakes):
        try:
            fields = {**row.values, **mapped(row, columns)} if columns else dict(row.values)
            found = form if form != "auto" else _form(fields, row.place)
            made = _READERS[found](fields, row.place, Path(path).name, most)
        except DataError as error:
            mistakes.tell(error)
            continue
        name = made.example.id
        if name in read:
            if own_id(fields) or "task_id" in fields:
                raise row.place.error(f"the id {name!r} stood before", "give it once")
            mistakes.drop(AGAIN, where=row.place.at())
            continue
        if name in apart and made.example.split != "test":
            mistakes.drop(TESTED_ON, where=row.place.at())
            continue
        read[name] = made
    if not read:
        raise DataError("no row could be used", reasons(mistakes), where=str(path))
    return _whole(list(read.values()), mistakes, sandbox=sandbox, seed=seed, hold_out=hold_out)


def _known_form(form: str, path: Path | str) -> None:
    if form not in ("auto", *FORMS):
        known = f"known are {', '.join(FORMS)}"
        raise DataError(f"there is no form {form!r}", known, where=str(path))


def ids_of(path: Path | str) -> set[str]:
    """The ids of the examples of a file, whatever else is in its rows; nothing is run.

    A problem has one id in all sets that hold it: EvalPlus's are those of HumanEval and MBPP.
    """
    found = set()
    for row in _rows(Path(path), Mistakes()):
        made = _READERS[_form(row.values, row.place)](row.values, row.place, "", 0)
        found.add(made.example.id)
    return found


def _whole(
    read: Sequence[_Read],
    mistakes: Mistakes,
    *,
    sandbox: Runs | None,
    seed: int,
    hold_out: int | None,
) -> Instructions:
    dropped = dict(mistakes.counts)
    examples = [one.example for one in read]
    owed = [(number, one.owed) for number, one in enumerate(read) if one.owed is not None]
    if owed and sandbox is None:
        raise DataError("expected outputs can't be made", "give a sandbox")
    if owed and sandbox is not None:
        made, lost = expected_outputs([order for _, order in owed], sandbox=sandbox)
        dropped |= lost
        for (number, _), (base, plus) in zip(owed, made, strict=True):
            wanted = {**examples[number].wanted, "tests": to_json(base), "plus": to_json(plus)}
            examples[number] = replace(examples[number], wanted=wanted)
        if untested := sum(not examples[number].wanted["tests"] for number, _ in owed):
            dropped["problems of which no base input has an expected output"] = untested
        kept = {number for number, _ in owed if not examples[number].wanted["tests"]}
        examples = [one for number, one in enumerate(examples) if number not in kept]
    return Instructions(examples=_divided(examples, seed, hold_out), dropped=dropped)


def _divided(examples: Sequence[Example], seed: int, hold_out: int | None) -> tuple[Example, ...]:
    """The examples, some of those to train on drawn for testing where none is for testing yet.

    Whole groups are drawn, as many as hold no more examples than are wanted; the least of several
    where each holds more.
    """
    if hold_out is None:
        return tuple(replace(one, split="test") for one in examples)
    if any(example.split == "test" for example in examples):
        return tuple(examples)
    count = hold_out if len(examples) >= 2 * hold_out else len(examples) // 2
    groups: dict[str, list[str]] = {}
    for one in sorted(examples, key=lambda one: digest([seed, one.id])):
        groups.setdefault(one.group, []).append(one.id)
    chosen: set[str] = set()
    for own in groups.values():
        if len(chosen) + len(own) <= count:
            chosen.update(own)
    if count and not chosen and len(groups) > 1:
        least = min(groups.values(), key=len)
        chosen.update(least)
    return tuple(replace(one, split="test") if one.id in chosen else one for one in examples)


def _rows(path: Path, mistakes: Mistakes) -> Iterator[Row]:
    """The rows of a data file, or the items of a JSON list."""
    if path.suffix != ".json":
        yield from read_rows(path, mistakes)
        return
    try:
        items = json.loads(read_text(path, limit=MAX_JSON_BYTES))
    except (ValueError, RecursionError) as error:
        where = f"{path}:{getattr(error, 'lineno', 1)}"
        raise DataError("the file isn't JSON", "copy it again", where=where) from None
    if not isinstance(items, list) or not items:
        raise DataError("the file isn't a list of objects", where=str(path))
    for number, values in enumerate(items, start=1):
        place = Place(path=f"{path}, item {number}")
        if isinstance(values, dict):
            yield Row(values, place)
        else:
            mistakes.tell(place.error("the item isn't an object"))


def _form(fields: Fields, place: Place) -> str:
    for form, needed in FORMS.items():
        if set(needed) <= set(fields):
            return form
    has = ", ".join(map(str, fields))
    raise place.error(
        f"no known form of instructions: the row has {has}",
        "name columns, as in {instruction: task, output: code}",
    )


# ------------------------------------------------------------------ one row of each form


def _alpaca(fields: Fields, place: Place, source: str, _most: int | None) -> _Read:
    """An instruction, perhaps an input, and the output, out of its fence if it stands in one."""
    said = checked_program(fields.get("output"), place, field="output")
    instruction = _said(fields, "instruction", place)
    code = text.extract(said).code if "```" in said else said.strip("\n")
    given = {"instruction": instruction, "input": str(fields.get("input") or "")}
    name = own_id(fields) or content_name(digest([given, code]))
    return _Read(
        example=_example(name, fields, source, given=given, reference=code or said.strip("\n"))
    )


def _edits(fields: Fields, place: Place, source: str, _most: int | None) -> _Read:
    """EditPackFT's instruction with the program it is about, and the program after the edit."""
    before, after = (
        checked_program(fields.get(name), place, field=name).strip("\n")
        for name in ("old_contents", "new_contents")
    )
    given = {"instruction": _said(fields, "instruction", place), "input": before}
    repo = str(fields.get("repos") or "").partition(",")[0].strip()
    name = own_id(fields) or content_name(digest([given, after]))
    return _Read(
        example=_example(name, fields, source, given=given, reference=after, group=repo or None)
    )


def _favored(fields: Fields, place: Place, source: str, _most: int | None) -> _Read:
    """The instruction of a pair, and its better program."""
    return _alpaca({**fields, "output": fields["improved_code"], "input": ""}, place, source, None)


def _self_oss(fields: Fields, place: Place, source: str, _most: int | None) -> _Read:
    """An instruction made of a function, and the code in its response; one group a function."""
    seed = str(fields.get("seed") or "").strip()
    said = {**fields, "output": fields["response"], "input": ""}
    if seed:
        said.setdefault("group", content_name(seed))
    return _alpaca(said, place, source, None)


def _humaneval(fields: Fields, place: Place, source: str, _most: int | None) -> _Read:
    """The head of a function; what else the prompt defines runs before the program."""
    stub, entry = _said(fields, "prompt", place), _said(fields, "entry_point", place)
    test = _said(fields, "test", place)
    calls = calls_of_check(test, entry=entry)
    tests = [Test(call=call, expected=answer) for call, answer in calls or ()]
    check = None if calls else self_contained(test, prompt=stub, entry=entry)
    example = _example(
        _task_id(fields),
        fields,
        source,
        given={"stub": stub.strip("\n"), "preamble": before_entry(stub, entry)},
        reference=_joined(stub, _said(fields, "canonical_solution", place)),
        wanted={"tests": to_json(tests), "check": check, "entry": entry},
        split="test",
    )
    return _Read(example=example)


def _evalplus(fields: Fields, place: Place, source: str, most: int | None) -> _Read:
    """A problem whose inputs are known, and whose outputs its solution gives."""
    prompt, entry = _said(fields, "prompt", place), _said(fields, "entry_point", place)
    head = _defines(prompt, entry)
    preamble = before_entry(prompt, entry) if head else ""
    solution = _said(fields, "canonical_solution", place)
    code = _joined(prompt, solution) if head else solution.strip("\n")
    given = {"stub": prompt.strip("\n"), "preamble": preamble} if head else _described(prompt)
    example = _example(
        _task_id(fields),
        fields,
        source,
        given=given,
        reference=code,
        wanted={"tests": [], "plus": [], "entry": entry, "tolerance": _tolerance(fields, place)},
        split="test",
    )
    return _Read(
        example=example,
        owed=ordered(
            code,
            entry=entry,
            base=fields["base_input"],
            plus=fields.get("plus_input") or [],
            assertion=str(fields.get("assertion") or ""),
            most=most,
            place=place,
        ),
    )


def _mbpp(fields: Fields, place: Place, source: str, _most: int | None) -> _Read:
    """A sentence, code, and assertions; the first of these is shown, for it names the function."""
    said = fields.get("text") or fields.get("prompt")
    code = checked_program(fields.get("code"), place, field="code")
    asserted = fields.get("test_list")
    if not isinstance(asserted, list) or not asserted:
        raise place.error("test_list isn't a list of assertions")
    before = "\n".join([*(fields.get("test_imports") or []), fields.get("test_setup_code") or ""])
    lines = [text.plain(str(line)) for line in asserted]
    entry = _called(code, lines[0])
    example = _example(
        f"mbpp/{_task_id(fields)}",
        fields,
        source,
        given={"instruction": str(said or "").strip(), "examples": [lines[0].strip()]},
        reference=code.strip("\n"),
        wanted=_asserted(lines, entry=entry, before=text.plain(before).strip()),
        split=_mbpp_split(fields, place),
    )
    if not example.given["instruction"]:
        raise place.error("the row has no text")
    return _Read(example=example)


def _doctests(fields: Fields, place: Place, source: str, _most: int | None) -> _Read:
    """A function with doctests: its first line and what it says of itself, without its body."""
    code = checked_program(fields.get("code"), place, field="code")
    try:
        tests = doctests(str(fields.get("docstring") or ""), place)
    except DataError:
        tests = ()
    context = "\n\n".join(str(fields.get(n) or "") for n in ("context", "helpers")).strip()
    signature = str(fields.get("signature") or "").strip()
    body = str(fields.get("body") or "").strip("\n")
    shown = [f">>> {test.call.strip()}\n{test.expected}" for test in tests[:SHOWN]]
    name = own_id(fields) or f"{fields.get('path') or ''}:{fields.get('name') or ''}".strip(":")
    example = _example(
        name or content_name(code),
        fields,
        source,
        given={
            "instruction": _said(fields, "instruction", place),
            "stub": signature,
            "preamble": context,
            "examples": [one for one in shown if one.count("\n") <= 4],
        },
        reference=f"{signature}\n{body}" if signature and body else code.strip("\n"),
        wanted={"tests": to_json(tests), "entry": fields.get("name") or None},
        group=str(fields.get("path") or "") or None,
    )
    return _Read(example=example)


_READERS: Mapping[str, Callable[[Fields, Place, str, int | None], _Read]] = {
    "alpaca": _alpaca,
    "humaneval": _humaneval,
    "evalplus": _evalplus,
    "mbpp": _mbpp,
    "doctests": _doctests,
    "edits": _edits,
    "favored": _favored,
    "self-oss-instruct": _self_oss,
}

# ------------------------------------------------------------------ what rows are made of


def _example(
    name: str,
    fields: Fields,
    source: str,
    *,
    given: Mapping[str, Json],
    reference: str,
    wanted: Mapping[str, Json] | None = None,
    split: Split = "train",
    group: str | None = None,
) -> Example:
    blank: dict[str, Json] = {"tests": [], "plus": [], "check": None, "suite": None, "entry": None}
    return Example(
        id=f"write/{name}",
        task="write",
        given={"instruction": "", "input": "", "stub": "", "preamble": "", "examples": [], **given},
        wanted={"reference": reference, **blank, "tolerance": None, **(wanted or {})},
        group=str(fields.get("group") or group or name),
        split=split,
        source=source,
    )


def _said(fields: Fields, name: str, place: Place) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise place.error(f"{name} isn't text, or is empty")
    return text.plain(value)


def _task_id(fields: Fields) -> str:
    return str(fields["task_id"]).lower()


def _tolerance(fields: Fields, place: Place) -> float:
    """How far floats may be apart: what the row says, and at least a millionth."""
    try:
        return max(float(fields.get("atol") or 0), 1e-6)
    except (TypeError, ValueError):
        raise place.error("atol is no number") from None


def _defines(code: str, entry: str) -> bool:
    return bool(re.search(rf"^def {re.escape(entry)}\b", code, re.M))


def before_entry(stub: str, entry: str) -> str:
    """What a stub defines beside the function itself: imports and helpers."""
    tree = text.syntax_tree(stub)
    if tree is None:
        return ""
    kept = [
        node
        for node in tree.body
        if not (isinstance(node, ast.FunctionDef) and node.name == entry)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    return "\n\n".join(ast.unparse(node) for node in kept)


def _joined(stub: str, body: str) -> str:
    stub = stub.rstrip("\n")
    return f"{stub}\n{body.strip(chr(10))}"


def _described(prompt: str) -> dict[str, Json]:
    """The instruction of a prompt that is a docstring, and the assertions in it as examples."""
    bare = prompt.strip().strip('"').strip()
    lines = bare.split("\n")
    shown = [line.strip() for line in lines if line.startswith("assert ")]
    told = [line for line in lines if not line.startswith("assert ")]
    return {"instruction": "\n".join(told).strip(), "examples": shown}


def _called(code: str, assertion: str) -> str | None:
    """The function that an assertion calls and the code defines."""
    tree, test = text.syntax_tree(code), text.syntax_tree(assertion.strip())
    if tree is None or test is None:
        return None
    defined = {n.name for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    calls = [n for n in ast.walk(test) if isinstance(n, ast.Call)]
    names = [call.func.id for call in calls if isinstance(call.func, ast.Name)]
    return next((name for name in names if name in defined), None)


def _asserted(lines: Sequence[str], *, entry: str | None, before: str) -> dict[str, Json]:
    """Assertions as calls with literal answers, or each as a statement that must print nothing."""
    calls = None
    if entry and not before:
        calls = calls_of_check("\n".join(lines), entry=entry, candidate=entry)
    if calls:
        tests = [Test(call=call, expected=answer) for call, answer in calls]
    else:
        start = f"{before}\n" if before else ""
        tests = [Test(call=f"{start}{line.strip()}", expected="", how="printed") for line in lines]
    return {"tests": to_json(tests), "entry": entry}


def _mbpp_split(fields: Fields, place: Place) -> Split:
    try:
        number = int(fields["task_id"])
    except (TypeError, ValueError):
        raise place.error("task_id is no number") from None
    return "test" if number in MBPP_TEST else "train"
