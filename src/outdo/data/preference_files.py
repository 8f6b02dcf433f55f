"""Files that say which of two replies is better, in the forms that people publish: as `CodePair`s.

A form is told by its fields. A row is named by its content wherever its own id stands twice, and a
row that is there twice counts once. Whatever is left out is counted with its reason.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median

from outdo import text
from outdo.data.labels import KNOWN as LABEL_FIELDS
from outdo.data.labels import Label, read_labels
from outdo.data.pairs import CORRECTNESS, GENERAL, CodePair, read_pairs
from outdo.data.place import content_name
from outdo.data.rows import Mistakes, Row, read_rows
from outdo.errors import DataError
from outdo.records import Json

HUMAN = "human preference"
"""The criterion of pairs that people chose between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The pairs of some files, what was left out and why, and what else is to be told."""

    pairs: tuple[CodePair, ...]
    dropped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One form of file: the fields by which it is told, and how a row becomes pairs.

    `read` is None where rows become pairs together with those of another file.
    """

    name: str
    fields: frozenset[str]
    read: Callable[[Path, Mistakes], Iterator[CodePair]] | None = None


# ------------------------------------------------------------------ all files


def read_preferences(
    paths: Sequence[Path],
    *,
    shape: str = "auto",
    criterion: str = "",
    extract: bool = False,
    drop: bool = False,
) -> Read:
    """The pairs of files in any of the `SHAPES`, all of them to test with.

    `criterion` replaces what the files say counts. `extract` takes the program out of replies that
    hold one in a fence. `drop` counts rows that can't be used where an error would be raised.
    Labels of people need their items in another of the files. Raises DataError, with the line, for
    a form that isn't known, rows that don't keep to it, and files that hold no pair.
    """
    mistakes, notes = Mistakes(dropping=drop), list[str]()
    items: dict[str, _Item] = {}
    labels: list[Label] = []
    found: list[CodePair] = []
    for path in paths:
        form = shape if shape != "auto" else shape_of(path)
        if form == "labels":
            labels += read_labels(path)
        elif form == "items":
            items |= _items(path, mistakes)
        else:
            found += _known(form, path)(path, mistakes)
    found += _preferred(items, labels, mistakes, notes, where=", ".join(map(str, paths)))
    if extract:
        found = [_extracted(one) for one in found]
    if criterion:
        found = [replace(one, criterion=criterion) for one in found]
    pairs = named_by_content(found, mistakes)
    if not pairs:
        reasons = "; ".join(f"{count} {reason}" for reason, count in mistakes.counts.items())
        where = ", ".join(map(str, paths))
        raise DataError("there is no pair", reasons or "give a file that holds some", where=where)
    kept = tuple(replace(one, split="test") for one in pairs)
    return Read(pairs=kept, dropped=dict(mistakes.counts), notes=tuple(notes))


def shape_of(path: Path) -> str:
    """The name of the form of a file, by the fields of its first row. Raises DataError for none."""
    mistakes = Mistakes(dropping=True)
    row = next(read_rows(path, mistakes), None)
    if row is None:
        lost = [f"{reason}, at {mistakes.first[reason]}" for reason in mistakes.counts]
        raise DataError("no row can be read", "; ".join(lost), where=str(path))
    for one in SHAPES.values():
        if one.fields <= row.values.keys():
            return one.name
    told = ", ".join(sorted(map(str, row.values))[:12]) or "none"
    known = "; ".join(f"{one.name}: {', '.join(sorted(one.fields))}" for one in SHAPES.values())
    raise row.place.error(f"no known form of preferences has the fields {told}", known)


def _known(name: str, path: Path) -> Callable[[Path, Mistakes], Iterator[CodePair]]:
    read = SHAPES[name].read if name in SHAPES else None
    if read is None:
        hint = f"one of auto, {', '.join(SHAPES)}"
        raise DataError(f"there is no form {name!r}", hint, where=str(path))
    return read


def _by_rows(
    pairs_of: Callable[[Row], Iterator[CodePair]], path: Path, mistakes: Mistakes
) -> Iterator[CodePair]:
    """The pairs of each row of a file, but for those whose sides are the same."""
    for row in read_rows(path, mistakes):
        try:
            made = list(pairs_of(row))
        except DataError as error:
            mistakes.tell(error)
            continue
        for pair in made:
            if text.plain(pair.better).strip("\n") == text.plain(pair.worse).strip("\n"):
                mistakes.drop("both programs are the same", where=row.place.at())
            else:
                yield pair


def named_by_content(pairs: Sequence[CodePair], mistakes: Mistakes) -> list[CodePair]:
    """The pairs in their order, each once; those that share an id get names by their content."""
    ids: dict[str, set[str]] = defaultdict(set)
    contents = [_content(one) for one in pairs]
    for one, content in zip(pairs, contents, strict=True):
        ids[one.id].add(content)
    found: dict[str, CodePair] = {}
    for one, content in zip(pairs, contents, strict=True):
        name = one.id if len(ids[one.id]) == 1 else f"{one.id}~{content}"
        if name in found:
            mistakes.drop("the same pair stands twice", where=name)
        else:
            found[name] = replace(one, id=name)
    return list(found.values())


