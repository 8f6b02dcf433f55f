"""Stored outputs scored anew: the published cells beside ours, and the intervals they had not.

Texts are scored as they are stored, code or not, for so they were published. Each published cell is
also computed with candidates and references in each other's place: a score is easily called so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from outdo.data.outputs import Stored
from outdo.errors import DataError
from outdo.records import Metric, Score
from outdo.report import Cell, Contestant, Match, Replicated, Row
from outdo.report.replicated import Word
from outdo.scorers import bertscore, bleu, codebleu, likeness
from outdo.stats import compare
from outdo.study import Outputs, PublishedCells
from outdo.study.published import OF_ALL, OF_ITEMS
from outdo.study.similarity import Form

TEXTS = (likeness.BLEU, likeness.COMPAT, likeness.CODEBLEU, likeness.EDITS)
"""The metrics that need no model, the headline first."""

Encoders = Mapping[Form, tuple[bertscore.Encoder, bool]]
"""Form to who makes the vectors, and whether they are read behind the instruction."""


@dataclass(frozen=True, slots=True)
class Texts:
    """What a contestant gave, or its references: candidates and references, row by row."""

    names: tuple[str, ...]
    candidates: tuple[str, ...]
    references: tuple[str, ...]
    contexts: tuple[str, ...]

    def swapped(self) -> Texts:
        """The same with candidates and references in each other's place."""
        return Texts(self.names, self.references, self.candidates, self.contexts)


Scored = Mapping[str, Mapping[str, Score]]
"""Metric to each example's score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescored:
    """A file of outputs with everybody's scores, and what was published of them."""

    metrics: tuple[Metric, ...]
    contestants: tuple[Contestant, ...]
    matches: tuple[Match, ...]
    replicated: tuple[Replicated, ...]


def rescored(title: str, spec: Outputs, rows: Sequence[Stored], encoders: Encoders) -> Rescored:
    """The scores of a file's outputs, and its published cells beside ours.

    Raises DataError for a file of which no contestant has a text.
    """
    metrics = (*TEXTS, *(metric for form in encoders for metric in likeness.vectored(form)))
    texts = {name: _texts(rows, name) for name in spec.contestants}
    for name, mine in texts.items():
        if not mine.names:
            raise DataError(f"there is no output of {name!r}", where=spec.path)
    scores = {name: _scored(mine, metrics, encoders) for name, mine in texts.items()}
    replicas = tuple(
        _replicated(metric, spec, texts, scores, encoders)
        for metric in metrics
        if metric is not likeness.EDITS and any(metric.name in of for of in scores.values())
    )
    return Rescored(
        metrics=metrics,
        contestants=tuple(_contestant(title, spec, name, rows, scores[name]) for name in texts),
        matches=tuple(Match(task=title, a=a, b=b) for a, b in pairs_of(spec)),
        replicated=(*replicas, *_untold(spec, replicas)),
    )


def pairs_of(spec: Outputs) -> list[tuple[str, str]]:
    """Who is compared with whom: everybody with the one named, then the others with each other."""
    against = spec.reference_contestant
    others = [name for name in spec.contestants if name != against]
    return [(one, against) for one in others] + [(b, a) for a, b in combinations(others, 2)]


# ------------------------------------------------------------------ scores


def _texts(rows: Sequence[Stored], name: str) -> Texts:
    said = [(row, text) for row in rows if (text := row.outputs[name]) is not None]
    return Texts(
        names=tuple(row.example.id for row, _ in said),
        candidates=tuple(text for _, text in said),
        references=tuple(str(row.example.wanted["reference"]) for row, _ in said),
        contexts=tuple(_context(row) for row, _ in said),
    )


def _context(row: Stored) -> str:
    given = row.example.given
    return "\n".join(filter(None, (str(given["instruction"]), str(given["input"]))))


