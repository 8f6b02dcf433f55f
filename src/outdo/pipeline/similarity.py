"""BERTScore and CodeBERTScore of what contestants wrote, as further scores of their replies.

A score hangs on the text, its reference and the model alone, so that it is stored under these: one
more contestant is compared, and nobody else again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from outdo.errors import StudyError
from outdo.models.reference import ModelReference
from outdo.pipeline.duties import Duties
from outdo.pipeline.entrants import Entrant, Reply, Sheet
from outdo.pipeline.job import Job, standing_at
from outdo.pipeline.outputs import Encoders
from outdo.pipeline.protocols import Tools
from outdo.pipeline.stages import filled
from outdo.records import Example, Metric, Score, digest, from_json, to_json
from outdo.scorers import bertscore, likeness
from outdo.store import Row
from outdo.study import Encoding, Similarity, Study
from outdo.study.similarity import Form
from outdo.tasks import Task

VERSION = 1
TOGETHER = 256
"""Pairs that are compared at once: their vectors are in memory together."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A text, its reference, and what both are read behind."""

    candidate: str
    reference: str
    context: str

    @property
    def key(self) -> str:
        return digest([self.candidate, self.reference, self.context])


def unnamed(spec: Similarity | None) -> tuple[str, ...]:
    """What is said where no model is named for one of the two, or for both."""
    named = {form for form, _ in spec.forms()} if spec else set()
    lacking = [form for form in likeness.VECTORED if form not in named]
    called = " and ".join(likeness.VECTORED[form] for form in lacking)
    keys = ", ".join(f"similarity.{likeness.VECTORED[form].lower()}" for form in lacking)
    return (f"{called}: no encoder is named, so that none is told; set {keys}",) if lacking else ()


def encoders_of(spec: Similarity | None, tools: Tools) -> Encoders:
    """Who makes the vectors of each form that is asked for."""
    if spec is None:
        return {}
    made: dict[Encoding, bertscore.Encoder] = {}
    found: dict[Form, tuple[bertscore.Encoder, bool]] = {}
    for form, one in spec.forms():
        alike = one.model_copy(update={"context": False})
        if alike not in made:
            made[alike] = Remembered(tools.encoder(_resolved(one.model, tools), one))
        found[form] = (made[alike], one.context)
    return found


class Remembered:
    """An encoder that reads each text once, and holds its vectors in memory."""

    def __init__(self, encoder: bertscore.Encoder) -> None:
        self.signature = encoder.signature
        self._encoder = encoder
        self._known: dict[tuple[str, str | None], bertscore.Vectors] = {}

    def encode(
        self, texts: Sequence[str], *, contexts: Sequence[str] | None
    ) -> Sequence[bertscore.Vectors]:
        """The vectors of each text; only those that were never asked for are made."""
        around: Sequence[str | None] = contexts or [None] * len(texts)
        asked = list(zip(texts, around, strict=True))
        owed = [one for one in dict.fromkeys(asked) if one not in self._known]
        made = self._encoder.encode(
            [text for text, _ in owed],
            contexts=None if contexts is None else [context or "" for _, context in owed],
        )
        self._known.update(zip(owed, made, strict=True))
        return [self._known[one] for one in asked]


def check_similarity(study: Study, duties: Duties, tools: Tools) -> None:
    """Raises StudyError or ModelError, with the line, for similarity that can't be told."""
    if study.similarity is None:
        return
    if not any(_holds_against(task) for task in duties.tasks):
        problem = f"{duties.names} holds no answer against a reference"
        hint = "similarity is told of the task 'write'"
        raise StudyError(problem, hint, where=study.where("similarity"))
    for form, one in study.similarity.forms():
        _model(study, form, one, tools)


def with_similarity(job: Job, sheets: Sequence[Sheet]) -> list[Sheet]:
    """The tables with what is asked for of likeness in vectors, scores and metrics."""
    study = job.study
    found = list(sheets)
    for form, one in study.similarity.forms() if study.similarity else ():
        model = _model(study, form, one, job.tools)
        scores = _scores(job, form, one, model, _asked(found, one))
        found = [_told(sheet, form, one, scores) for sheet in found]
    return found