def _content(pair: CodePair) -> str:
    parts = (pair.criterion, pair.statement, pair.preamble, pair.better, pair.worse)
    return content_name("\0".join(parts), digits=8)


def _extracted(pair: CodePair) -> CodePair:
    """The pair with the programs of both replies, where both hold one."""
    codes = [text.extract(one).code for one in (pair.better, pair.worse)]
    if None in codes or codes[0] == codes[1]:
        return pair
    return replace(pair, better=str(codes[0]), worse=str(codes[1]))


# ------------------------------------------------------------------ published forms


def _codeprefbench(row: Row) -> Iterator[CodePair]:
    """A row of two `choices` and the number of the better; `task_id` names the problem.

    `annotations` stand in an order of their own, so that only their counts can be kept.
    """
    said, better = row.values.get("choices"), row.values.get("gt_choice")
    choices = said if isinstance(said, list) else []
    if len(choices) != 2 or not all(isinstance(one, str) and one.strip() for one in choices):
        raise row.place.error("'choices' isn't two programs", 'like ["def f...", "def f..."]')
    if isinstance(better, bool) or better not in (0, 1):
        raise row.place.error(f"'gt_choice' is {better!r}", "0 or 1")
    named = Path(row.place.path).name.partition(".")[0]
    aspect = named.removesuffix("-alignment").replace("-", " ") if "-alignment" in named else ""
    statement = _text(row, "instruction")
    task = str(row.values.get("task_id") or content_name(statement, digits=8))
    yield CodePair(
        id=task,
        group=task,
        source=named,
        criterion=_text(row, "criterion", needed=False) or aspect or GENERAL,
        statement=statement,
        better=choices[int(better)],
        worse=choices[1 - int(better)],
        evidence=_counted(row.values.get("annotations")),
    )


def _counted(annotations: Json) -> dict[str, Json]:
    """How many votes the two sides have, the more first, and how many ties."""
    if not isinstance(annotations, list) or not annotations:
        return {}
    votes = Counter(str(one).lower() for one in annotations)
    ties = votes.pop("tie", 0)
    return {"votes": {"each side": sorted(votes.values(), reverse=True), "tie": ties}}


def _rewardbench(row: Row) -> Iterator[CodePair]:
    """A `prompt` with `chosen` and `rejected` replies, one or a list; `subset` is what counts."""
    statement = _text(row, "prompt")
    group = content_name(statement, digits=8)
    id = str(group if (told := row.values.get("id")) in (None, "") else told)
    for chosen in _texts(row, "chosen"):
        for rejected in _texts(row, "rejected"):
            yield CodePair(
                id=id,
                group=group,
                source=Path(row.place.path).name.partition(".")[0],
                criterion=_text(row, "subset", needed=False) or GENERAL,
                statement=statement,
                better=chosen,
                worse=rejected,
            )


def _codejudgebench(row: Row) -> Iterator[CodePair]:
    """A question with a reply that passes its tests and one that fails."""
    wrong = _text(row, "wrong_code", needed=False)
    starter = _text(row, "starter_code", needed=False)
    parts = [_text(row, "question_content")]
    parts += [f"Begin with:\n{text.fence(starter)}"] if starter else []
    parts += [f"Repair this program:\n{text.fence(wrong)}"] if wrong else []
    title = str(row.values.get("question_id") or row.values.get("question_title") or "")
    group = title or content_name(parts[0], digits=8)
    known = {name: row.values[name] for name in ("difficulty", "platform") if row.values.get(name)}
    yield CodePair(
        id=group,
        group=group,
        source=Path(row.place.path).name.partition(".")[0],
        criterion=CORRECTNESS,
        statement="\n\n".join(parts),
        better=_text(row, "pos_response"),
        worse=_text(row, "neg_response"),
        evidence={name: str(value) for name, value in known.items()},
    )


def _text(row: Row, name: str, *, needed: bool = True) -> str:
    value = row.values.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or (needed and not value.strip()):
        raise row.place.error(f"{name!r} is no text", "write a string", at=(name,))
    return value


def _texts(row: Row, name: str) -> list[str]:
    """A text, or the texts of a list."""
    value = row.values.get(name)
    several = value if isinstance(value, list) else [value]
    told = [one for one in several if isinstance(one, str) and one.strip()]
    if not told or len(told) < len(several):
        raise row.place.error(f"{name!r} is no text", "a string, or a list of them", at=(name,))
    return told