def _scored(texts: Texts, metrics: Sequence[Metric], encoders: Encoders) -> Scored:
    """Metric to example to score; a metric whose library isn't installed is not there."""
    plain = [metric for metric in metrics if metric.name in likeness.SCORERS]
    found: dict[str, dict[str, Score]] = {}
    for name, said, wanted in zip(texts.names, texts.candidates, texts.references, strict=True):
        for score in likeness.scores(plain, candidate=said, reference=wanted):
            found.setdefault(score.metric, {})[name] = score
    for form, (encoder, context) in encoders.items():
        made = likeness.by_vectors(
            candidates=texts.candidates,
            references=texts.references,
            encoder=encoder,
            form=form,
            contexts=texts.contexts if context else None,
        )
        for name, scores in zip(texts.names, made, strict=True):
            for score in scores:
                found.setdefault(score.metric, {})[name] = score
    return found


def _contestant(
    title: str, spec: Outputs, name: str, rows: Sequence[Stored], scores: Scored
) -> Contestant:
    return Contestant(
        name=name,
        task=title,
        rows=tuple(_row(row, name, scores) for row in rows),
        reference=name == spec.reference_contestant,
        about={"outputs": f"{spec.path}, {spec.contestants[name]}"},
    )


def _row(row: Stored, name: str, scores: Scored) -> Row:
    text = row.outputs[name]
    if text is None:
        return Row(example=row.example.id, missing="the file holds no output")
    mine = tuple(of[row.example.id] for of in scores.values())
    return Row(example=row.example.id, reply=text, value=text, scores=mine)


# ------------------------------------------------------------------ cells


def statistics_of_items(values: Sequence[float]) -> dict[str, float]:
    """Mean, median, variance and standard deviation, the variance divided by n."""
    mean = math.fsum(values) / len(values)
    variance = math.fsum((value - mean) ** 2 for value in values) / len(values)
    found = (mean, float(median(values)), variance, math.sqrt(variance))
    return dict(zip(OF_ITEMS, found, strict=True))


def statistics_of_all(metric: str, texts: Texts) -> dict[str, float]:
    """What is told of all texts at once: BLEU of the corpus, CodeBLEU's and its parts."""
    said, wanted = texts.candidates, texts.references
    if metric == "bleu":
        return {"corpus": bleu.corpus_bleu(candidates=said, references=wanted)}
    if metric not in FORMS:
        return {}
    found = codebleu.corpus_codebleu(
        candidates=said, references=wanted, language="python", form=FORMS[metric]
    )
    parts = (found.score, found.ngrams, found.weighted_ngrams, found.syntax, found.dataflow)
    told = zip(OF_ALL[metric], parts, strict=True)
    return {statistic: value for statistic, value in told if value is not None}


FORMS: Mapping[str, codebleu.Form] = {"codebleu": "fixed", "codebleu_compat": "compat"}


def _statistics(metric: str, texts: Texts, scores: Mapping[str, Score]) -> dict[str, float]:
    values = [score.value for score in scores.values() if score.value is not None]
    return statistics_of_items(values) | statistics_of_all(metric, texts)


def _replicated(
    metric: Metric,
    spec: Outputs,
    texts: Mapping[str, Texts],
    scores: Mapping[str, Scored],
    encoders: Encoders,
) -> Replicated:
    """One metric's cells: ours, and where one was published the one of swapped sides too."""
    published = spec.published.get(metric.name)  # type: ignore[call-overload]
    cells: list[Cell] = []
    for name, mine in texts.items():
        ours = _statistics(metric.name, mine, scores[name][metric.name])
        known = published.cells.get(name, {}) if published else {}
        other: dict[str, float] = {}
        if known:
            turned = _scored(mine.swapped(), [metric], _needed(metric, encoders))
            other = _statistics(metric.name, mine.swapped(), turned[metric.name])
        cells += _cells(name, ours, other, known, published)
    by = next(iter(next(iter(scores.values()))[metric.name].values())).by
    return Replicated(
        title=metric.heading,
        by=by,
        about=metric.about,
        digits=published.digits if published else 3,
        cells=tuple(cells),
        sentences=(
            *_told(cells, published, spec.source),
            *_intervals(spec, {name: of[metric.name] for name, of in scores.items()}),
        ),
    )


def _needed(metric: Metric, encoders: Encoders) -> Encoders:
    """The encoders without which a metric can't be had."""
    return {form: one for form, one in encoders.items() if metric in likeness.vectored(form)}