def _model(study: Study, form: Form, one: Encoding, tools: Tools) -> ModelReference:
    """The model of a form, which may be named by an entry of the study's models."""
    name = study.model(one.model).model if one.model in study.models else one.model
    with standing_at(study.where("similarity", likeness.VECTORED[form].lower())):
        return _resolved(name, tools)


def _resolved(name: str, tools: Tools) -> ModelReference:
    model = tools.resolve(name)
    if model.kind != "model":
        hint = "name a model of this machine: hf/organisation/name, or a folder"
        raise StudyError(f"{name!r} gives no vectors", hint)
    return model


def _holds_against(task: Task) -> bool:
    """Whether a task's answers are programs that stand against a reference."""
    return likeness.BLEU in task.metrics


# ------------------------------------------------------------------ what is compared


def _asked(sheets: Sequence[Sheet], one: Encoding) -> dict[str, Compared]:
    """All that is to be compared, by key, those of one reference one after another."""
    pairs = [
        pair
        for sheet in sheets
        if _holds_against(sheet.task)
        for entrant in sheet.entrants
        for reply in entrant.replies
        if (pair := _pair(reply, one))
    ]
    pairs.sort(key=lambda pair: (pair.reference, pair.candidate))
    return {pair.key: pair for pair in pairs}


def _pair(reply: Reply, one: Encoding) -> Compared | None:
    """An answer beside its reference; an answer without a program is an empty text."""
    reference = reply.example.wanted.get("reference")
    if not reference or reply.scored is None:
        return None
    context = _context(reply.example) if one.context else ""
    return Compared(str(reply.scored.answer.value or ""), str(reference), context)


def _context(example: Example) -> str:
    given = (example.given.get(name) for name in ("instruction", "input", "stub"))
    return "\n".join(str(text) for text in given if text)


def _scores(
    job: Job, form: Form, one: Encoding, model: ModelReference, asked: Mapping[str, Compared]
) -> dict[str, tuple[Score, ...]]:
    """The scores of all pairs by key; the model is loaded if some are owed."""
    called = likeness.VECTORED[form]
    what = {
        "form": form,
        "model": model.digest,
        "spec": one.model_dump(mode="json", exclude={"model"}),
        "version": [VERSION, bertscore.VERSION],
    }
    stage = job.shop.store.rows("similarity", what, job.shop.how)

    def make(owed: list[str]) -> Iterator[Row]:
        encoder = job.tools.encoder(model, one)
        for keys in _parts(owed):
            pairs = [asked[key] for key in keys]
            made = likeness.by_vectors(
                candidates=[pair.candidate for pair in pairs],
                references=[pair.reference for pair in pairs],
                encoder=encoder,
                form=form,
                contexts=[pair.context for pair in pairs] if one.context else None,
            )
            for key, scores in zip(keys, made, strict=True):
                yield Row(key=key, about={}, record=to_json(scores))

    rows = filled(job.shop, stage, list(asked), make, title=called, unit="texts")
    job.link(f"similarity {called}", stage.folder)
    return {
        key: tuple(from_json(Score, score) for score in row.record) for key, row in rows.items()
    }


def _parts(keys: Sequence[str]) -> Iterator[list[str]]:
    left = iter(keys)
    while part := list(islice(left, TOGETHER)):
        yield part


# ------------------------------------------------------------------ what is told


def _told(
    sheet: Sheet, form: Form, one: Encoding, scores: Mapping[str, tuple[Score, ...]]
) -> Sheet:
    if not _holds_against(sheet.task):
        return sheet
    metrics: tuple[Metric, ...] = (*sheet.task.metrics, *likeness.vectored(form))
    return replace(
        sheet,
        task=replace(sheet.task, metrics=metrics),
        entrants=tuple(_scored(entrant, one, scores) for entrant in sheet.entrants),
    )


def _scored(entrant: Entrant, one: Encoding, scores: Mapping[str, tuple[Score, ...]]) -> Entrant:
    replies = []
    for reply in entrant.replies:
        pair = _pair(reply, one)
        if pair is not None and reply.scored is not None:
            own = (*reply.scored.scores, *scores[pair.key])
            reply = replace(reply, scored=replace(reply.scored, scores=own))
        replies.append(reply)
    return replace(entrant, replies=tuple(replies))
