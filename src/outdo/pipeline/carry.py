"""From a study to its page: every stage in order, then the findings.

What the study's tables compare is decided here from stored rows, and can be decided again at any
time: nothing below `report/` is ever read back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from outdo import catalog
from outdo.data.outputs import read_outputs
from outdo.errors import StudyError
from outdo.pipeline.answering import entrants, sheets
from outdo.pipeline.apart import hold_apart
from outdo.pipeline.best_of import best_of, check_picks
from outdo.pipeline.duties import duties_of
from outdo.pipeline.findings import environment_of, findings_of
from outdo.pipeline.job import Job
from outdo.pipeline.judges import judged
from outdo.pipeline.learning import Learning
from outdo.pipeline.outputs import rescored
from outdo.pipeline.people import labels_of
from outdo.pipeline.protocols import Tools, Watch
from outdo.pipeline.published import published_of
from outdo.pipeline.similarity import check_similarity, encoders_of, unnamed, with_similarity
from outdo.pipeline.stages import Made
from outdo.report import Findings, Replicated, wording, write
from outdo.report.best_of import write as write_best_of
from outdo.report.results import Results
from outdo.store import Store, holding
from outdo.study import OutputsStudy, PublishedStudy, Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A finished study: where its page lies, its results, and what they come to.

    `sentence` says the first comparison's verdict, which `word` names; `caveats` go with it.
    `replicated` are published cells beside our own.
    """

    folder: Path
    results: Results
    word: str | None
    sentence: str
    caveats: tuple[str, ...]
    replicated: tuple[Replicated, ...] = ()


def carry_out(
    study: Study, *, store: Store, tools: Tools, watch: Watch, command: str = ""
) -> Report:
    """The study's report, with every stage that was missing made.

    Two processes on one study take turns. Raises OutdoError for what a person can mend.
    """
    folder = store.root / study.study
    duties = duties_of(study)
    with holding(folder, on_wait=watch.waiting):
        job = Job(study, duties, store, tools, watch)
        job.resolve()
        check_similarity(study, duties, tools)
        labels = labels_of(study)
        job.begin()
        kept_apart = hold_apart(job)
        job.check()
        check_picks(job)
        learning = Learning(job)
        weights = learning.weights()
        tables = with_similarity(job, sheets(job, entrants(job, weights)))
        jury = judged(job, weights, tables, labels)
        picks = best_of(job, weights)
        findings = findings_of(
            study,
            sheets=tables,
            jury=jury,
            trainings=learning.trained,
            notes=[
                *(note for made in job.data.values() for note in made.notes),
                *kept_apart,
                *learning.notes,
                *job.notes,
                *jury.notes,
                *(f"{one.sentence}: see best_of.html" for one in picks),
            ],
            environment=tools.environment(),
            command=command,
        )
        with watch.stage("report", total=None, unit="files") as tally:
            results = write(findings, folder / "report")
            if picks:
                write_best_of(picks, folder / "report", findings=findings)
            tally(sum(path.is_file() for path in (folder / "report").rglob("*")))
    return _report(folder / "report", findings, results)


def prepare(
    study: Study, *, store: Store, tools: Tools, watch: Watch, only: str | None = None
) -> dict[str, Path]:
    """The folder of every training run of a study, or of one entry's, data and weights made."""
    duties = duties_of(study)
    if only is not None and only not in study.train:
        hint = catalog.suggestion(only, study.train)
        raise StudyError(f"there is no training run {only!r}", hint)
    with holding(store.root / study.study, on_wait=watch.waiting):
        job = Job(study, duties, store, tools, watch)
        job.resolve()
        job.begin()
        hold_apart(job)
        job.check()
        learning = Learning(job)
        learning.weights(only=only)
    return {name: trained.stage for name, trained in learning.trained.items()}


def tell_published(study: PublishedStudy, *, store: Store, tools: Tools, command: str) -> Report:
    """The report of a study of published rates."""
    findings = Findings(
        study=study.study,
        about=study.about.strip(),
        command=command,
        resolved=study.dump(),
        examples={},
        metrics={},
        contestants=(),
        environment=environment_of(tools.environment()),
        published=tuple(published_of(title, table) for title, table in study.published.items()),
    )
    folder = store.root / study.study / "report"
    results = write(findings, folder)
    said = [sentence for one in findings.published for sentence in one.sentences]
    return Report(
        folder=folder, results=results, word=None, sentence=said[0], caveats=tuple(said[1:])
    )


def tell_outputs(study: OutputsStudy, *, store: Store, tools: Tools, command: str) -> Report:
    """The report of a study of published outputs, all of them scored anew."""
    rows = {
        title: read_outputs(
            Path(study.data_root) / spec.path,
            id=spec.id,
            instruction=spec.instruction,
            input=spec.input,
            reference=spec.reference,
            contestants=spec.contestants,
            prefix=f"{title}/" if len(study.outputs) > 1 else "",
        )
        for title, spec in study.outputs.items()
    }
    encoders = encoders_of(study.similarity, tools)
    made = {
        title: rescored(title, spec, rows[title], encoders) for title, spec in study.outputs.items()
    }
    findings = Findings(
        study=study.study,
        about=study.about.strip(),
        command=command,
        resolved=study.dump(),
        item="instruction",
        group="instruction",
        examples={row.example.id: row.example for of in rows.values() for row in of},
        metrics={title: one.metrics for title, one in made.items()},
        contestants=tuple(each for one in made.values() for each in one.contestants),
        matches=tuple(match for one in made.values() for match in one.matches),
        margins={
            (title, metric.name): spec.margin
            for title, spec in study.outputs.items()
            for metric in made[title].metrics
            if metric.unit == "share"
        },
        environment=environment_of(tools.environment()),
        notes=unnamed(study.similarity),
        replicated=tuple(each for one in made.values() for each in one.replicated),
    )
    folder = store.root / study.study / "report"
    report = _report(folder, findings, write(findings, folder))
    caveats = (*report.caveats, *findings.notes)
    return replace(report, caveats=caveats, replicated=findings.replicated)


def make_data(study: Study, *, store: Store, tools: Tools, watch: Watch) -> dict[str, Made]:
    """The rows of every data entry of a study."""
    duties = duties_of(study)
    with holding(store.root / study.study, on_wait=watch.waiting):
        job = Job(study, duties, store, tools, watch)
        job.begin()
    return job.data


def _report(folder: Path, findings: Findings, results: Results) -> Report:
    if results.headline is None:
        nothing = "nothing was compared"
        return Report(folder=folder, results=results, word=None, sentence=nothing, caveats=())
    table, compared = results.headline
    return Report(
        folder=folder,
        results=results,
        word=compared.verdict.word,
        sentence=wording.sentence(table, compared, findings),
        caveats=tuple(wording.caveats(compared, findings)),
    )