def _cells(
    name: str,
    ours: Mapping[str, float],
    swapped: Mapping[str, float],
    known: Mapping[str, float],
    published: PublishedCells | None,
) -> Iterator[Cell]:
    for statistic, value in ours.items():
        if published is None or statistic not in known:
            yield Cell(contestant=name, statistic=statistic, ours=value)
            continue
        yield Cell(
            contestant=name,
            statistic=statistic,
            ours=value,
            swapped=swapped[statistic],
            published=known[statistic],
            word=word_of(known[statistic], value, swapped[statistic], published),
        )


def word_of(published: float, ours: float, swapped: float, said: PublishedCells) -> Word:
    """Which of both orders a published cell equals, as rounded, or else is near to."""

    def equal(value: float) -> bool:
        return round(value, said.digits) == round(published, said.digits)

    def near(value: float) -> bool:
        return abs(value - published) <= said.within

    if equal(ours):
        return "agrees"
    if equal(swapped):
        return "swapped"
    if near(ours):
        return "near"
    return "swapped" if near(swapped) else "differs"


def _untold(spec: Outputs, told: Iterable[Replicated]) -> Iterator[Replicated]:
    """The published cells of metrics that could not be computed here."""
    there = {one.title for one in told}
    known = [likeness.BLEU, likeness.COMPAT, likeness.CODEBLEU]
    known += [*likeness.vectored("text"), *likeness.vectored("code")]
    for metric in known:
        published = spec.published.get(metric.name)  # type: ignore[call-overload]
        if published is None or metric.heading in there:
            continue
        lacks = "an encoder: none is named"
        if metric.name in FORMS:
            lacks = "the parsers of the extra 'code'"
        yield Replicated(
            title=metric.heading,
            by="",
            about=metric.about,
            digits=published.digits,
            cells=tuple(
                Cell(contestant=name, statistic=key, ours=None, published=value, word="untold")
                for name, cells in published.cells.items()
                for key, value in cells.items()
            ),
            sentences=(f"{spec.source} It isn't computed here, for it needs {lacks}.".strip(),),
        )


# ------------------------------------------------------------------ sentences


def _told(cells: Sequence[Cell], published: PublishedCells | None, source: str) -> Iterator[str]:
    """How many published cells agree, and each that doesn't."""
    there = [cell for cell in cells if cell.published is not None]
    if published is None or not there:
        return
    agree = sum(cell.word == "agrees" for cell in there)
    first = f"{agree} of {len(there)} published cells agree to {published.digits} digits."
    yield f"{source} {first}".strip()
    for cell in there:
        if cell.word != "agrees":
            yield _unlike(cell, published)


def _unlike(cell: Cell, said: PublishedCells) -> str:
    def number(value: float | None) -> str:
        return f"{value or 0.0:.{said.digits}f}"

    who = f"{cell.contestant}, {cell.statistic}"
    off = f"published {number(cell.published)}, here {number(cell.ours)}"
    allowed = f"within {said.within:g}, which is allowed for: {said.because}"
    if cell.word == "near":
        return f"{who}: {off}, {allowed}."
    if cell.word == "swapped":
        exact = number(cell.swapped) == number(cell.published)
        much = "" if exact else f" ({allowed})"
        return (
            f"{who}: published {number(cell.published)} is what comes of candidates and references "
            f"in each other's place, {number(cell.swapped)}{much}; in the right order it is "
            f"{number(cell.ours)}."
        )
    return f"{who}: {off}, in neither order ({number(cell.swapped)} with sides swapped)."


def _intervals(spec: Outputs, scores: Mapping[str, Mapping[str, Score]]) -> Iterator[str]:
    """Each pair's difference by rows, in words: a tie is an interval that holds 0."""
    values = {name: {row: score.value for row, score in of.items()} for name, of in scores.items()}
    for a, b in pairs_of(spec):
        found = compare(values[a], values[b], share=True)
        if found.difference is None or found.low is None or found.high is None:
            yield f"{a} and {b}: no interval can be told ({found.by})."
            continue
        limits = f"{found.difference:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
        limits += f", the mean of {found.n} rows in pairs"
        if found.low <= 0 <= found.high:
            yield f"By interval {a} and {b} are a tie: {limits}."
        else:
            higher = "above" if found.difference > 0 else "below"
            yield f"{a} is {higher} {b}: {limits}."
