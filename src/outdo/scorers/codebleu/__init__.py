"""CodeBLEU: n-grams, n-grams with weighted keywords, subtrees and flow of data (Ren et al. 2020).

Two forms. `compat` gives the numbers of the package `codebleu` 0.7.0, faults and all, so that
published numbers can be reproduced; where those hang on the seed of Python's hashes, it takes the
order of appearance. `fixed` is what the paper says.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import mul
from typing import Literal

from outdo.errors import DataError
from outdo.scorers import bleu
from outdo.scorers.codebleu import trees
from outdo.scorers.codebleu.bare import bare
from outdo.scorers.codebleu.walks import flow
from outdo.scorers.codebleu.words import KEYWORDS

Form = Literal["fixed", "compat"]

LANGUAGES = tuple(KEYWORDS)
ORDERS = 4
PLAIN = 0.2
"""What a word weighs that is no keyword, which weighs 1."""

EPSILON = 0.1
"""What an order without matches counts instead of 0: Chen and Cherry's first smoothing."""

LONGEST = 200_000
"""Characters beyond which no tree is made of a text: a parser that mends may take minutes."""

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeBleu:
    """The score and its four parts, each in [0, 1]; a part that a reference lacks is None."""

    score: float
    ngrams: float
    weighted_ngrams: float
    syntax: float | None
    dataflow: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """What was counted of a pair, or of many: pairs are counts of matches and of all."""

    ngrams: tuple[tuple[float, float], ...]
    weighted: tuple[tuple[float, float], ...]
    syntax: tuple[int, int]
    dataflow: tuple[int, int]
    candidate: int
    reference: int
    same: bool


def signature(
    *, language: str, form: Form = "fixed", weights: Sequence[float] = bleu.WEIGHTS
) -> str:
    """What the numbers of this module depend on."""
    told = ",".join(f"{weight:g}" for weight in weights)
    python = "" if form == "fixed" else f"|python-{sys.version_info[0]}.{sys.version_info[1]}"
    words = "tree" if form == "fixed" else "whitespace"
    return (
        f"codebleu|form:{form}|lang:{language}|tok:{words}|smooth:epsilon|weights:{told}"
        f"|{trees.grammar(language)}{python}|v{VERSION}"
    )


def codebleu(
    *,
    candidate: str,
    reference: str,
    language: str,
    form: Form = "fixed",
    weights: Sequence[float] = bleu.WEIGHTS,
) -> CodeBleu:
    """CodeBLEU of one program; `weights` are those of the four parts, in their order.

    `fixed`: tokens are the leaves of the syntax tree without comments and docstrings, keywords
    weigh five times in a precision, matches are clipped, and where the reference has no flow of
    data the other parts weigh more. Programs without tokens score 1 if they are the same and not
    blank, else 0. `compat`: equal to `calc_codebleu` of the package for one pair.
    """
    return _folded(
        [_matches(candidate, reference, language=language, form=form)], form=form, weights=weights
    )


def corpus_codebleu(
    *,
    candidates: Sequence[str],
    references: Sequence[str],
    language: str,
    form: Form = "fixed",
    weights: Sequence[float] = bleu.WEIGHTS,
) -> CodeBleu:
    """CodeBLEU of many programs: matches are summed first. It is not the mean of the pairs'."""
    bleu.same_length(candidates, references)
    each = [
        _matches(candidate, reference, language=language, form=form)
        for candidate, reference in zip(candidates, references, strict=True)
    ]
    return _folded(each, form=form, weights=weights)


# ------------------------------------------------------------------ counting


def _matches(candidate: str, reference: str, *, language: str, form: Form) -> Matches:
    if language not in KEYWORDS:
        known = ", ".join(sorted(KEYWORDS))
        raise DataError(f"CodeBLEU of {language!r} isn't known", f"known: {known}")
    counted = _compat if form == "compat" else _fixed
    return counted(candidate, reference, language)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Program:
    """What is compared of a program; the same reference is met once for each contestant."""

    words: list[str]
    shapes: list[int]
    edges: Counter[int]