SHAPES: Mapping[str, Shape] = {
    name: Shape(name=name, fields=frozenset(fields.split()), read=read)
    for name, fields, read in (
        ("pairs", "better worse statement", read_pairs),
        ("codeprefbench", "instruction choices gt_choice", partial(_by_rows, _codeprefbench)),
        (
            "codejudgebench",
            "question_content pos_response neg_response",
            partial(_by_rows, _codejudgebench),
        ),
        ("rewardbench", "prompt chosen rejected", partial(_by_rows, _rewardbench)),
        ("labels", "item rater choice", None),
        ("items", "id statement a b", None),
    )
}
"""The known forms by name, in the order in which their fields are looked for."""


# ------------------------------------------------------------------ what people chose


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """Two programs that people were shown as a and as b."""

    id: str
    group: str
    criterion: str
    statement: str
    preamble: str
    a: str
    b: str
    source: str


def _items(path: Path, mistakes: Mistakes) -> dict[str, _Item]:
    found: dict[str, _Item] = {}
    for row in read_rows(path, mistakes):
        try:
            one = _item(row)
            if one.id in found:
                raise row.place.error(f"the item {one.id!r} stands twice", "give it once")
            found[one.id] = one
        except DataError as error:
            mistakes.tell(error)
    return found


def _item(row: Row) -> _Item:
    id = str(row.values.get("id") or "").strip()
    if not id:
        raise row.place.error("the item has no id", "labels name items by it")
    return _Item(
        id=id,
        group=_text(row, "group", needed=False) or id,
        criterion=_text(row, "criterion", needed=False) or HUMAN,
        statement=_text(row, "statement"),
        preamble=_text(row, "preamble", needed=False),
        a=_text(row, "a"),
        b=_text(row, "b"),
        source=Path(row.place.path).name.partition(".")[0],
    )


def _preferred(
    items: Mapping[str, _Item],
    labels: Sequence[Label],
    mistakes: Mistakes,
    notes: list[str],
    *,
    where: str,
) -> Iterator[CodePair]:
    """The items of which more raters chose one side than the other, as pairs."""
    if bool(items) != bool(labels):
        there, absent = ("items", "labels") if items else ("labels", "items")
        fields = ", ".join(LABEL_FIELDS if items else sorted(SHAPES["items"].fields))
        raise DataError(
            f"there are {there} of people and no {absent}",
            f"give the file of {absent} too: {fields}",
            where=where,
        )
    votes: dict[str, list[Label]] = {name: [] for name in items}
    for label in labels:
        if label.a:
            raise label.place.error("the label names contestants", "a and b are an item's programs")
        if label.item not in votes:
            raise label.place.error(f"there is no item {label.item!r}", "its id is in no file")
        votes[label.item].append(label)
    for name, own in votes.items():
        counts: Counter[str] = Counter(label.choice for label in own)
        if not own:
            mistakes.drop("nobody labelled the item", where=name)
        elif counts["a"] == counts["b"]:
            divided = "people are divided over the item" if counts["a"] else "people see a tie"
            mistakes.drop(divided, where=name)
        else:
            yield _chosen(items[name], own, counts)
    if labels:
        notes.append(_raters(labels))


def _chosen(item: _Item, labels: Sequence[Label], counts: Mapping[str, int]) -> CodePair:
    better, worse = ("a", "b") if counts["a"] > counts["b"] else ("b", "a")
    seconds = [one.seconds for one in labels if one.seconds is not None]
    sure = [one.confidence for one in labels if one.confidence is not None]
    votes = {"better": counts[better], "worse": counts[worse], "tie": counts["tie"]}
    evidence: dict[str, Json] = {"votes": votes}
    evidence |= {"seconds": median(seconds)} if seconds else {}
    evidence |= {"confidence": sum(sure) / len(sure)} if sure else {}
    why = [one.why for one in labels if one.why and one.choice == better]
    evidence |= {"why": why} if why else {}
    return CodePair(
        id=item.id,
        group=item.group,
        source=item.source,
        criterion=item.criterion,
        statement=item.statement,
        preamble=item.preamble,
        better=getattr(item, better),
        worse=getattr(item, worse),
        evidence=evidence,
    )


def _raters(labels: Sequence[Label]) -> str:
    """How far the raters agree, in words: a judge can hardly agree with them more."""
    from outdo.stats.agreement import krippendorff_alpha

    raters = sorted({label.rater for label in labels})
    items = list(dict.fromkeys(label.item for label in labels))
    said = {(label.item, label.rater): label.choice for label in labels}
    told = f"{len(raters)} rater{'s' if len(raters) > 1 else ''} gave {len(labels):,} labels"
    if len(raters) < 2:
        return told
    ratings = [[said.get((item, rater)) for rater in raters] for item in items]
    alpha = krippendorff_alpha(ratings)
    if alpha.value is None:
        return told
    limits = f" [{alpha.low:.2f}, {alpha.high:.2f}]" if alpha.low is not None else ""
    return f"{told}; Krippendorff's alpha between them is {alpha.value:.2f}{limits}"
