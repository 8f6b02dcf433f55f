"""What a study's judges would be asked; replies that nobody has given are as long as may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from outdo.engines.estimate import BYTES_PER_TOKEN
from outdo.judging import Contest, criterion
from outdo.judging.known import known_task
from outdo.pipeline.asking import Asked, asked_of_all, has_gold, sampled
from outdo.pipeline.duties import Duties, chosen
from outdo.pipeline.jury import asking, manner_of
from outdo.pipeline.rubrics import Given, both, call_of
from outdo.records import Comparison, Example, Prompt, Request, digest
from outdo.study import Answers, Compared, Judging, Study

Test = Mapping[str, Sequence[Example]]
"""The test examples of each data entry."""


def size(text: str) -> int:
    """About how many tokens a text is."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


class Owed:
    """What a study's contestants are asked, without shots; the same question is put once.

    Contestants that differ in their model alone are asked the same.
    """

    def __init__(self, study: Study, duties: Duties, test: Test) -> None:
        self.study, self.duties, self.test = study, duties, test
        self._known: dict[str, list[Asked]] = {}

    def of(self, answers: Answers, *, samples: int | None = None) -> list[Asked]:
        """Each example's question, as often as it is sampled."""
        told = {"shots": 0} if samples is None else {"shots": 0, "samples": samples}
        ask = answers.ask.model_copy(update=told)
        key = digest([answers.data, ask.model_dump(mode="json", exclude={"model", "precision"})])
        if key not in self._known:
            examples = self.test[answers.data]
            made = asked_of_all(self.duties, ask, examples, {}, seed=self.study.seed, size=size)
            self._known[key] = list(made)
        return self._known[key]


def judged(study: Study, owed: Owed, table: Compared, spec: Judging) -> list[Request]:
    """A judge's calls over one table."""
    answers = [one for one in study.answers().values() if one.entry in table.answers]
    tasks = chosen(study, owed.duties, table.tasks)
    if spec.way == "rubric":
        return [
            request
            for one in answers
            for asked in owed.of(one)
            if asked.task in tasks
            for request in [_checked(asked, one, spec, study.seed)] * len(one.models)
        ]
    against = next(one for one in answers if one.entry == table.judge_against)
    return [
        request
        for one in answers
        if one is not against
        for asked in owed.of(against, samples=1)
        if asked.task in tasks
        for request in _compared(asked, one, against, spec, study.seed)
    ]


def _compared(
    asked: Asked, one: Answers, against: Answers, spec: Judging, seed: int
) -> list[Request]:
    """The calls of one example, for as many samples as the two have."""
    contest = Contest(
        comparison=Comparison(example=asked.example.id, a=one.name, b=against.name),
        request=asked.request.prompt.messages,
        replies=(_filled("a", one), _filled("b", against)),
        criterion=spec.criterion or criterion(asked.task.name),
    )
    calls = [_request(call.prompt, spec, seed) for call in manner_of(spec).prompts(contest)]
    return calls * max(one.ask.samples * len(one.models), against.ask.samples * len(against.models))


def _checked(asked: Asked, one: Answers, spec: Judging, seed: int) -> Request:
    given = Given(
        example=asked.example.id,
        contestant=one.name,
        request=asked.request.prompt.messages,
        reply=_filled("a", one),
    )
    call = call_of(given, spec)
    assert call is not None
    return _request(call.prompt, spec, seed)


def _request(prompt: Prompt, spec: Judging, seed: int) -> Request:
    return Request(prompt=prompt, sampling=sampled(asking(spec), seed=seed))


def _filled(letter: str, answers: Answers) -> str:
    """A reply as long as this one's may be."""
    return letter * (BYTES_PER_TOKEN * answers.ask.max_tokens)


def known(study: Study, duties: Duties, spec: Judging, test: Test) -> list[Request]:
    """The calls of the task that a judge does first."""
    examples = list({one.id: one for rows in test.values() for one in rows}.values())
    contests = known_task(examples, limit=spec.known)
    if not contests:
        solved = [one for one in examples if has_gold(duties.of(one), one)]
        contests = known_task(
            solved,
            request=lambda one: (
                duties.of(one).prompt(one, variant=duties.of(one).variants[0]).messages
            ),
            gold=lambda one: duties.of(one).gold(one),
            bait=lambda one: duties.of(one).bait(one),
            limit=spec.known,
        )
    prompts = [prompt for contest in contests for prompt in _prompts(contest, spec)]
    return [_request(prompt, spec, study.seed) for prompt in prompts]


def _prompts(contest: Contest, spec: Judging) -> Iterator[Prompt]:
    if spec.way == "rubric":
        calls = (call_of(given, spec) for given in both(contest))
        yield from (call.prompt for call in calls if call)
    else:
        yield from (call.prompt for call in manner_of(spec).prompts(contest))
