"""What is known of each contestant's model, and from which contestant it was fine-tuned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from outdo.pipeline.entrants import Entrant, Sheet
from outdo.report import ModelCard
from outdo.study import Run, Study


def cards_of(study: Study, sheets: Sequence[Sheet]) -> dict[str, ModelCard]:
    """The card of each contestant that answers with a model of which anything can be told.

    One that was fine-tuned has the size, the subject and the licence of the model that it began
    as, and names the contestant that stands for that model in the same table, if there is one.
    """
    runs = study.runs()
    found: dict[str, ModelCard] = {}
    for sheet in sheets:
        entrants = [one for one in sheet.entrants if not one.floor]
        for entrant in entrants:
            first = study.answers()[entrant.name].models[0]
            model = study.model(_bottom(first, runs))
            before = _before(first, runs, entrant, entrants, study)
            if before or model.model_dump(exclude={"model"}, exclude_none=True):
                card = ModelCard(
                    size=model.size,
                    kind=model.kind,
                    about=model.about,
                    licence=model.licence,
                    before=before,
                )
                known = found.get(entrant.name)
                found[entrant.name] = known if known and known.before else card
    return found


def _bottom(name: str, runs: Mapping[str, Run]) -> str:
    """The model that a chain of training runs began with."""
    return _bottom(runs[name].model, runs) if name in runs else name


def _before(
    name: str, runs: Mapping[str, Run], entrant: Entrant, among: Iterable[Entrant], study: Study
) -> str | None:
    """The contestant that a contestant was fine-tuned from: the nearest that stands beside it.

    Of several that ask the same model, the one that is asked as this one is.
    """
    answers = study.answers()
    while name in runs:
        name = runs[name].model
        alike = [one for one in among if name in answers[one.name].models]
        if alike:
            same = (one.name for one in alike if one.ask.prompt == entrant.ask.prompt)
            return next(same, alike[0].name)
    return None