@lru_cache(maxsize=2048)
def _program(code: str, language: str, form: Form) -> _Program:
    if form == "compat":
        tree = trees.parse(bare(_short(code), language), language)
        return _Program(
            words=code.split(),
            shapes=trees.printed_shapes(tree),
            edges=flow(tree, published_texts(tree), twice=True),
        )
    tree = trees.parse(_short(code), language)
    spoken = trees.spoken_of(tree)
    words = trees.tokens(tree, spoken)
    return _Program(
        words=words,
        shapes=trees.clean_shapes(tree, spoken) if words else [],
        edges=flow(tree, tree.texts, twice=False) if words else Counter(),
    )


def _compat(candidate: str, reference: str, language: str) -> Matches:
    """As the package counts: words by blanks, weights in a recall, subtrees unclipped."""
    candidate, reference = candidate.strip(), reference.strip()
    one, other = (_program(code, language, "compat") for code in (candidate, reference))
    said, wanted = one.words, other.words
    counts = bleu.count(said, wanted, orders=ORDERS)
    mine, theirs, keywords = Counter(said), Counter(wanted), KEYWORDS[language]
    weigh = [1.0 if word in keywords else PLAIN for word in theirs]
    # Summed in the order of the reference, as the package does: floats remember their order.
    rows = zip(theirs.items(), weigh, strict=True)
    found = sum([min(n, mine[word]) * w for (word, n), w in rows if word in mine], 0.0)
    total = sum(map(mul, theirs.values(), weigh), 0.0)
    weighted = [(found, max(1.0, total))]
    weighted += [
        (float(counts.matches[n]), float(max(1, len(wanted) - n))) for n in range(1, ORDERS)
    ]
    return Matches(
        ngrams=tuple((m, max(1, t)) for m, t in zip(counts.matches, counts.totals, strict=True)),
        weighted=tuple(weighted),
        syntax=(sum(map(set(one.shapes).__contains__, other.shapes)), len(other.shapes)),
        dataflow=(_shared(one.edges, other.edges), other.edges.total()),
        candidate=len(said),
        reference=len(wanted),
        same=candidate == reference,
    )


def _fixed(candidate: str, reference: str, language: str) -> Matches:
    one, other = (_program(code, language, "fixed") for code in (candidate, reference))
    said, wanted = one.words, other.words
    counts = bleu.count(said, wanted, orders=ORDERS)
    mine, theirs, keywords = Counter(said), Counter(wanted), KEYWORDS[language]
    ngrams = tuple((float(m), float(t)) for m, t in zip(counts.matches, counts.totals, strict=True))
    weigh = {word: 1.0 if word in keywords else PLAIN for word in mine}
    shared = mine.keys() & theirs.keys()
    weighted = (
        math.fsum([min(mine[word], theirs[word]) * weigh[word] for word in shared]),
        math.fsum(map(mul, mine.values(), weigh.values())),
    )
    return Matches(
        ngrams=ngrams,
        weighted=(weighted, *ngrams[1:]),
        syntax=(_shared(Counter(one.shapes), Counter(other.shapes)), len(other.shapes)),
        dataflow=(_shared(one.edges, other.edges), other.edges.total()),
        candidate=len(said),
        reference=len(wanted),
        same=candidate.strip() == reference.strip() != "",
    )


def _shared(one: Mapping[int, int], other: Mapping[int, int]) -> int:
    """How many things two bags share, each as often as in the one that has it less often."""
    both = one.keys() & other.keys()
    return sum(map(min, map(one.__getitem__, both), map(other.__getitem__, both)))


def _short(code: str) -> str:
    return code if len(code) <= LONGEST else ""


def published_texts(tree: trees.Tree) -> list[str]:
    """The texts of a tree's leaves as the package cuts them: columns of bytes, read as characters.

    Rows are joined without line feeds. A row that isn't there ends it: no texts, no flow.
    """
    if tree.source.isascii():
        texts = tree.texts
        return [text.replace("\n", "") for text in texts] if "\n" in "".join(texts) else texts
    rows = tree.source.decode("utf-8").split("\n")
    raws = tree.raws()
    found = []
    for leaf in tree.leaves:
        (top, left), (bottom, right) = raws[leaf].start_point, raws[leaf].end_point
        if top == bottom:
            found.append(rows[top][left:right])
        else:
            between = "".join(rows[top + 1 : bottom])
            found.append(rows[top][left:] + between + rows[bottom][:right])
    return found


# ------------------------------------------------------------------ folding


def _folded(each: Sequence[Matches], *, form: Form, weights: Sequence[float]) -> CodeBleu:
    if len(weights) != 4 or any(weight < 0 for weight in weights) or not sum(weights):
        raise DataError(f"weights {tuple(weights)}", "give four, none below 0, not all of them 0")
    if form == "compat":
        return _published(each, weights)
    if not sum(one.reference for one in each) or not sum(one.candidate for one in each):
        same = float(bool(each) and all(one.same for one in each))
        return CodeBleu(score=same, ngrams=same, weighted_ngrams=same, syntax=None, dataflow=None)
    parts = (
        _precision(each, [one.ngrams for one in each]),
        _precision(each, [one.weighted for one in each]),
        _share(one.syntax for one in each),
        _share(one.dataflow for one in each),
    )
    there = [
        (part, weight) for part, weight in zip(parts, weights, strict=True) if part is not None
    ]
    total = math.fsum(weight for _, weight in there)
    score = math.fsum(part * weight for part, weight in there) / total if total else 0.0
    return CodeBleu(
        score=min(1.0, score),
        ngrams=parts[0],
        weighted_ngrams=parts[1],
        syntax=parts[2],
        dataflow=parts[3],
    )


def _published(each: Sequence[Matches], weights: Sequence[float]) -> CodeBleu:
    """The package's sum, in which no match at all in the flow counts as all."""
    candidate = sum(one.candidate for one in each)
    reference = sum(one.reference for one in each)
    ngrams = _smoothed([one.ngrams for one in each], brevity=_brevity(candidate, reference))
    # The package takes the length of a pair (tokens, weights) for that of the reference.
    brevity = _brevity(candidate, 2 * len(each))
    weighted = _smoothed([one.weighted for one in each], brevity=brevity)
    syntax = _share(one.syntax for one in each) or 0.0
    dataflow = _share(one.dataflow for one in each) or 0.0
    score = (
        weights[0] * ngrams
        + weights[1] * weighted
        + weights[2] * syntax
        + weights[3] * (dataflow or 1)
    )
    return CodeBleu(
        score=score, ngrams=ngrams, weighted_ngrams=weighted, syntax=syntax, dataflow=dataflow
    )


def _share(counts: Iterable[tuple[int, int]]) -> float | None:
    listed = list(counts)
    total = sum(all_ for _, all_ in listed)
    return sum(matched for matched, _ in listed) / total if total else None


def _brevity(candidate: int, reference: int) -> float:
    if candidate > reference:
        return 1.0
    return math.exp(1 - reference / candidate) if candidate else 0.0


def _summed(parts: Sequence[Sequence[tuple[float, float]]]) -> list[tuple[float, float]]:
    """The orders' counts, summed over texts in their order."""
    sums = [(0.0, 0.0)] * ORDERS
    for part in parts:
        sums = [(a + m, b + t) for (a, b), (m, t) in zip(sums, part, strict=True)]
    return sums


def _smoothed(parts: Sequence[Sequence[tuple[float, float]]], *, brevity: float) -> float:
    sums = _summed(parts)
    if not sums[0][0]:
        return 0.0
    logs = (math.log(m / t if m else (m + EPSILON) / t) / ORDERS for m, t in sums)
    return brevity * math.exp(math.fsum(logs))


def _precision(each: Sequence[Matches], parts: Sequence[Sequence[tuple[float, float]]]) -> float:
    """BLEU of counts, without the orders that the candidates are too short for."""
    candidate = sum(one.candidate for one in each)
    reference = sum(one.reference for one in each)
    sums = [(m, t) for m, t in _summed(parts) if t]
    if not sums or not sums[0][0]:
        return 0.0
    logs = (math.log((m or EPSILON) / t) for m, t in sums)
    return min(1.0, _brevity(candidate, reference) * math.exp(math.fsum(logs) / len(sums)))


def forget() -> None:
    """Let go of the programs that were read before."""
    _program.cache_clear()
